"""Closing a client: what it closes, and that no call is possible afterwards."""

import pytest
from openrouter_rerank.errors import ConfigurationError


def test_a_client_can_be_closed_twice(make_client, stage):
    """`close` can be called twice; a call of a closed client is a `ConfigurationError`."""
    caller = make_client()
    caller.rerank("q", ["a"])

    caller.close()
    caller.close()

    with pytest.raises(ConfigurationError, match="this client is closed: create a new one"):
        caller.rerank("q", ["a"])
    assert len(stage.requests) == 1


def test_a_client_is_a_context_manager(make_client):
    """The client is closed when its `with` block ends."""
    caller = make_client()

    assert caller.rerank_in_context("q", ["a"]).attempts == 1

    with pytest.raises(ConfigurationError, match="closed"):
        caller.rerank("q", ["a"])


def test_an_injected_client_is_not_closed(make_client):
    """`close` leaves an injected HTTP client open, because it belongs to the user."""
    caller = make_client()
    caller.rerank("q", ["a"])

    caller.close()

    assert caller.injected is None or not caller.injected.is_closed


def test_closing_the_last_client_closes_its_connections(make_client, stage, client_kind):
    """Clients share their own connections, which are closed when the last client is closed."""
    first, second = make_client(), make_client()
    first.rerank("q", ["a"])
    second.rerank("q", ["a"])

    first.close()
    assert stage.open_connections >= 1
    second.close()

    if client_kind.has_own_connections:
        stage.wait_until(lambda: stage.open_connections == 0)
