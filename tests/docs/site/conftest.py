"""The built site: `make docs` builds it, and runs these tests."""

import tomllib
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.browser import browser  # noqa: F401 - A fixture

ROOT = Path(__file__).parents[3]
SITE = ROOT / "build/site"
CONFIGURATION = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]


def navigation():
    """Return the pages in the order of the navigation."""

    def leaves(entries):
        for entry in entries:
            for value in entry.values():
                yield from leaves(value) if isinstance(value, list) else [value]

    return [*leaves(CONFIGURATION["nav"])]


PAGES = navigation()


def built(page):
    """Return the path of a page in the built site."""
    return str(Path(page).with_suffix(".html"))


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        """Write no log."""


@pytest.fixture(scope="module")
def site():
    """The address of a server on loopback that serves the built site."""
    handler = partial(_Handler, directory=str(SITE))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
