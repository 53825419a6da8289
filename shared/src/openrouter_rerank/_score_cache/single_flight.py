"""Lets identical calls of this process wait for the first of them, whose ranking they share."""

import asyncio
import os
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Hashable
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Generic, TypeVar

from openrouter_rerank.errors import DeadlineExceededError, OpenRouterRerankError
from openrouter_rerank.ranking import Ranking

_Lock = TypeVar("_Lock")


class Flight(Generic[_Lock]):
    """What identical calls have in common while one of them is in flight."""

    def __init__(self, lock: _Lock) -> None:
        self.lock = lock
        self.calls = 0
        self.ranking: Ranking | None = None
        """What the first of them that was answered has come to."""
        self.failure: tuple[object, float, OpenRouterRerankError] | None = None
        """Whose call has failed last, how much time it had, and why."""


class Flights:
    """
    The flights of one process.

    Calls of the same key join one flight, and one of them at a time has it to itself. It leaves
    there for the others what it has come to; if that is nothing to them, the next one tries.
    Nothing is kept once no call is left.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._threads: dict[Hashable, Flight[threading.Lock]] = {}
        self._tasks: dict[Hashable, Flight[asyncio.Lock]] = {}

    def __len__(self) -> int:
        return len(self._threads) + len(self._tasks)

    def joined(self, key: Hashable) -> AbstractContextManager[Flight[threading.Lock]]:
        """Join the flight of `key`, among all threads."""
        return self._joined(self._threads, key, threading.Lock)

    def ajoined(self, key: Hashable) -> AbstractContextManager[Flight[asyncio.Lock]]:
        """Join the flight of `key`, among all tasks of this event loop."""
        return self._joined(self._tasks, (asyncio.get_running_loop(), key), asyncio.Lock)

    @contextmanager
    def _joined(
        self, flights: dict[Hashable, Flight[_Lock]], key: Hashable, lock: Callable[[], _Lock]
    ) -> Generator[Flight[_Lock]]:
        with self._guard:
            flight = flights.setdefault(key, Flight(lock()))
            flight.calls += 1
        try:
            yield flight
        finally:
            with self._guard:
                flight.calls -= 1
                if not flight.calls:
                    del flights[key]


@contextmanager
def alone(flight: Flight[threading.Lock], deadline: float) -> Generator[None]:
    """
    Have `flight` to oneself.

    Raises:
        DeadlineExceededError: If others have it until `deadline`, by `time.monotonic`.
    """
    left = max(deadline - time.monotonic(), 0.0)
    if not flight.lock.acquire(timeout=min(left, threading.TIMEOUT_MAX)):
        raise _too_late()
    try:
        yield
    finally:
        flight.lock.release()


@asynccontextmanager
async def aalone(flight: Flight[asyncio.Lock], deadline: float) -> AsyncGenerator[None]:
    """
    Have `flight` to oneself.

    Raises:
        DeadlineExceededError: If others have it until `deadline`, by `time.monotonic`.
    """
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            await flight.lock.acquire()
    except TimeoutError:
        raise _too_late() from None
    try:
        yield
    finally:
        flight.lock.release()


def _too_late() -> DeadlineExceededError:
    return DeadlineExceededError(
        "an identical call was in flight all the time, so nothing was sent", retryable=True
    )


class _OfProcess:
    """The calls of a parent are not in flight in its forked child."""

    def __init__(self) -> None:
        self.flights = Flights()

    def renew(self) -> None:
        self.flights = Flights()


_process = _OfProcess()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_process.renew)


def flights() -> Flights:
    """Return the flights of this process."""
    return _process.flights
