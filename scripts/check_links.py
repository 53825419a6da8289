"""
Opens each link from the documentation to another site: `python -m scripts.check_links`.

It needs the Internet, so it is no test. It fails if a page does not exist any more. A site that
refuses programs, or fails for a moment, is only reported.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx

from .pages import ROOT

_URL = re.compile(r"https://[^\s)>\"'`<]+")
_EXAMPLES = re.compile(r"https://([\w.-]+\.)?(example|invalid)(\.\w+)?(/|$)|https://(host|a\.)")
_GONE = {404, 410}


def external_links(root: Path) -> dict[str, str]:
    """Return each address outside code, with the first page that links it."""
    found: dict[str, str] = {}
    for page in sorted(_pages(root)):
        text = re.sub(r"```.*?```|`[^`\n]*`", "", page.read_text("utf-8"), flags=re.DOTALL)
        for url in _URL.findall(text):
            if not _EXAMPLES.match(url):
                found.setdefault(url.rstrip(".,;:"), page.relative_to(root).as_posix())
    return found


def _pages(root: Path) -> Iterator[Path]:
    yield from root.glob("*.md")
    yield from root.glob("docs/**/*.md")
    yield from root.glob("shared/README.md")
    yield from root.glob("packages/*/README.md")


def main() -> int:
    """Open all links, and return how many lead nowhere."""
    gone = 0
    with httpx.Client(follow_redirects=True, timeout=30) as client:
        for url, page in external_links(ROOT).items():
            try:
                status = client.get(url).status_code
            except httpx.HTTPError as error:
                print(f"{page}: {url}: {type(error).__name__}")
                continue
            if status != 200:
                print(f"{page}: {url}: HTTP {status}")
            gone += status in _GONE
    return gone


if __name__ == "__main__":
    sys.exit(bool(main()))
