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
UNSENT, UNTRUSTED, UNSENDABLE, STALE, LOST, BUSY, TIMEOUT, DEADLINE, OVERSIZED = (
    Failure(kind=kind, detail="ItsError")
    for kind in FailureKind
    if kind not in {FailureKind.UNPERMITTED, FailureKind.BROKEN_LIMITER}
)
UNPERMITTED = Failure(kind=FailureKind.UNPERMITTED)
BROKEN_LIMITER = Failure(kind=FailureKind.BROKEN_LIMITER, detail="ItsError")


def status(code, retry_after=None):
    """Return a response with this status."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    return Response(status=code, headers=headers, body=b"")


def within(code):
    """Return a response with status 200 and this code in its `error`."""
    return Response(status=200, headers={}, body=json.dumps({"error": {"code": code}}).encode())


class Tokens:
    """A retry budget of `tokens` tokens that records the calls of its methods."""

    def __init__(self, tokens=100):
        self.tokens = tokens
        self.asked = []

    def spend(self):
        """Take a token. Return `False` if there was none."""
        self.asked.append("spend")
        self.tokens -= 1
        return self.tokens >= 0

    def earn(self):
        """Record a success."""
        self.asked.append("earn")


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        """Return the time."""
        return self.now


class Played:
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
        left = [reply if isinstance(reply, tuple) else (0.0, reply) for reply in replies]

        def exchange(attempt):
            self.attempts.append(attempt)
            seconds, reply = left.pop(0)
            self.clock.now += attempt.delay + seconds
            return reply

        try:
            call = Call(query="q", documents=("a",))
            self.outcome = drive(call_flow(call, models, limits), exchange)
        except OpenRouterRerankError as error:
            self.outcome = error
        assert left == []

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
        # Free: refused before any work.
        pytest.param([UNSENT, OK], [0, 0.1], Ranking, id="unsent, ok"),
        pytest.param([UNSENT] * 3, [0, 0.1, 0.2], APIConnectionError, id="unsent"),
        pytest.param([status(503), OK], [0, 0.1], Ranking, id="503, ok"),
        pytest.param([status(503)] * 3, [0, 0.1, 0.2], ServiceUnavailableError, id="503"),
        pytest.param([status(529)] * 3, [0, 0.1, 0.2], APIStatusError, id="529"),
        pytest.param([status(429)] * 3, [0, 1.0, 2.0], TooManyRequestsError, id="429"),
        pytest.param([within(429)] * 3, [0, 1.0, 2.0], TooManyRequestsError, id="429 in a 200"),
        # Maybe billed: one retry.
        pytest.param([LOST, OK], [0, 0.1], Ranking, id="lost, ok"),
        pytest.param([LOST] * 2, [0, 0.1], APIConnectionError, id="lost"),
        pytest.param([TIMEOUT] * 2, [0, 0.1], APIConnectionError, id="timeout"),
        pytest.param([OVERSIZED] * 2, [0, 0.1], InvalidResponseError, id="oversized"),
        pytest.param([NO_RANKING, OK], [0, 0.1], Ranking, id="no ranking, ok"),
        pytest.param([NO_RANKING] * 2, [0, 0.1], InvalidResponseError, id="no ranking"),
        pytest.param([within(None)] * 2, [0, 0.1], APIStatusError, id="error without a code"),
        pytest.param([within(502)] * 2, [0, 0.1], APIStatusError, id="502 in a 200"),
        *(
            pytest.param([status(code)] * 2, [0, 0.1], APIStatusError, id=str(code))
            for code in (408, 500, 501, 502, 504, 520, 522, 524, 599)
        ),
        # Final.
        pytest.param([UNTRUSTED], [0], APIConnectionError, id="certificate"),
        pytest.param([UNSENDABLE], [0], APIConnectionError, id="unsendable"),
        pytest.param([within(400)], [0], BadRequestError, id="400 in a 200"),
        *(
            pytest.param([status(code)], [0], APIStatusError, id=str(code))
            for code in (400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 451)
        ),
        *(
            pytest.param([status(code)], [0], InvalidResponseError, id=str(code))
            for code in (301, 302, 307, 308)
        ),
        # Mixed.
        pytest.param([status(503), LOST, OK], [0, 0.1, 0.2], Ranking, id="free, billed, ok"),
        pytest.param([LOST, status(503), OK], [0, 0.1, 0.2], Ranking, id="billed, free, ok"),
        pytest.param([LOST, UNSENT, LOST], [0, 0.1, 0.2], APIConnectionError, id="two billed"),
        pytest.param([status(503), status(401)], [0, 0.1], UnauthorizedError, id="free, final"),
        # A kept connection that was closed: the next attempt does not wait, and is not a retry.
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
        # Retry-After: waited for exactly, or not at all.
        pytest.param([status(429, "7"), OK], [0, 7.0], Ranking, id="hint"),
        pytest.param([status(429, "0"), OK], [0, 0], Ranking, id="hint of 0 seconds"),
        pytest.param([status(500, "3"), OK], [0, 3.0], Ranking, id="hint after a 500"),
        pytest.param([status(429, "9.9"), OK], [0, 9.9], Ranking, id="hint that just fits"),
        pytest.param([status(429, "10")], [0], TooManyRequestsError, id="hint up to the deadline"),
        pytest.param([status(503, "3600")], [0], ServiceUnavailableError, id="hint of an hour"),
        pytest.param([status(429, "9" * 400)], [0], TooManyRequestsError, id="hint of 400 nines"),
        pytest.param([status(429, "soon"), OK], [0, 1.0], Ranking, id="hint that is not a time"),
        pytest.param(
            [status(429, "6"), status(429, "6")], [0, 6.0], TooManyRequestsError, id="two hints"
        ),
        # Time.
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
def test_replies_in_attempts_out(replies, delays, outcome):
    """Each list of replies leads to these delays and this result (2 retries, jitter of 1)."""
    played = Played(*replies)

    assert isinstance(played.outcome, outcome)
    assert played.delays == delays
    assert played.outcome.attempts == len(delays)


@pytest.mark.parametrize(
    ("replies", "expected"),
    [
        pytest.param([OK], [False], id="ok"),
        pytest.param([status(503), OK], [False, False], id="free, ok"),
        pytest.param([STALE, OK], [False, True], id="stale, ok"),
        pytest.param([STALE, status(503), OK], [False, True, True], id="stale, free, ok"),
    ],
)
def test_after_a_stale_connection_comes_a_new_one(replies, expected):
    """If one kept connection was closed, the next attempts do not try the other kept ones."""
    played = Played(*replies)

    assert [attempt.is_on_new_connection for attempt in played.attempts] == expected


@pytest.mark.parametrize(
    ("max_retries", "replies"),
    [
        pytest.param(0, [UNSENT], id="none"),
        pytest.param(1, [UNSENT] * 2, id="one"),
        pytest.param(6, [UNSENT] * 7, id="six"),
        pytest.param(6, [LOST] * 2, id="six of what may be billed"),
        pytest.param(0, [STALE, UNSENT], id="none, and a closed connection"),
    ],
)
def test_max_retries(max_retries, replies):
    """`max_retries` limits free retries. What may be billed is retried once, at most."""
    played = Played(*replies, max_retries=max_retries)

    assert isinstance(played.outcome, APIConnectionError)
    assert played.outcome.attempts == len(replies)


def test_waits_double_up_to_their_cap():
    """The longest wait doubles with each retry, up to two seconds."""
    played = Played(*[UNSENT] * 8, max_retries=7, timeout=60)

    assert played.delays == [0, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


@pytest.mark.parametrize(("jitter", "delays"), [(0.0, [0, 0, 0]), (0.5, [0, 0.05, 0.1])])
def test_jitter_shortens_a_wait(jitter, delays):
    """Jitter scales a wait down to any part of it, except a wait that the server has set."""
    assert Played(*[UNSENT] * 3, jitter=jitter).delays == delays
    assert Played(status(429, "7"), OK, jitter=jitter).delays == [0, 7.0]


def test_each_attempt_may_take_what_is_left():
    """The timeout of an attempt is the time until the deadline, without the wait before it."""
    played = Played((2.0, status(503)), (3.0, status(503)), OK)

    assert played.timeouts == [10.0, 7.9, 4.7]


def test_each_attempt_sends_the_same_request():
    """Each attempt sends the same request, with the encoded call."""
    first, second = Played(UNSENT, OK).attempts

    sent = json.loads(b"".join(first.request.body))
    assert sent == {"model": "m", "query": "q", "documents": ["a"]}
    assert second.request is first.request


def test_a_ranking_counts_its_attempts():
    """`Ranking.attempts` includes the attempts that failed."""
    played = Played(STALE, status(503), OK)

    assert played.outcome.attempts == 3
    assert played.outcome.provider == "P"


def test_error_has_a_note():
    """An error has one note, with the number of attempts, the seconds and the timeout."""
    error = Played((2.0, status(503)), (3.0, status(401))).outcome

    assert error.__notes__ == ["2 attempts in 5.1 s, timeout 10 s"]
    assert error.attempts == 2


def test_an_error_has_the_name_of_the_failure_but_not_its_message():
    """The message has the kind of the failure and the class name of the library's error."""
    errors = [Played(UNTRUSTED).outcome, Played((10.0, Failure(kind=FailureKind.DEADLINE))).outcome]

    assert [(error.message, error.model, error.retryable) for error in errors] == [
        ("the server's certificate is not trusted (ItsError)", "m", False),
        ("no answer by the deadline", "m", True),
    ]


