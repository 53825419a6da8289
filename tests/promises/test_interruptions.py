"""Promise: a time limit of the caller ends a call, and is not treated as a network error."""

import asyncio
import signal
import socket
import threading
import time
from contextlib import contextmanager, suppress

import httpcore
import httpx
import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import AsyncRerankClient, Budget, OpenRouterRerankError, RerankClient
from openrouter_rerank.local.stage import Fault, error, unaccepting_address

from tests.clients import OWN_CONNECTIONS
from tests.signal_handlers import LONG, alarmed, handler_raising, needs_signals
from tests.stalling_server import stalling_server

# Seconds until the limit of the caller. If a busy machine has not begun to wait by then, the limit
# ends the call earlier, and the same must be true.
LIMIT = 0.05


pytestmark = [
    needs_signals,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.usefixtures("sockets_left_open"),
]


class TimeLimitError(Exception):
    """A limit of a task runner."""


class TimeoutException(Exception):  # noqa: N818 - the name that httpx also has
    """A limit with the name of a class of httpx."""


LIMITS = (
    *(TimeoutError, ConnectionResetError, TimeLimitError, TimeoutException),
    *(httpx.ReadTimeout, httpcore.WriteError),
)


class Limiter:
    """A rate limiter that never permits a request."""

    def acquire(self, *, blocking=True):
        """Return `False`."""
        return False

    async def aacquire(self, *, blocking=True):
        """Wait for a long time."""
        await asyncio.sleep(LONG)
        return False


class SleepingLimiter(Limiter):
    """A rate limiter that waits although it should not."""

    def acquire(self, *, blocking=True):
        """Wait for a long time."""
        time.sleep(LONG)
        return False


class Store:
    """A score store that does not respond."""

    def __init__(self, *, is_slow_to_read):
        self._is_slow_to_read = is_slow_to_read

    def mget(self, keys):
        """Return nothing, maybe after a long time."""
        if self._is_slow_to_read:
            time.sleep(LONG)
        return [None for _ in keys]

    def mset(self, items):
        """Wait for a long time."""
        time.sleep(LONG)

    async def amget(self, keys):
        """Return nothing, maybe after a long time."""
        if self._is_slow_to_read:
            await asyncio.sleep(LONG)
        return [None for _ in keys]

    async def amset(self, items):
        """Wait for a long time."""
        await asyncio.sleep(LONG)


@contextmanager
def busy_slot(stage, _):
    """The only request slot of the client is in use."""
    stage.always(Fault.hang())
    yield {}


@contextmanager
def permission(stage, _):
    """The rate limiter gives no permission."""
    yield {"rate_limiter": Limiter()}


@contextmanager
def sleeping_limiter(stage, _):
    """The rate limiter sleeps."""
    yield {"rate_limiter": SleepingLimiter()}


@contextmanager
def lookup(stage, monkeypatch):
    """The name of the host is being looked up."""
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(LONG) and [])
    yield {"base_url": "https://host.example/v1"}
    ended.set()


@contextmanager
def connecting(stage, monkeypatch):
    """The first address of the host does not accept; the second one does."""
    with unaccepting_address() as url:
        port = int(url.split(":")[2].split("/")[0])
        with socket.create_server(("127.0.0.2", port)):
            lookup = socket.getaddrinfo

            def both(host, *rest, **options):
                hosts = ("127.0.0.1", "127.0.0.2") if host == "host.example" else (host,)
                return [found for each in hosts for found in lookup(each, *rest, **options)]

            monkeypatch.setattr(socket, "getaddrinfo", both)
            yield {"base_url": f"https://host.example:{port}/v1"}


