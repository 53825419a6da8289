"""Each page of the site is complete, in the navigation, and linked with what exists."""

import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin

import pytest

from tests.docs.site.conftest import PAGES, ROOT, SITE, built

pytestmark = pytest.mark.site

DOCS = ROOT / "docs"
BUILT = [built(page) for page in PAGES]
HOST = "http://localhost:8000/"


def html(path):
    """Return the text of a built page."""
    return (SITE / path).read_text("utf-8")


def links(path):
    """Return what a built page links and loads: URLs, relative to the page."""
    return re.findall(r'(?:href|src)="?([^"\s>]+)', html(path))


def test_every_page_is_in_the_navigation():
    """No page is left out of the navigation, and none is in it twice."""
    assert sorted(PAGES) == sorted(str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_one_heading_and_a_description(page):
    """A page has one first heading, and a description for search engines and language models."""
    text = html(built(page))

    assert len(re.findall(r"<h1\b", text)) == 1
    assert len(re.search(r'<meta name="?description"? content="([^"]*)"', text)[1].split()) >= 4


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_links_exists(page):
    """Each link to a file of the site leads to a file and an anchor that exist."""
    base = f"{HOST}{built(page)}"
    targets = {urljoin(base, link) for link in links(built(page))}
    missing = []
    for target in targets:
        url, anchor = urldefrag(target)
        if not url.startswith(HOST):
            continue
        file = SITE / unquote(url.removeprefix(HOST) or "index.html")
        if not file.is_file():
            missing.append(url)
        elif anchor and file.suffix == ".html":
            names = re.findall(r'\b(?:id|name)="?([^"\s>]+)', file.read_text("utf-8"))
            if unquote(anchor) not in names:
                missing.append(target)

    assert sorted(missing) == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_a_copy_for_language_models(page):
    """A page is in `llms.txt` and in `llms-full.txt`, and has a copy in Markdown next to it."""
    listed, texts = ((SITE / name).read_text("utf-8") for name in ("llms.txt", "llms-full.txt"))
    copy = (SITE / page).read_text("utf-8").strip()

    assert f"{HOST}{page}" in re.findall(r"\]\(<(\S+?\.md)>\)", listed)
    assert copy.startswith("# ")
    assert copy in texts


def test_every_file_of_the_site_is_used():
    """Each picture, style and script in `docs/` is used by a page."""
    used = {urldefrag(urljoin(f"{HOST}{page}", link))[0] for page in BUILT for link in links(page)}
    files = [
        file
        for file in DOCS.rglob("*")
        if file.is_file() and file.suffix not in {".md", ".LICENSE"}
    ]

    assert files
    assert [
        str(file.relative_to(DOCS))
        for file in files
        if f"{HOST}{file.relative_to(DOCS).as_posix()}" not in used
    ] == []


def test_the_site_names_nothing_of_the_machine_that_built_it():
    """No file of the site has the path of the checkout."""
    texts = [file for file in SITE.rglob("*") if file.suffix in {".html", ".md", ".txt", ".json"}]

    assert [str(file) for file in texts if str(Path(ROOT)) in file.read_text("utf-8")] == []
