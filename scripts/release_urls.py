"""
Adds URLs of the repository to the packages: `python -m scripts.release_urls REPOSITORY TAG`.

The sources do not name their repository. The release workflow, which knows it, runs this before it
builds. So the pages on PyPI link to the repository and to the site. The relative links of the
READMEs lead nowhere on PyPI. They become links to the site, or to the files of the release. Errors
link to the site. The MCP server gets its name in the MCP registry, which contains the owner of the
repository. Run it only once on a checkout.
"""

import json
import posixpath
import re
import sys
from pathlib import Path

from .pages import ROOT

_TABLE = "[project.urls]\n"
_GITHUB = "https://github.com/"
_UNNAMED = "io.github.OWNER/"
_ERRORS = "shared/src/openrouter_rerank/errors.py"
_PAGE_OF_ERRORS = "docs/errors.md"
_LOCAL_SITE = "http://localhost:8000/"
_PAGE = re.compile(r"docs/([^#]+)\.md(.*)")
_LINK = re.compile(r"\]\((\.\./[^)\s]+)\)")


def add_urls(root: Path, repository: str, tag: str) -> None:
    """
    Add the URLs to `pyproject.toml` and `README.md` of each package below `root`.

    `shared/server.json` gets the URL of the repository and the name of the MCP server. Errors and
    `zensical.toml` get the address of the site, which GitHub derives from that of the repository.

    Args:
        root: The folder of the checkout.
        repository: The web address of the repository, such as `https://github.com/OWNER/NAME`.
        tag: The tag of the release. Links to files lead to their state at this tag.

    Raises:
        ValueError: If `repository` is not such an address, or `tag` is empty.
    """
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", repository):
        raise ValueError(f"repository must be like https://github.com/OWNER/NAME: {repository!r}")
    if not re.fullmatch(r"[\w.+-]+", tag):
        raise ValueError(f"tag must be the tag of a release, such as v1.2.3: {tag!r}")
    files = f"{repository}/blob/{tag}"
    site = _site(repository)
    urls = {
        "Repository": repository,
        "Documentation": site or f"{repository}/tree/{tag}/docs",
        "Changelog": f"{files}/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }
    lines = "".join(f'{label} = "{url}"\n' for label, url in urls.items())
    for project in (root / "shared/pyproject.toml", *root.glob("packages/*/pyproject.toml")):
        before, table, after = project.read_text("utf-8").partition(_TABLE)
        project.write_text(before + table + lines + after, "utf-8")
        folder = project.parent.relative_to(root).as_posix()
        readme = project.with_name("README.md")
        text = _with_absolute_links(readme.read_text("utf-8"), folder, files=files, site=site)
        readme.write_text(text, "utf-8")
    page = _absolute(_PAGE_OF_ERRORS, files=files, site=site)
    _replace(root / _ERRORS, f'"{_PAGE_OF_ERRORS}"', f'"{page}"')
    if site:
        _replace(root / "zensical.toml", _LOCAL_SITE, site)
        _name_server(root / "shared", repository)


def _site(repository: str) -> str | None:
    """Return the address of the repository's site on GitHub, or `None` if it is elsewhere."""
    if not repository.startswith(_GITHUB):
        return None
    owner, name = repository.removeprefix(_GITHUB).split("/")
    return f"https://{owner.lower()}.github.io/{name}/"


def _replace(file: Path, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    if text.count(old) != 1:
        raise ValueError(f"{file} must contain {old} once")
    file.write_text(text.replace(old, new), "utf-8")


def _name_server(folder: Path, repository: str) -> None:
    """Put the owner into the name of the MCP server. Only GitHub's owners have such names."""
    owner = repository.removeprefix(_GITHUB).partition("/")[0]
    for name in ("README.md", "server.json"):
        file = folder / name
        text = file.read_text("utf-8").replace(_UNNAMED, f"io.github.{owner}/")
        file.write_text(text, "utf-8")
    entry = json.loads((folder / "server.json").read_text("utf-8"))
    entry["repository"] = {"url": repository, "source": "github", "subfolder": folder.name}
    (folder / "server.json").write_text(json.dumps(entry, indent=2) + "\n", "utf-8")


def _with_absolute_links(readme: str, folder: str, *, files: str, site: str | None) -> str:
    def absolute(link: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(folder, link[1]))
        return f"]({_absolute(path, files=files, site=site)})"

    return _LINK.sub(absolute, readme)


def _absolute(path: str, *, files: str, site: str | None) -> str:
    """Return the address of a page on the site, or else of the file at the tag of the release."""
    page = _PAGE.match(path)
    return f"{site}{page[1]}.html{page[2]}" if site and page else f"{files}/{path}"


if __name__ == "__main__":
    add_urls(ROOT, *sys.argv[1:])