@pytest.mark.parametrize(
    ("replies", "delays", "error", "message"),
    [
        pytest.param([BUSY], [0], DeadlineExceededError, "max_concurrency", id="no slot"),
        pytest.param([UNPERMITTED], [0], DeadlineExceededError, "rate limiter", id="refused"),
        pytest.param(
            [BROKEN_LIMITER] * 3,
            [0, 0.1, 0.2],
            APIConnectionError,
            r"the rate limiter failed \(ItsError\)",
            id="broken limiter",
        ),
    ],
)
def test_a_request_that_was_not_sent_is_not_counted(replies, delays, error, message):
    """A request that never got a slot or a permission does not count as an attempt."""
    played = Played(*replies)

    with pytest.raises(error, match=message) as caught:
        raise played.outcome
    assert played.delays == delays
    assert (caught.value.attempts, caught.value.retryable) == (0, True)


def test_unsendable_call_is_refused_before_the_first_attempt():
    """If a call cannot be encoded, that error is raised and no attempt is made."""
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
    ("replies", "asked"),
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
def test_retry_budget(replies, asked):
    """A retry spends a token and a success earns. A retry that is not made spends none."""
    assert Played(*replies).budget.asked == asked


def test_empty_retry_budget_ends_retries():
    """Without a token there is no retry, and the error of the last attempt is raised."""
    played = Played(UNSENT, UNSENT, tokens=1)

    assert isinstance(played.outcome, APIConnectionError)
    assert played.delays == [0, 0.1]


