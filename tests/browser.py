"""A browser for the tests of pages."""

import os
import shutil

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Chromium asks its maker for updates and the like, unless it is told not to.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync"),
)


# It does not run for the whole session: as long as Playwright runs, no other event loop can run in
# the thread.
@pytest.fixture(scope="module")
def browser():
    """The Chromium of the system, with an empty profile."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        reason = "there is no Chromium: install it, for example with `apt-get install chromium`"
        if "CI" in os.environ:
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, headless=True, args=_FLAGS)
        yield browser
        browser.close()
