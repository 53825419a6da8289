"""Each test of a client runs for both clients, over own and injected connections."""

import pytest

from tests.client.shells import KINDS, NAMES, Shell


@pytest.fixture(params=KINDS, ids=NAMES)
def shell(request):
    """One way to call the service."""
    with Shell(*request.param) as shell:
        yield shell


@pytest.fixture
def stage(local_openrouter):
    """The scripted service, under its short name."""
    return local_openrouter


@pytest.fixture
def make(shell, stage):
    """Makes clients of the stage."""

    def client(**options):
        return shell.client(**{"base_url": stage.base_url, "api_key": stage.api_key} | options)

    return client