@pytest.mark.parametrize(
    ("replies", "asked"),
    [
        pytest.param([], [], id="in the first attempt"),
        pytest.param([UNSENT], ["spend"], id="in a retry"),
    ],
)
def test_an_interrupted_retry_has_spent_its_token(replies, asked):
    """A retry that is interrupted has spent its token, so repeated calls run out of them too."""
    budget = Tokens()
    limits = Limits(
        timeout=10,
        max_retries=2,
        clock=Clock(),
        started=Clock().now,
        jitter=lambda: 1,
        retry_budget=budget,
    )
    left = [*replies]

    def exchange(attempt):
        if left:
            return left.pop(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(call_flow(Call(query="q", documents=("a",)), ("m",), limits), exchange)

    assert budget.asked == asked


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
        pytest.param([status(404)] * 3, "abc", NotFoundError, id="none serves"),
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
    """A fallback model is asked after a failure of the service, not after the caller's mistake."""
    played = Played(*replies, models=("a", "b", "c"))

    assert isinstance(played.outcome, outcome)
    assert "".join(played.models) == models
    assert played.outcome.attempts == len(models)
    assert played.outcome.model == models[-1]


def test_fallback_models_share_one_deadline():
    """A model with fallbacks gets three fifths of the remaining time, the last one all of it."""
    played = Played(
        (1.0, status(404)), (1.0, status(404)), (1.0, status(404)), models=("a", "b", "c")
    )

    assert played.timeouts == [6.0, 5.4, 8.0]


def test_no_wait_is_longer_than_the_share_of_a_model():
    """If `Retry-After` exceeds the model's share of the time, the fallback model is asked."""
    played = Played(status(429, "7"), OK, models=("a", "b"))

    assert (played.delays, played.models) == ([0, 0], ["a", "b"])


def test_call_without_time_sends_nothing():
    """If the timeout is used up before the first attempt, the call fails and may be repeated."""
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


def test_last_model_without_time_is_not_asked():
    """If a model has used all of the time, its error is raised and no fallback model is asked."""
    played = Played((11.0, status(503)), models=("a", "b"))

    assert isinstance(played.outcome, ServiceUnavailableError)
    assert played.models == ["a"]


def test_informative_error_of_an_earlier_model_wins_over_the_deadline():
    """The first model's 404 is raised, not the timeout of the last model."""
    played = Played(status(404), (10.0, DEADLINE), models=("a", "b"))

    assert isinstance(played.outcome, NotFoundError)
    assert played.outcome.attempts == 2


def test_later_error_wins_over_an_earlier_one():
    """Of two errors that are not about time, the last one is raised."""
    played = Played(status(503), status(500), status(500), max_retries=5)

    assert isinstance(played.outcome, InternalServerError)
