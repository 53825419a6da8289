"""Attempts whose deadline passes while other code runs, and the reasons of failures."""

import asyncio
import time
from pathlib import Path

import httpx
import httpx2
import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank._attempt import Attempt, FailureKind, Request, Step
from openrouter_rerank._transport.bounds import Bounds, ResponseBuilder
from openrouter_rerank._wire.request import RequestBody
from openrouter_rerank.errors import APIConnectionError, DeadlineExceededError
from openrouter_rerank.local.stage import Fault

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


async def respond_and_close(connection, reply):
    """Send the response after `Stage.release`, and close the connection."""
    await connection.wait(None)
    await connection.send_reply(reply)
    await connection.close()


async def test_nothing_is_sent_after_the_event_loop_was_blocked(stage):
    """If other code blocks the event loop until the deadline, the request is not sent."""
    stage.script(Fault(name="closes", act=respond_and_close))
    async with AsyncRerankClient(base_url=stage.base_url, api_key="k") as client:
        # Two idle connections. The server has closed the one that the next call tries first.
        first = asyncio.create_task(client.rerank("q", ["a"]))
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 1)
        await client.rerank("q", ["a"])
        stage.release()
        await first
        await asyncio.to_thread(stage.wait_until, lambda: stage.open_connections == 1)

        async def block():
            time.sleep(0.3)  # noqa: ASYNC251 - what other code must not do

        # The call lets other code run when it closes that connection.
        call = client.rerank("q", ["a"], timeout=0.2)
        error, _ = await asyncio.gather(call, block(), return_exceptions=True)
    # By then, the service has recorded what was sent.
    await asyncio.to_thread(stage.wait_until, lambda: stage.open_connections == 0)

    assert isinstance(error, DeadlineExceededError)
    assert len(stage.requests) == 2


@OWN_CONNECTIONS
def test_an_error_that_the_caller_handles_is_not_the_reason(make_client, stage):
    """The reason for a lost connection is not an error that the caller was handling before."""
    stage.always(Fault.close())
    client = make_client(max_retries=0)

    try:
        Path("no such file").stat()
    except FileNotFoundError:
        with pytest.raises(APIConnectionError, match="was lost: the server closed it") as caught:
            client.rerank("q", ["a"])

    assert caught.value.__cause__ is None


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


@pytest.mark.parametrize(
    ("waited", "left", "kind"),
    [
        pytest.param(5.0, 0.05, FailureKind.BUSY, id="long wait, little time"),
        pytest.param(5.0, 30.0, None, id="long wait, much time"),
        pytest.param(0.0, 0.05, None, id="no wait, little time"),
        pytest.param(5.0, 0.0, FailureKind.BUSY, id="no time"),
    ],
)
def test_an_attempt_that_waited_for_its_slot_needs_time_for_a_response(waited, left, kind):
    """After a wait for a request slot, nothing is sent if less than a tenth of a second is left."""
    bounds = Bounds(time.monotonic() - waited, waited + left, "", str)
    failure = None

    try:
        bounds.go_on_to(Step.CONNECTION)
    except Exception as error:  # noqa: BLE001 - the class is private
        failure = bounds.failure(error)

    assert (failure and failure.kind) == kind


@pytest.mark.parametrize(
    ("size", "timeout", "is_late"),
    [
        pytest.param(20_000_000, 0.3, True, id="large, close to the deadline"),
        pytest.param(20_000_000, 3600, False, id="large, long before the deadline"),
        pytest.param(2_000, 3600, False, id="small"),
        pytest.param(2_000, 0, True, id="small, at the deadline"),
    ],
)
def test_a_large_response_must_come_early_enough_to_be_decoded(size, timeout, is_late):
    """A response that could not be decoded by the deadline is late before the deadline."""
    request = Request(body=RequestBody(b"{}", ["x" * size]), model="m", documents=1, results=1)
    bounds = Bounds(time.monotonic(), timeout, "https://gateway.example/", str)
    builder = ResponseBuilder(Attempt(request=request, timeout=timeout), bounds)
    builder.begin(200, {})

    try:
        builder.add(b"x" * size)
    except Exception as error:  # noqa: BLE001 - `failure` raises what it does not know
        failure = bounds.failure(error)
        assert is_late
        assert failure.kind is FailureKind.DEADLINE
    else:
        assert not is_late
        assert len(builder.build().body) == size
