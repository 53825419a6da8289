"""How the details of a key are requested."""

from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.key_flow import key_flow
from openrouter_rerank._wire.key_details import KeyDetails
from openrouter_rerank.errors import APIConnectionError

DETAILS = Response(status=200, headers={}, body=b'{"data":{"limit_remaining":1.5}}')
LOST = Failure(kind=FailureKind.LOST, reason="Connection reset by peer")


def outcome(sent):
    """Return the first attempt of the flow, and the value that it yields for what was sent."""
    flow = key_flow(9.0, lambda: 0.0)
    return next(flow), flow.send(sent)


def test_the_details_of_a_response_are_returned():
    """The request has no body, and its response is read as the details of a key."""
    attempt, found = outcome(DETAILS)

    assert (attempt.request.method, *attempt.request.body) == ("GET",)
    assert attempt.request.longest_response == 1 << 16
    assert found == KeyDetails(limit_remaining=1.5)


def test_the_error_of_a_failure_is_returned():
    """Without a response, the error that says why is returned."""
    _, found = outcome(LOST)

    assert isinstance(found.error, APIConnectionError)
    assert "Connection reset by peer" in found.error.message