@contextmanager
def handshake(stage, _):
    """The server does not respond to the TLS handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield {"base_url": f"https://127.0.0.1:{listener.getsockname()[1]}/v1"}


@contextmanager
def sending(stage, _):
    """The server does not read the request."""
    with stalling_server("sending") as (url, _):
        yield {"base_url": url}


@contextmanager
def waiting(stage, _):
    """The server does not respond."""
    stage.always(Fault.hang())
    yield {}


@contextmanager
def reading(stage, _):
    """The server sends the body slowly."""
    stage.always(Fault.drip_body(0.05))
    yield {}


@contextmanager
def delay(stage, _):
    """The call waits before its next attempt."""
    stage.always(error(503, "down", retry_after=LONG - 5))
    yield {}


@contextmanager
def reading_scores(stage, _):
    """The score store is read."""
    yield {"score_store": Store(is_slow_to_read=True)}


@contextmanager
def writing_scores(stage, _):
    """The score store is written."""
    yield {"score_store": Store(is_slow_to_read=False)}


OWN_STEPS = (
    *(busy_slot, permission, sleeping_limiter, lookup, connecting, handshake, sending, waiting),
    *(reading, delay, reading_scores, writing_scores),
)
ASYNC_STEPS = (permission, connecting, handshake, sending, waiting, reading, delay)


def documents_for(step):
    """Return documents, whose request is too large for the buffers if they are to be sent."""
    return ["x" * 12_000_000] if step is sending else ["a", "b"]


@contextmanager
def call_in_flight(client, stage):
    """Let a thread make a call to which there is no response."""

    def call():
        with suppress(OpenRouterRerankError):
            client.rerank("held", ["a"])

    thread = threading.Thread(target=call)
    thread.start()
    try:
        stage.wait_until(lambda: stage.in_flight == 1)
        yield
    finally:
        stage.reset()
        thread.join()


def require_passed(step, kind, stage, client):
    """Require that the error of a signal handler leaves the call, and that it is the last one."""
    with handler_raising(kind) as raised, pytest.raises(kind) as caught:
        alarmed(LIMIT, lambda: client.rerank("q", documents_for(step)))

    assert caught.value is raised.pop()
    del caught
    sent = len(stage.requests)
    assert sent <= 1
    if step in {waiting, reading, delay}:
        stage.reset()
        # The only request slot is free.
        assert len(client.rerank("q", ["a", "b"], timeout=5).results) == 2


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("step", OWN_STEPS)
def test_the_error_of_a_signal_handler_ends_a_call(stage, monkeypatch, step, kind):
    """An error that a signal handler raises leaves the call unchanged, in each of its waits."""
    with step(stage, monkeypatch) as changes:
        options = {"base_url": stage.base_url, "api_key": "k", "timeout": LONG} | changes
        with RerankClient(max_concurrency=1, max_retries=2, **options) as client:
            if step is busy_slot:
                with call_in_flight(client, stage):
                    require_passed(step, kind, stage, client)
            else:
                require_passed(step, kind, stage, client)


@pytest.mark.parametrize("kind", LIMITS)
@pytest.mark.parametrize("step", [handshake, sending, waiting, reading])
def test_the_error_of_a_signal_handler_passes_an_injected_client(stage, monkeypatch, step, kind):
    """Over an injected client, an error that a signal handler raises leaves the call unchanged."""
    with step(stage, monkeypatch) as changes, httpx.Client() as injected:
        options = {"base_url": stage.base_url, "timeout": LONG, "http_client": injected} | changes
        with RerankClient(max_concurrency=1, max_retries=2, api_key="k", **options) as client:
            require_passed(step, kind, stage, client)


@pytest.mark.parametrize("handler", ["wrapped", "method", "any arguments"])
def test_handlers_of_all_forms_are_found(stage, handler):
    """A handler may be a method, be wrapped by another function, and name no arguments."""

    class Task:
        def expire(self, signum, frame):
            raise TimeoutError("expired")

    def any_arguments(*_):
        raise TimeoutError("expired")

    def wrapped(*arguments, **keywords):
        any_arguments(*arguments, **keywords)

    stage.always(Fault.hang())
    handlers = {"wrapped": wrapped, "method": Task().expire, "any arguments": any_arguments}
    before = signal.signal(signal.SIGALRM, handlers[handler])
    try:
        with (
            RerankClient(base_url=stage.base_url, api_key="k") as client,
            pytest.raises(TimeoutError, match=r"^expired$"),
        ):
            alarmed(LIMIT, lambda: client.rerank("q", ["a"]))
    finally:
        signal.signal(signal.SIGALRM, before)


class SlowNumber:
    """A number during whose conversion a signal arrives."""

    def __float__(self):
        """Receive a signal."""
        signal.raise_signal(signal.SIGALRM)
        return 1.0

    __index__ = __float__


class SlowMapping(dict):
    """A mapping during whose conversion a signal arrives."""

    def items(self):
        """Receive a signal."""
        signal.raise_signal(signal.SIGALRM)
        return super().items()


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda client: client.rerank("q", ["a"], top_n=SlowNumber()), id="argument"),
        pytest.param(lambda client: client.rerank("q", ["a"], trace=SlowMapping()), id="mapping"),
        pytest.param(lambda _: RerankClient(timeout=SlowNumber(), api_key="k"), id="option"),
        pytest.param(lambda _: Budget(SlowNumber()), id="budget"),
    ],
)
def test_the_error_of_a_signal_handler_passes_the_checks(stage, use):
    """An error that a signal handler raises while a value is checked is not about the value."""
    client = RerankClient(base_url=stage.base_url, api_key="k")

    with handler_raising(TimeoutError) as raised, pytest.raises(TimeoutError) as caught:
        use(client)

    assert caught.value is raised[0]
    assert stage.requests == []


class LazyStore(InMemoryByteStore):
    """A store whose values are read one by one, and that a signal interrupts meanwhile."""

    def mget(self, keys):
        """Yield a value for each of `keys`, and then send a signal to this process."""
        yield from map(super().mget, keys)
        signal.raise_signal(signal.SIGALRM)

    async def amget(self, keys):
        """Do the same."""
        return self.mget(keys)


@pytest.mark.parametrize("kind", [TimeoutError, KeyboardInterrupt])
@OWN_CONNECTIONS
def test_the_error_of_a_signal_handler_passes_a_lazy_score_store(make_client, stage, kind):
    """An error that a signal handler raises while a store is read is not about the store."""
    client = make_client(score_store=LazyStore())

    with handler_raising(kind) as raised, pytest.raises(kind) as caught:
        client.rerank("q", ["a"])

    assert caught.value is raised[0]
    assert stage.requests == []


def test_an_error_that_the_caller_handles_is_left_alone(stage):
    """A call that the caller makes while handling such an error fails with its own error."""
    stage.always(Fault.close())
    with RerankClient(base_url=stage.base_url, api_key="k", max_retries=0) as client:
        try:
            with handler_raising(TimeoutError):
                signal.raise_signal(signal.SIGALRM)
        except TimeoutError:
            with pytest.raises(OpenRouterRerankError, match="was lost"):
                client.rerank("q", ["a"])


@pytest.mark.parametrize("is_cancelled", [False, True], ids=["timeout", "cancelled"])
@pytest.mark.parametrize("step", ASYNC_STEPS)
async def test_a_timeout_of_the_caller_ends_an_async_call(stage, monkeypatch, step, is_cancelled):
    """An `asyncio.timeout` or a cancellation of the caller ends a call in each of its waits."""
    with step(stage, monkeypatch) as changes:
        options = {"base_url": stage.base_url, "api_key": "k", "timeout": LONG} | changes
        async with AsyncRerankClient(max_concurrency=1, max_retries=2, **options) as client:
            call = asyncio.create_task(client.rerank("q", documents_for(step)))
            if is_cancelled:
                await asyncio.sleep(LIMIT)
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await call
            else:
                with pytest.raises(TimeoutError) as caught:
                    async with asyncio.timeout(LIMIT):
                        await call
                assert not isinstance(caught.value, OpenRouterRerankError)
            assert len(stage.requests) <= 1
            if step in {waiting, reading, delay}:
                stage.reset()
                assert len((await client.rerank("q", ["a", "b"], timeout=5)).results) == 2


@pytest.mark.parametrize("kind", [TimeoutError, ConnectionResetError, TimeLimitError])
def test_the_error_of_a_signal_handler_ends_an_event_loop(stage, kind):
    """If a signal handler raises while the event loop waits, `asyncio.run` raises its error."""
    stage.always(Fault.hang())
    client = AsyncRerankClient(base_url=stage.base_url, api_key="k", timeout=LONG)

    with handler_raising(kind) as raised, pytest.raises(kind) as caught:
        alarmed(LIMIT, lambda: asyncio.run(client.rerank("q", ["a"])))

    assert caught.value is raised[0]
    assert len(stage.requests) <= 1
