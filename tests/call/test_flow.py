"""One rerank call as a table: replies in, attempts and the result out."""

import json

import pytest
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import (
    APIConnectionError,
    APIStatusError,
    BadRequestError,
    DeadlineExceededError,
    InternalServerError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    OpenRouterRerankError,
    PaymentRequiredError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from openrouter_rerank.ranking import Ranking

OK = Response(
    status=200, headers={}, body=b'{"results":[{"index":0,"relevance_score":1}],"provider":"P"}'
)
NO_RANKING = Response(status=200, headers={}, body=b"{}")
UNSENT, PROXY_REFUSED, UNTRUSTED, UNSENDABLE, STALE, LOST, BUSY, TIMEOUT, DEADLINE, OVERSIZED = (
    Failure(kind=FailureKind[name], reason="ItsError")
    for name in (
        *("UNSENT", "PROXY_REFUSED", "UNTRUSTED", "UNSENDABLE", "STALE"),
        *("LOST", "BUSY", "TIMEOUT", "DEADLINE", "OVERSIZED"),
    )
)
EXHAUSTED = Failure(kind=FailureKind.EXHAUSTED, reason="ItsError")
UNPERMITTED = Failure(kind=FailureKind.UNPERMITTED)
BROKEN_LIMITER = Failure(kind=FailureKind.BROKEN_LIMITER, reason="ItsError")


def status(code, retry_after=None):
    """Return a response with status `code`."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Response(status=code, headers=headers, body=b"")


def error_in_200(code):
    """Return a response with status 200 and `code` in its `error` object."""
    return Response(status=200, headers={}, body=json.dumps({"error": {"code": code}}).encode())


class Tokens:
    """A retry budget of `tokens` tokens that records the calls of its methods."""

    def __init__(self, tokens=100):
        self.tokens = tokens
        self.calls = []

    def spend(self):
        """Take a token; return `False` if there was none."""
        self.calls.append("spend")
        self.tokens -= 1
        return self.tokens >= 0

    def earn(self):
        """Record a success."""
        self.calls.append("earn")


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """Return the current time."""
        return self.now


class ScriptedCall:
    """One call, run with scripted replies: its attempts, and the ranking or the error."""

    def __init__(
        self, *replies, models=("m",), timeout=10.0, max_retries=2, jitter=1.0, tokens=100
    ):
        self.clock = Clock()
        self.budget = Tokens(tokens)
        self.attempts = []
        limits = Limits(
            timeout=timeout,
            max_retries=max_retries,
            clock=self.clock,
            started=self.clock.now,
            jitter=lambda: jitter,
            retry_budget=self.budget,
        )
        remaining = [reply if isinstance(reply, tuple) else (0.0, reply) for reply in replies]

        def exchange(attempt):
            self.attempts.append(attempt)
            seconds, reply = remaining.pop(0)
            self.clock.now += attempt.delay + seconds
            return reply

        try:
            call = Call(query="q", documents=("a",))
            self.outcome = drive(call_flow(call, models, limits), exchange)
        except OpenRouterRerankError as error:
            self.outcome = error
        assert remaining == []

    @property
    def delays(self):
        """The delay of each attempt."""
        return [round(attempt.delay, 6) for attempt in self.attempts]

    @property
    def timeouts(self):
        """The timeout of each attempt."""
        return [round(attempt.timeout, 6) for attempt in self.attempts]

    @property
    def models(self):
        """The model of each attempt."""
        return [attempt.request.model for attempt in self.attempts]


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


def test_a_ranking_counts_its_attempts():
    """`Ranking.attempts` includes the attempts that failed."""
    call = ScriptedCall(STALE, status(503), OK)

    assert call.outcome.attempts == 3
    assert call.outcome.provider == "P"


def test_an_error_has_a_note():
    """An error has one note, with the number of attempts, the seconds and the timeout."""
    error = ScriptedCall((2.0, status(503)), (3.0, status(401))).outcome

    assert error.__notes__ == ["2 attempts in 5.1 s, timeout 10 s"]
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


@pytest.mark.parametrize(
    ("replies", "budget_calls"),
    [
        pytest.param([OK], ["earn"], id="success"),
        pytest.param([UNSENT, OK], ["spend", "earn"], id="retry"),
        pytest.param([STALE, OK], ["earn"], id="closed connection"),
        pytest.param([status(401)], [], id="final"),
        pytest.param([UNSENT] * 3, ["spend", "spend"], id="out of retries"),
        pytest.param([LOST] * 2, ["spend"], id="billed twice"),
        pytest.param([status(429, "60")], [], id="no time to wait"),
        pytest.param([status(429, "10")], [], id="just no time to wait"),
    ],
)
def test_retry_budget(replies, budget_calls):
    """A retry spends a token, and a success earns; a retry that is not made spends none."""
    assert ScriptedCall(*replies).budget.calls == budget_calls


def test_an_empty_retry_budget_ends_the_retries():
    """Without a token there is no retry, and the error of the last attempt is raised."""
    call = ScriptedCall(UNSENT, UNSENT, tokens=1)

    assert isinstance(call.outcome, APIConnectionError)
    assert call.delays == [0, 0.1]


@pytest.mark.parametrize(
    ("replies", "budget_calls"),
    [
        pytest.param([], [], id="in the first attempt"),
        pytest.param([UNSENT], ["spend"], id="in a retry"),
    ],
)
def test_an_interrupted_retry_has_spent_its_token(replies, budget_calls):
    """A retry that is interrupted has spent its token, so it counts towards the budget."""
    budget = Tokens()
    limits = Limits(
        timeout=10,
        max_retries=2,
        clock=Clock(),
        started=Clock().now,
        jitter=lambda: 1,
        retry_budget=budget,
    )
    remaining = [*replies]

    def exchange(attempt):
        if remaining:
            return remaining.pop(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(call_flow(Call(query="q", documents=("a",)), ("m",), limits), exchange)

    assert budget.calls == budget_calls


@pytest.mark.parametrize(
    ("replies", "models", "outcome"),
    [
        pytest.param([OK], "a", Ranking, id="not needed"),
        pytest.param([status(404), OK], "ab", Ranking, id="404"),
        pytest.param([status(429, "60"), OK], "ab", Ranking, id="429 for too long"),
        pytest.param([status(503)] * 3 + [OK], "aaab", Ranking, id="503"),
        pytest.param([LOST, LOST, OK], "aab", Ranking, id="lost"),
        pytest.param([NO_RANKING] * 2 + [OK], "aab", Ranking, id="no ranking"),
        pytest.param([(6.0, DEADLINE), OK], "ab", Ranking, id="share of the time used up"),
        pytest.param([status(404)] * 3, "abc", NotFoundError, id="no model available"),
        pytest.param([LOST] * 6, "aabbcc", APIConnectionError, id="two billed attempts each"),
        pytest.param([status(400)], "a", BadRequestError, id="400"),
        pytest.param([status(401)], "a", UnauthorizedError, id="401"),
        pytest.param([status(402)], "a", PaymentRequiredError, id="402"),
        pytest.param([status(403)], "a", APIStatusError, id="403"),
        pytest.param([status(413)], "a", APIStatusError, id="413"),
        pytest.param([status(422)], "a", APIStatusError, id="422"),
        pytest.param([status(307)], "a", InvalidResponseError, id="redirect"),
        pytest.param([UNTRUSTED], "a", APIConnectionError, id="certificate"),
        pytest.param([status(404), status(401)], "ab", UnauthorizedError, id="404, 401"),
    ],
)
def test_fallback_models(replies, models, outcome):
    """A fallback model is used after a failure of the service, not after the caller's mistake."""
    call = ScriptedCall(*replies, models=("a", "b", "c"))

    assert isinstance(call.outcome, outcome)
    assert "".join(call.models) == models
    assert call.outcome.attempts == len(models)
    assert call.outcome.model == models[-1]


def test_fallback_models_share_one_deadline():
    """Each model gets three fifths of the remaining time, and the last model all of it."""
    call = ScriptedCall(
        (1.0, status(404)), (1.0, status(404)), (1.0, status(404)), models=("a", "b", "c")
    )

    assert call.timeouts == [6.0, 5.4, 8.0]


def test_a_retry_after_beyond_the_share_of_a_model_is_not_awaited():
    """If `Retry-After` exceeds the model's share of the time, the fallback model is used."""
    call = ScriptedCall(status(429, "7"), OK, models=("a", "b"))

    assert (call.delays, call.models) == ([0, 0], ["a", "b"])


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


def test_a_fallback_model_without_time_is_not_requested():
    """If a model has used up the time, its error is raised and no fallback model is used."""
    call = ScriptedCall((11.0, status(503)), models=("a", "b"))

    assert isinstance(call.outcome, ServiceUnavailableError)
    assert call.models == ["a"]


def test_the_error_of_an_earlier_model_is_raised_instead_of_a_timeout():
    """The first model's 404 is raised, not the timeout of the last model."""
    call = ScriptedCall(status(404), (10.0, DEADLINE), models=("a", "b"))

    assert isinstance(call.outcome, NotFoundError)
    assert call.outcome.attempts == 2


def test_the_last_of_several_errors_is_raised():
    """Of two errors that are not about time, the last one is raised."""
    call = ScriptedCall(status(503), status(500), status(500), max_retries=5)

    assert isinstance(call.outcome, InternalServerError)
