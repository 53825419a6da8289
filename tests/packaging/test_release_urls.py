"""
The URLs of the repository, which the release workflow adds to the packages.

The tests change copies. They have no marker: the workflow runs the marked tests after it has
changed the checkout, and the URLs can be added only once.
"""

import json
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

from scripts.release_urls import add_urls

ROOT = Path(__file__).parents[2]
FOLDERS = [
    "shared",
    "packages/langchain_openrouter_rerank",
    "packages/llamaindex_openrouter_rerank",
]
REPOSITORY = "https://github.com/owner/name"
FILES = f"{REPOSITORY}/blob/v1.2.3"
SITE = "https://owner.github.io/name/"
LINK = re.compile(r"\]\(([^)\s]+)\)")


def page_of(path):
    """Return the source of a page of the site, which `path` names relative to the site."""
    return (ROOT / "docs" / path.split("#")[0]).with_suffix(".md")


@pytest.fixture
def checkout(tmp_path):
    """A copy of the packages."""
    for folder in FOLDERS:
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    return tmp_path


def test_released_wheels_link_to_the_repository(checkout):
    """Each wheel has the URLs of its pyproject.toml and those of the repository at the tag."""
    add_urls(checkout, REPOSITORY, "v1.2.3")

    for folder in FOLDERS:
        project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
        build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", checkout]
        subprocess.run(build, cwd=checkout / folder, check=True, capture_output=True)
        (wheel,) = checkout.glob(f"{project['name'].replace('-', '_')}-*.whl")
        archive = ZipFile(wheel)
        (entry,) = (file for file in archive.namelist() if file.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(entry).decode())
        links = LINK.findall(metadata.get_payload())

        assert set(metadata.get_all("Project-URL")) == {
            *(f"{label}, {url}" for label, url in project["urls"].items()),
            f"Repository, {REPOSITORY}",
            f"Documentation, {SITE}",
            f"Changelog, {FILES}/CHANGELOG.md",
            f"Issues, {REPOSITORY}/issues",
        }
        assert links
        assert [link for link in links if not link.startswith(("https://", "#"))] == []
        # Each link to a page leads to the site, and to a page that exists.
        pages = [link.removeprefix(SITE) for link in links if link.startswith(SITE)]
        assert pages
        assert [page for page in pages if not page_of(page).is_file()] == []
        assert [link for link in links if link.startswith(f"{FILES}/docs/")] == []


def test_only_the_table_and_the_links_change(checkout):
    """All other lines of the packages stay as they are in the sources."""
    add_urls(checkout, REPOSITORY, "v1.2.3")

    for folder in FOLDERS:
        for name in ("pyproject.toml", "README.md"):
            source = set((ROOT / folder / name).read_text().splitlines())
            changed = (checkout / folder / name).read_text().splitlines()
            added = [line for line in changed if line not in source and REPOSITORY not in line]
            others = [line for line in added if "mcp-name:" not in line and SITE not in line]
            assert others == []


def test_the_mcp_server_gets_the_name_of_its_owner(checkout):
    """The entry of the registry names the owner and the repository, and so does the README."""
    add_urls(checkout, REPOSITORY, "v1.2.3")

    source = json.loads((ROOT / "shared/server.json").read_text())
    entry = json.loads((checkout / "shared/server.json").read_text())
    assert entry == source | {
        "name": "io.github.owner/openrouter-rerank",
        "repository": {"url": REPOSITORY, "source": "github", "subfolder": "shared"},
    }
    readme = (checkout / "shared/README.md").read_text()
    assert "<!-- mcp-name: io.github.owner/openrouter-rerank -->" in readme


def test_errors_link_to_the_published_page(checkout):
    """A released error has the address of its section on the site, and the site knows its own."""
    add_urls(checkout, REPOSITORY, "v1.2.3")

    errors = runpy.run_path(str(checkout / "shared/src/openrouter_rerank/errors.py"))
    note = errors["help_note"](errors["NotFoundError"]("no model"))
    assert note == f"Help: {SITE}errors.html#notfounderror"
    site = tomllib.loads((checkout / "zensical.toml").read_text())["project"]["site_url"]
    assert site == SITE


def test_a_repository_elsewhere_gives_the_mcp_server_no_name(checkout):
    """The registry derives names only from owners on GitHub, so another host changes nothing."""
    add_urls(checkout, "https://git.example/owner/name", "v1.2.3")

    entry = (checkout / "shared/server.json").read_text()
    assert entry == (ROOT / "shared/server.json").read_text()


@pytest.mark.parametrize(
    ("repository", "tag"),
    [
        ("/", "v1.2.3"),
        ("https://github.com/", "v1.2.3"),
        (f'{REPOSITORY}"', "v1"),
        (REPOSITORY, ""),
    ],
)
def test_a_wrong_address_changes_nothing(checkout, repository, tag):
    """Without the variables of GitHub Actions, there is an error, and no URL is invented."""
    with pytest.raises(ValueError, match="must be"):
        add_urls(checkout, repository, tag)

    for folder in FOLDERS:
        project = (checkout / folder / "pyproject.toml").read_text()
        assert project == (ROOT / folder / "pyproject.toml").read_text()
