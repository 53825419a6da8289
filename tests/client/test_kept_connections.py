"""Connections that are kept open: which are used again, and which the server closes."""

import pytest
from openrouter_rerank import APIConnectionError, OpenRouterRerankError, ServiceUnavailableError
from openrouter_rerank.local.stage import Fault, Reply, error, scores


def test_a_closed_idle_connection_costs_no_retry(make_client, stage, client_kind):
    """If the server has closed an idle connection, the call uses a new one without a retry."""
    caller = make_client(max_retries=1)
    caller.rerank("q", ["a"])
    stage.script(Fault.reset_before(), Reply(status=503), scores(0.5))

    if client_kind.has_own_connections:
        assert caller.rerank("q", ["a"]).attempts == 3
    else:
        with pytest.raises(ServiceUnavailableError):
            caller.rerank("q", ["a"])


@pytest.mark.parametrize("fault", [Fault.reset_after(), Fault.close()], ids=str)
def test_without_retries_no_request_is_sent_twice(make_client, stage, fault):
    """With `max_retries=0`, a request on a kept connection that is closed is not repeated."""
    caller = make_client(max_retries=0)
    caller.rerank("q", ["a"])
    stage.always(fault)

    with pytest.raises(APIConnectionError) as caught:
        caller.rerank("q", ["a"])

    assert (caught.value.attempts, len(stage.requests)) == (1, 2)


def test_a_connection_is_reused(make_client, stage):
    """Consecutive calls use one connection."""
    caller = make_client()

    for _ in range(5):
        caller.rerank("q", ["a"])

    assert (len(stage.requests), stage.connections) == (5, 1)


def test_a_connection_is_reused_after_an_error(make_client, stage):
    """After an error response, the next call uses the connection again."""
    stage.script(error(400, "bad"), error(503, "down"))
    caller = make_client(max_retries=0)

    for _ in range(2):
        with pytest.raises(OpenRouterRerankError):
            caller.rerank("q", ["a"])
    caller.rerank("q", ["a"])

    assert stage.connections == 1


def test_a_broken_connection_is_not_reused(make_client, stage):
    """After a truncated response, the next attempt uses a new connection."""
    stage.script(Fault.truncated())
    caller = make_client()

    caller.rerank("q", ["a"])

    assert stage.connections == 2
