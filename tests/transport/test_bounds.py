"""Attempts whose deadline passes while code runs that cannot be ended."""

import time

import httpx
import httpx2
import pytest
from openrouter_rerank.errors import DeadlineExceededError

from tests.clients import OWN, ClientKind


class BlockingLimiter:
    """A rate limiter that takes longer than the call has, and then gives permission."""

    def acquire(self, *, blocking=True):
        """Give permission after 0.2 seconds."""
        time.sleep(0.2)
        return True

    async def aacquire(self, *, blocking=True):
        """Give permission after 0.2 seconds in which the loop is blocked."""
        return self.acquire()


@OWN
def test_nothing_is_sent_after_the_deadline(make, stage):
    """If the permission of a rate limiter comes too late, the request is not sent."""
    client = make(rate_limiter=BlockingLimiter(), timeout=0.1)

    with pytest.raises(DeadlineExceededError):
        client.rerank("q", ["a"])

    assert stage.requests == []


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_piece_that_comes_after_the_deadline_ends_the_call(library):
    """If the watchdog cannot end a transport, the call ends with the next piece of the response."""

    def body():
        yield b"{"
        time.sleep(0.2)
        yield b"}"

    transport = library.MockTransport(lambda request: library.Response(200, content=body()))
    with ClientKind("sync", library) as client_kind:
        client = client_kind.client(
            http_options={"transport": transport}, api_key="k", base_url="https://gateway.example/"
        )
        with pytest.raises(DeadlineExceededError):
            client.rerank("q", ["a"], timeout=0.1)
