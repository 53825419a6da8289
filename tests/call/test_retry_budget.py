"""The token bucket that limits retries to a small part of all requests."""

import threading

import pytest
from openrouter_rerank._call.retry_budget import TokenBucket


def test_fifty_retries_are_allowed_without_a_success():
    """Without a success, exactly 50 retries are allowed."""
    bucket = TokenBucket()

    assert [bucket.spend() for _ in range(60)] == [True] * 50 + [False] * 10
    assert bucket.tokens == 0


def test_five_successes_earn_a_retry():
    """A success earns a fifth of a token."""
    bucket = TokenBucket()
    while bucket.spend():
        pass

    for _ in range(4):
        bucket.earn()
    assert not bucket.spend()
    bucket.earn()

    assert bucket.tokens == pytest.approx(1)
    assert bucket.spend()


def test_the_bucket_never_exceeds_50_tokens():
    """The bucket has at most 50 tokens, however many requests succeed."""
    bucket = TokenBucket()

    for _ in range(1000):
        bucket.earn()

    assert bucket.tokens == 50


def test_threads_never_spend_more_tokens_than_there_are():
    """Ten threads together spend no more tokens than exist, and always see 0 to 50 tokens."""
    bucket = TokenBucket()
    seen, spent = [], []
    start = threading.Barrier(10)

    def spend_and_earn():
        start.wait()
        for number in range(2000):
            if bucket.spend():
                spent.append(1)
            if number % 4 == 0:
                bucket.earn()
            seen.append(bucket.tokens)

    threads = [threading.Thread(target=spend_and_earn) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 0 <= min(seen) <= max(seen) <= 50
    assert len(spent) <= 50 + 10 * 500 * 0.2
    assert len(spent) + bucket.tokens == pytest.approx(50 + 10 * 500 * 0.2, abs=1)
