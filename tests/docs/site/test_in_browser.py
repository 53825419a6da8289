"""The site in Chromium: wide and narrow, light and dark, from a server and from the file system."""

from contextlib import contextmanager

import pytest

from tests.docs.site.conftest import PAGES, SITE, built
from tests.repetitions import repetitions

pytestmark = pytest.mark.site

WIDTHS = (1280, 390)
ALL_VIEWS = [(width, scheme) for width in WIDTHS for scheme in ("light", "dark")]


def views(page_path):
    """Return in which views a page is tested: one of the four, or all of them with FULL set."""
    one = [ALL_VIEWS[PAGES.index(page_path) % len(ALL_VIEWS)]]
    return repetitions(local=one, ci=one, full=ALL_VIEWS)


@contextmanager
def opened(browser, url, **options):
    """A page of the site that requests nothing from another host and writes no message."""
    base = url if url.startswith("file:") else "http://127.0.0.1:"
    with browser.new_context(reduced_motion="reduce", **options) as context:
        page = context.new_page()
        foreign, messages = [], []
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((base, "file:", "data:", "blob:"))
                else foreign.append(request.url)
            ),
        )
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.goto(url, wait_until="load")
        yield page
        assert foreign == []
        assert messages == []


def found_by_axe(page, axe):
    """Return all findings of axe: the rule, the element and how to correct it."""
    results = axe.Axe().run(page)
    assert len(results.response["passes"]) > 15
    return [
        (violation["id"], node["target"], node["failureSummary"])
        for violation in results.response["violations"]
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("page_path", PAGES)
def test_a_page_can_be_read_by_everyone(browser, site, page_path):
    """Axe finds nothing on a page, and the page does not scroll sideways at any width."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found, too_wide = {}, []
    for width, scheme in views(page_path):
        with opened(
            browser,
            f"{site}{built(page_path)}",
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
        ) as page:
            found[width, scheme] = found_by_axe(page, axe)
            for other in WIDTHS:
                page.set_viewport_size({"width": other, "height": 900})
                if page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"):
                    too_wide.append((other, scheme))

    assert {view: each for view, each in found.items() if each} == {}
    assert too_wide == []


def test_the_search_works_from_the_file_system(browser):
    """Without a server, the search finds an option."""
    with opened(
        browser, (SITE / "index.html").as_uri(), viewport={"width": 1280, "height": 900}
    ) as page:
        page.keyboard.press("Control+k")
        page.keyboard.type("max_concurrency", delay=20)
        hit = page.locator("a:visible", has_text="max_concurrency").first
        hit.wait_for(timeout=30_000)

        assert "options-" in hit.get_attribute("href") or "concurrency" in hit.get_attribute("href")


@pytest.mark.parametrize("page_path", ["index.md", "errors.md"])
def test_a_page_can_be_read_without_scripts(browser, site, page_path):
    """Without JavaScript, a page shows its text."""
    with opened(browser, f"{site}{built(page_path)}", java_script_enabled=False) as page:
        assert page.locator("article h1").is_visible()
        assert len(page.locator("article").inner_text()) > 100
