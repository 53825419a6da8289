"""The attempts of a call as a table: replies in, attempts and the outcome out."""

import json

import pytest
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    DeadlineExceededError,
    InvalidRequestError,
    InvalidResponseError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from openrouter_rerank.ranking import Ranking

from tests.call.scripted_call import (
    DEADLINE,
    EXHAUSTED,
    LOST,
    NO_RANKING,
    OK,
    OVERSIZED,
    STALE,
    TIMEOUT,
    UNSENDABLE,
    UNSENT,
    UNTRUSTED,
    Clock,
    ScriptedCall,
    Tokens,
    error_in_200,
    status,
)


@pytest.mark.parametrize(
    ("replies", "delays", "outcome"),
    [
        pytest.param([OK], [0], Ranking, id="first attempt"),
        # Not billed: refused before any work.
        pytest.param([UNSENT, OK], [0, 0.1], Ranking, id="unsent, ok"),
        pytest.param([EXHAUSTED, OK], [0, 0.1], Ranking, id="no descriptor left, ok"),
        pytest.param([UNSENT] * 3, [0, 0.1, 0.2], APIConnectionError, id="unsent"),
        pytest.param([status(503), OK], [0, 0.1], Ranking, id="503, ok"),
        pytest.param([status(503)] * 3, [0, 0.1, 0.2], ServiceUnavailableError, id="503"),
        pytest.param([status(529)] * 3, [0, 0.1, 0.2], APIStatusError, id="529"),
        pytest.param([status(429)] * 3, [0, 1.0, 2.0], TooManyRequestsError, id="429"),
        pytest.param(
            [error_in_200(429)] * 3, [0, 1.0, 2.0], TooManyRequestsError, id="429 in a 200"
        ),
        # May be billed: one retry.
        pytest.param([LOST, OK], [0, 0.1], Ranking, id="lost, ok"),
        pytest.param([LOST] * 2, [0, 0.1], APIConnectionError, id="lost"),
        pytest.param([TIMEOUT] * 2, [0, 0.1], APIConnectionError, id="timeout"),
        pytest.param([OVERSIZED] * 2, [0, 0.1], InvalidResponseError, id="oversized"),
        pytest.param([NO_RANKING, OK], [0, 0.1], Ranking, id="no ranking, ok"),
        pytest.param([NO_RANKING] * 2, [0, 0.1], InvalidResponseError, id="no ranking"),
        pytest.param([error_in_200(None)] * 2, [0, 0.1], APIStatusError, id="error without a code"),
        pytest.param([error_in_200(502)] * 2, [0, 0.1], APIStatusError, id="502 in a 200"),
        *(
            pytest.param([status(code)] * 2, [0, 0.1], APIStatusError, id=str(code))
            for code in (408, 500, 501, 502, 504, 520, 522, 524, 599)
        ),
        # Not retryable.
        pytest.param([UNTRUSTED], [0], APIConnectionError, id="certificate"),
        pytest.param([UNSENDABLE], [0], APIConnectionError, id="unsendable"),
        pytest.param([error_in_200(400)], [0], BadRequestError, id="400 in a 200"),
        *(
            pytest.param([status(code)], [0], APIStatusError, id=str(code))
            for code in (400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 451)
        ),
        *(
            pytest.param([status(code)], [0], InvalidResponseError, id=str(code))
            for code in (301, 302, 307, 308)
        ),
        # Several kinds of failures.
        pytest.param([status(503), LOST, OK], [0, 0.1, 0.2], Ranking, id="free, billed, ok"),
        pytest.param([LOST, status(503), OK], [0, 0.1, 0.2], Ranking, id="billed, free, ok"),
        pytest.param([LOST, UNSENT, LOST], [0, 0.1, 0.2], APIConnectionError, id="two billed"),
        pytest.param([status(503), status(401)], [0, 0.1], UnauthorizedError, id="free, final"),
        # A closed idle connection: the next attempt does not wait, and is not a retry.
        pytest.param([STALE, OK], [0, 0], Ranking, id="stale, ok"),
        pytest.param([STALE] * 2, [0, 0], APIConnectionError, id="stale"),
        pytest.param([STALE, LOST], [0, 0], APIConnectionError, id="stale, lost"),
        pytest.param([STALE, status(503), OK], [0, 0, 0.1], Ranking, id="stale, free, ok"),
        pytest.param([status(503), STALE, OK], [0, 0.1, 0], Ranking, id="free, stale, ok"),
        pytest.param(
            [STALE, UNSENT, UNSENT, UNSENT],
            [0, 0, 0.1, 0.2],
            APIConnectionError,
            id="stale, then free",
        ),
        # Retry-After: the call waits exactly as long, or not at all.
        pytest.param([status(429, "7"), OK], [0, 7.0], Ranking, id="Retry-After"),
        pytest.param([status(429, "0"), OK], [0, 0], Ranking, id="Retry-After of 0 seconds"),
        pytest.param([status(500, "3"), OK], [0, 3.0], Ranking, id="Retry-After after a 500"),
        pytest.param([status(429, "9.9"), OK], [0, 9.9], Ranking, id="Retry-After that just fits"),
        pytest.param(
            [status(429, "10")], [0], TooManyRequestsError, id="Retry-After up to the deadline"
        ),
        pytest.param(
            [status(503, "3600")], [0], ServiceUnavailableError, id="Retry-After of an hour"
        ),
        pytest.param(
            [status(429, "9" * 400)], [0], TooManyRequestsError, id="Retry-After of 400 nines"
        ),
        pytest.param(
            [status(429, "soon"), OK], [0, 1.0], Ranking, id="Retry-After that is not a time"
        ),
        pytest.param(
            [status(429, "6"), status(429, "6")],
            [0, 6.0],
            TooManyRequestsError,
            id="Retry-After twice",
        ),
        # Timeouts.
        pytest.param([(10.0, DEADLINE)], [0], DeadlineExceededError, id="deadline"),
        pytest.param([(11.0, DEADLINE)], [0], DeadlineExceededError, id="past the deadline"),
        pytest.param([(9.95, status(503))], [0], ServiceUnavailableError, id="no time to wait"),
        pytest.param([(9.8, status(503)), OK], [0, 0.1], Ranking, id="just enough time"),
        pytest.param([(12.0, OK)], [0], Ranking, id="a response after the deadline"),
        pytest.param(
            [status(503), (9.9, DEADLINE)], [0, 0.1], ServiceUnavailableError, id="503, deadline"
        ),
        pytest.param([LOST, (9.9, DEADLINE)], [0, 0.1], APIConnectionError, id="lost, deadline"),
    ],
)
def test_replies_lead_to_attempts_and_an_outcome(replies, delays, outcome):
    """Each list of replies leads to its delays and its outcome (2 retries, jitter of 1)."""
    call = ScriptedCall(*replies)

    assert isinstance(call.outcome, outcome)
    assert call.delays == delays
    assert call.outcome.attempts == len(delays)


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param([OK], [False], id="ok"),
        pytest.param([status(503), OK], [False, False], id="free, ok"),
        pytest.param([STALE, OK], [False, True], id="stale, ok"),
        pytest.param([STALE, status(503), OK], [False, True, True], id="stale, free, ok"),
    ],
)
def test_attempts_after_a_stale_connection_use_new_connections(replies, expected):
    """If an idle connection was closed, the next attempts do not use other idle connections."""
    call = ScriptedCall(*replies)

    assert [attempt.is_on_new_connection for attempt in call.attempts] == expected


