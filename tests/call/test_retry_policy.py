"""Which failures are retried, after which pause, and when a fallback model is used."""

import pytest
from openrouter_rerank._attempt import Cost, cost
from openrouter_rerank._call.retry_policy import LONGEST_WAIT, another_model_may_answer, pause
from openrouter_rerank._score_cache.cache import store_wait
from openrouter_rerank.errors import (
    APIConnectionError,
    APIStatusError,
    DeadlineExceededError,
    InvalidResponseError,
)


@pytest.mark.parametrize(
    ("price", "statuses"),
    [
        (Cost.FREE, [429, 503, 529]),
        (Cost.MAYBE_BILLED, [200, 408, 500, 501, 502, 504, 520, 521, 522, 523, 524, 599]),
        (Cost.FINAL, [100, 400, 401, 402, 403, 404, 405, 409, 413, 418, 422, 451, 499]),
    ],
)
def test_the_cost_of_each_status(price, statuses):
    """Each status is free, may be billed, or is final."""
    assert {cost(APIStatusError.of(status, "m")) for status in statuses} == {price}


@pytest.mark.parametrize(("retryable", "price"), [(True, Cost.MAYBE_BILLED), (False, Cost.FINAL)])
def test_the_cost_of_an_invalid_response(retryable, price):
    """An invalid response may have been billed, or is final if a retry would not help."""
    assert cost(InvalidResponseError("m", retryable=retryable)) is price


@pytest.mark.parametrize(
    ("error", "retries", "longest"),
    [
        (APIConnectionError("m"), 0, 0.1),
        (APIConnectionError("m"), 3, 0.8),
        (APIConnectionError("m"), 5, LONGEST_WAIT),
        (APIConnectionError("m"), 900, LONGEST_WAIT),
        (APIStatusError.of(500, "m"), 1, 0.2),
        (APIStatusError.of(429, "m"), 0, 1.0),
        (APIStatusError.of(429, "m"), 1, LONGEST_WAIT),
    ],
)
def test_a_pause_is_a_random_part_of_a_doubling_limit(error, retries, longest):
    """A pause is a random part of a limit, which doubles with each retry up to two seconds."""
    assert [pause(error, retries, jitter) for jitter in (0.0, 0.25, 1.0)] == pytest.approx(
        [0.0, longest / 4, longest]
    )


@pytest.mark.parametrize("seconds", [0.0, 0.001, 7.0, 1e9, float("inf")])
def test_a_pause_is_exactly_retry_after(seconds):
    """A pause that the server has set with `Retry-After` is not changed by jitter or limits."""
    error = APIStatusError.of(503, "m", retry_after=seconds)

    assert {pause(error, 9, jitter) for jitter in (0.0, 0.5, 1.0)} == {seconds}


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (APIStatusError.of(404, "m"), True),
        (APIStatusError.of(429, "m"), True),
        (APIStatusError.of(500, "m"), True),
        (APIStatusError.of(524, "m"), True),
        *((APIStatusError.of(each, "m", retryable=False), True) for each in (200, 404, 408, 429)),
        (APIStatusError.of(500, "m", retryable=False), True),
        (APIStatusError.of(400, "m"), False),
        (APIStatusError.of(401, "m"), False),
        (APIStatusError.of(402, "m"), False),
        (APIStatusError.of(403, "m"), False),
        (APIStatusError.of(413, "m"), False),
        (APIStatusError.of(422, "m"), False),
        (InvalidResponseError("m", retryable=True), True),
        (InvalidResponseError("m"), False),
        (APIConnectionError("m", retryable=True), True),
        (APIConnectionError("m"), False),
        (DeadlineExceededError("m", retryable=True), True),
    ],
    ids=lambda value: f"{type(value).__name__}" if isinstance(value, Exception) else str(value),
)
def test_another_model_may_answer(error, expected):
    """A fallback model is used after a failure of the service, not after the caller's mistake."""
    assert another_model_may_answer(error) is expected


@pytest.mark.parametrize(
    ("remaining", "wait"), [(600.0, 2.0), (10.0, 2.0), (5.0, 1.0), (0.0, 0.0), (-1.0, 0.0)]
)
def test_the_wait_for_a_store_is_a_fifth_of_the_remaining_time(remaining, wait):
    """An asynchronous store gets a fifth of the remaining time, and at most 2 seconds."""
    assert store_wait(remaining) == wait
