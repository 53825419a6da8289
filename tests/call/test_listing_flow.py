"""How the list of models is requested."""

import pytest
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.listing_flow import listing_flow
from openrouter_rerank.models import MODELS

LISTING = Response(status=200, headers={}, body=b'{"data":[{"id":"a/rerank"}]}')
STALE = Failure(kind=FailureKind.STALE, reason="the server closed it")
LOST = Failure(kind=FailureKind.LOST, reason="Connection reset by peer")
LATE = Failure(kind=FailureKind.DEADLINE)


@pytest.mark.parametrize(
    ("outcomes", "seconds", "attempts", "problem"),
    [
        pytest.param([LISTING], 1, 1, None, id="listing"),
        pytest.param([STALE, LISTING], 1, 2, None, id="stale connection"),
        pytest.param([STALE, LISTING], 8, 2, None, id="stale connection, a second before the end"),
        pytest.param(
            [STALE],
            9,
            1,
            "the connection to the server was lost: the server closed it. Retry later.",
            id="stale connection at the deadline",
        ),
        pytest.param(
            [LOST],
            1,
            1,
            "the connection to the server was lost: Connection reset by peer. Retry later.",
            id="lost connection",
        ),
        pytest.param(
            [LATE],
            1,
            1,
            "no response from the server within timeout=9 s. Raise timeout.",
            id="deadline",
        ),
    ],
)
def test_a_listing_is_requested_again_only_if_a_kept_connection_was_closed(
    outcomes, seconds, attempts, problem
):
    """The listing is requested once; any other failure returns the built-in models and says why."""
    times = iter(range(0, 100, seconds))
    flow = listing_flow(9.0, lambda: next(times))

    *made, listing = [next(flow), *(flow.send(outcome) for outcome in outcomes)]

    assert [attempt.is_on_new_connection for attempt in made] == [False, True][:attempts]
    assert {(attempt.request.method, *attempt.request.body) for attempt in made} == {("GET",)}
    assert made[0].timeout == 9.0
    assert (made[0].request.longest_response, made[0].request.results) == (4 << 20, 0)
    assert listing.problem == problem
    assert len(listing) == (1 if problem is None else len(MODELS))
