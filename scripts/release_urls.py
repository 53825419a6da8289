"""
Adds URLs of the repository to the packages: `python -m scripts.release_urls REPOSITORY TAG`.

The sources do not name their repository. The release workflow, which knows it, runs this before it
builds. So the pages on PyPI link to the repository, and the relative links of the READMEs, which
lead nowhere on PyPI, become links to the files of the release. The MCP server gets its name in the
MCP registry, which contains the owner of the repository. Run it only once on a checkout.
"""

import json
import posixpath
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

_TABLE = "[project.urls]\n"
_GITHUB = "https://github.com/"
_UNNAMED = "io.github.OWNER/"
_LINK = re.compile(r"\]\((\.\./[^)\s]+)\)")


def add_urls(root: Path, repository: str, tag: str) -> None:
    """
    Add the URLs to `pyproject.toml` and `README.md` of each package below `root`.

    `shared/server.json` gets the URL of the repository and the name of the MCP server.

    Args:
        root: The folder of the checkout.
        repository: The web address of the repository, such as `https://github.com/OWNER/NAME`.
        tag: The tag of the release. Links to files lead to their state at this tag.

    Raises:
        ValueError: If `repository` is no such address, or `tag` is empty.
    """
    if not re.fullmatch(r"https://[\w.-]+/[\w.-]+/[\w.-]+", repository):
        raise ValueError(f"repository must be like https://github.com/OWNER/NAME: {repository!r}")
    if not re.fullmatch(r"[\w.+-]+", tag):
        raise ValueError(f"tag must be the tag of a release, such as v1.2.3: {tag!r}")
    files = f"{repository}/blob/{tag}"
    urls = {
        "Repository": repository,
        "Documentation": f"{repository}/tree/{tag}/docs",
        "Changelog": f"{files}/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }
    lines = "".join(f'{label} = "{url}"\n' for label, url in urls.items())
    for project in (root / "shared/pyproject.toml", *root.glob("packages/*/pyproject.toml")):
        before, table, after = project.read_text("utf-8").partition(_TABLE)
        project.write_text(before + table + lines + after, "utf-8")
        folder = project.parent.relative_to(root).as_posix()
        readme = project.with_name("README.md")
        readme.write_text(_with_absolute_links(readme.read_text("utf-8"), files, folder), "utf-8")
    if repository.startswith(_GITHUB):
        _name_server(root / "shared", repository)


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


def _with_absolute_links(readme: str, files: str, folder: str) -> str:
    return _LINK.sub(
        lambda link: f"]({files}/{posixpath.normpath(posixpath.join(folder, link[1]))})", readme
    )


if __name__ == "__main__":
    add_urls(ROOT, *sys.argv[1:])
