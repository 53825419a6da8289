"""Attempts whose deadline passes while the transport runs code that it cannot interrupt."""

import time

import httpx
import httpx2
import pytest
from openrouter_rerank.errors import DeadlineExceededError

from tests.clients import OWN_CONNECTIONS, ClientKind


class BlockingLimiter:
    """A rate limiter that gives permission only after the call's deadline."""

    def acquire(self, *, blocking=True):
        """Return `True` after 0.2 seconds."""
        time.sleep(0.2)
        return True

    async def aacquire(self, *, blocking=True):
        """Return `True` after blocking the event loop for 0.2 seconds."""
        return self.acquire()


@OWN_CONNECTIONS
def test_nothing_is_sent_after_the_deadline(make_client, stage):
    """If a rate limiter gives permission after the deadline, the request is not sent."""
    client = make_client(rate_limiter=BlockingLimiter(), timeout=0.1)

    with pytest.raises(DeadlineExceededError):
        client.rerank("q", ["a"])

    assert stage.requests == []


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_piece_received_after_the_deadline_ends_the_call(library):
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


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_an_error_of_ours_in_a_hook_is_not_a_failure_of_the_exchange(library):
    """An error of another call, which a hook of an injected client raises, reaches the caller."""
    error = DeadlineExceededError("another call")

    def hook(request):
        raise error

    with ClientKind("sync", library) as client_kind:
        client = client_kind.client(
            http_options={"event_hooks": {"request": [hook]}},
            api_key="k",
            base_url="https://gateway.example/",
        )
        with pytest.raises(DeadlineExceededError) as caught:
            client.rerank("q", ["a"])

    assert caught.value is error
