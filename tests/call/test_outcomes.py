"""The ranking or the error of a call: the attempts that it counts, and which error is raised."""

import pytest
from openrouter_rerank._attempt import Failure, FailureKind
from openrouter_rerank._call.flow import RequestOutcome
from openrouter_rerank.errors import (
    APIConnectionError,
    BudgetExceededError,
    DeadlineExceededError,
    InternalServerError,
)
from openrouter_rerank.ranking import Ranking

from tests.call.scripted_call import (
    BROKEN_LIMITER,
    BUSY,
    OK,
    STALE,
    UNPERMITTED,
    UNTRUSTED,
    ScriptedCall,
    status,
)


def test_a_ranking_counts_its_attempts():
    """`Ranking.attempts` includes the attempts that failed."""
    call = ScriptedCall(STALE, status(503), OK)

    assert call.outcome.attempts == 3
    assert call.outcome.provider == "P"


def test_an_error_has_notes():
    """An error has its attempts, seconds and timeout in a note, and where it is explained."""
    error = ScriptedCall((2.0, status(503)), (3.0, status(401))).outcome

    assert error.__notes__ == [
        "2 attempts in 5.1 s, timeout 10 s",
        "Help: docs/errors.md#unauthorizederror",
    ]
    assert error.attempts == 2


def test_an_error_has_the_reason_of_the_failure():
    """The message has the reason of the failure, and the time that was allowed."""
    errors = [
        ScriptedCall(UNTRUSTED).outcome,
        ScriptedCall((10.0, Failure(kind=FailureKind.DEADLINE))).outcome,
    ]

    assert [(error.message, error.model, error.retryable) for error in errors] == [
        (
            (
                "the certificate of the server is not trusted: ItsError. Set SSL_CERT_FILE to a "
                "file with the certificate of its authority (REQUESTS_CA_BUNDLE is not read)."
            ),
            "m",
            False,
        ),
        (
            (
                "no response from the server within timeout=10 s (model m, 1 attempt). Raise "
                "timeout, or set fallback_models."
            ),
            "m",
            True,
        ),
    ]


@pytest.mark.parametrize(
    ("replies", "delays", "error", "message"),
    [
        pytest.param([BUSY], [0], DeadlineExceededError, "max_concurrency", id="no slot"),
        pytest.param([UNPERMITTED], [0], DeadlineExceededError, "rate_limiter", id="refused"),
        pytest.param(
            [BROKEN_LIMITER] * 3,
            [0, 0.1, 0.2],
            APIConnectionError,
            r"rate_limiter failed, and nothing was sent: ItsError",
            id="broken limiter",
        ),
    ],
)
def test_a_request_that_was_not_sent_is_not_counted(replies, delays, error, message):
    """A request that never got a slot or a permission does not count as an attempt."""
    call = ScriptedCall(*replies)

    with pytest.raises(error, match=message) as caught:
        raise call.outcome
    assert call.delays == delays
    assert (caught.value.attempts, caught.value.retryable) == (0, True)


def test_the_last_of_several_errors_is_raised():
    """Of two errors that are not about time, the last one is raised."""
    call = ScriptedCall(status(503), status(500), status(500), max_retries=5)

    assert isinstance(call.outcome, InternalServerError)


@pytest.mark.parametrize(
    ("result", "ends"),
    [
        (Ranking(results=(), model="m", requests=()), False),
        (BudgetExceededError("spent"), False),
        (InternalServerError("down"), True),
    ],
    ids=["ranking", "spent budget", "error"],
)
def test_an_error_ends_the_call_but_a_spent_budget_does_not(result, ends):
    """The requests in flight are paid for, so their responses are waited for."""
    outcome = RequestOutcome(result=result, attempts=1)

    assert outcome.ends_call is ends
    assert outcome.maybe_billed == 0
