"""Calls on a connection that was kept open, and that the server closes."""

import pytest
from openrouter_rerank import APIConnectionError, ServiceUnavailableError
from openrouter_rerank.local.stage import Fault, Reply, scores


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