@pytest.mark.parametrize(
    ("max_retries", "replies"),
    [
        pytest.param(0, [UNSENT], id="none"),
        pytest.param(1, [UNSENT] * 2, id="one"),
        pytest.param(6, [UNSENT] * 7, id="six"),
        pytest.param(6, [LOST] * 2, id="six, may be billed"),
        pytest.param(0, [STALE], id="none, and a closed connection"),
        pytest.param(1, [STALE, UNSENT, UNSENT], id="one, and a closed connection"),
    ],
)
def test_max_retries(max_retries, replies):
    """`max_retries` limits all retries but one, and with 0 no request is sent twice."""
    call = ScriptedCall(*replies, max_retries=max_retries)

    assert isinstance(call.outcome, APIConnectionError)
    assert call.outcome.attempts == len(replies)


def test_waits_double_up_to_two_seconds():
    """The longest wait doubles with each retry, up to two seconds."""
    call = ScriptedCall(*[UNSENT] * 8, max_retries=7, timeout=60)

    assert call.delays == [0, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@pytest.mark.parametrize(("jitter", "delays"), [(0.0, [0, 0, 0]), (0.5, [0, 0.05, 0.1])])
def test_jitter_shortens_a_wait(jitter, delays):
    """Jitter shortens a wait, unless the server has set it with `Retry-After`."""
    assert ScriptedCall(*[UNSENT] * 3, jitter=jitter).delays == delays
    assert ScriptedCall(status(429, "7"), OK, jitter=jitter).delays == [0, 7.0]


def test_each_attempt_has_the_remaining_time():
    """The timeout of an attempt is the time until the deadline, without the wait before it."""
    call = ScriptedCall((2.0, status(503)), (3.0, status(503)), OK)

    assert call.timeouts == [10.0, 7.9, 4.7]


def test_each_attempt_sends_the_same_request():
    """Each attempt sends the same request, with the encoded call."""
    first, second = ScriptedCall(UNSENT, OK).attempts

    sent = json.loads(b"".join(first.request.body))
    assert sent == {"model": "m", "query": "q", "documents": ["a"]}
    assert second.request is first.request


def test_a_call_that_cannot_be_encoded_makes_no_attempt():
    """If a call cannot be encoded, an `InvalidRequestError` is raised and no attempt is made."""
    limits = Limits(
        timeout=1,
        max_retries=0,
        clock=Clock(),
        started=Clock().now,
        jitter=lambda: 1,
        retry_budget=Tokens(),
    )
    call = Call(query="q", documents=("a",), extra={"user": object()})

    with pytest.raises(InvalidRequestError):
        drive(call_flow(call, ("m",), limits), pytest.fail)


def test_a_call_without_time_sends_nothing():
    """If the timeout is used up before the first attempt, the call raises a retryable error."""
    clock = Clock()
    limits = Limits(
        timeout=10,
        max_retries=2,
        clock=clock,
        jitter=lambda: 1,
        retry_budget=Tokens(),
        started=clock.now - 10,
    )

    with pytest.raises(DeadlineExceededError) as caught:
        drive(call_flow(Call(query="q", documents=("a",)), ("m",), limits), pytest.fail)
    assert (caught.value.attempts, caught.value.retryable) == (0, True)
