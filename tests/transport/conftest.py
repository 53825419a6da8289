"""The proxy of the environment."""

import pytest


@pytest.fixture
def use_proxy(monkeypatch):
    """A function that sets the `https_proxy` variable, and clears `no_proxy`."""

    def use_proxy(url):
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("https_proxy", url)

    return use_proxy
