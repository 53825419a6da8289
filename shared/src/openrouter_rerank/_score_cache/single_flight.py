"""
Single flight: identical calls of a process wait for the first of them, and share its ranking.

The calls with one key are a group. One of them at a time has its turn; the others wait, each until
its own deadline. The call that has its turn leaves its ranking or its error in the group. If the
next call cannot use it, the next call makes its own requests.
"""

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Generator, Hashable, MutableMapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Generic, TypeAlias, TypeVar
from weakref import WeakValueDictionary, ref

from openrouter_rerank._forks import PerProcess
from openrouter_rerank._transport.fair_semaphore import FairSemaphore, Holder
from openrouter_rerank.errors import DeadlineExceededError, OpenRouterRerankError
from openrouter_rerank.ranking import Ranking

_Lock = TypeVar("_Lock")

Failure: TypeAlias = tuple[object, float, int, OpenRouterRerankError]
"""The sender of a call that failed, its `timeout`, its `max_retries`, and its error."""


class IdenticalCalls(Generic[_Lock]):
    """The identical calls that run at one time, and the result that they share."""

    def __init__(self, lock: _Lock) -> None:
        self.lock = lock
        """Held by the call that has its turn."""
        self.calls: set[ref[Holder]] = set()
        """The calls that have joined and not yet left."""
        self.ranking: Ranking | None = None
        """The ranking of the first call that succeeded."""
        self.failure: Failure | None = None
        """The failure of the call that failed last."""

    @property
    def is_over(self) -> bool:
        """`True` if no call is left. One that a signal handler has ended may not have left."""
        return all(call() is None for call in self.calls)


class SingleFlight:
    """
    The groups of a process.

    Threads share one group per key. Tasks share one group per key and event loop. A group is
    removed when its last call leaves, so nothing stays in memory.
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        # Weak, so that nothing stays in memory of a call that a signal handler has ended, or whose
        # event loop was dropped.
        self._threads = WeakValueDictionary[Hashable, IdenticalCalls[FairSemaphore]]()
        self._tasks = WeakValueDictionary[Hashable, IdenticalCalls[asyncio.Lock]]()

    def __len__(self) -> int:
        in_threads = sum(not group.is_over for group in self._threads.values())
        return in_threads + sum(not group.is_over for group in self._tasks.values())

    def join(self, key: Hashable) -> AbstractContextManager[IdenticalCalls[FairSemaphore]]:
        """Join the group of `key`, which all threads share."""
        return self._join(self._threads, key, lambda: FairSemaphore(1))

    def ajoin(self, key: Hashable) -> AbstractContextManager[IdenticalCalls[asyncio.Lock]]:
        """Join the group of `key`, which all tasks of the running event loop share."""
        return self._join(self._tasks, (ref(asyncio.get_running_loop()), key), asyncio.Lock)

    @contextmanager
    def _join(
        self,
        groups: MutableMapping[Hashable, IdenticalCalls[_Lock]],
        key: Hashable,
        lock: Callable[[], _Lock],
    ) -> Generator[IdenticalCalls[_Lock]]:
        call = Holder()
        with self._guard:
            group = groups.get(key)
            if group is None or group.is_over:
                group = IdenticalCalls(lock())
            group.calls.add(ref(call))
            groups[key] = group
        try:
            yield group
        finally:
            with self._guard:
                group.calls.discard(ref(call))
                if group.is_over:
                    groups.pop(key, None)


@contextmanager
def turn(group: IdenticalCalls[FairSemaphore], deadline: float) -> Generator[None]:
    """
    Wait for this call's turn in `group`, and keep the turn until the `with` block ends.

    Args:
        group: The group that the call has joined.
        deadline: How long to wait, by `time.monotonic`.

    Raises:
        DeadlineExceededError: If other calls kept the turn until `deadline`.
    """
    left = max(deadline - time.monotonic(), 0.0)
    holder = Holder()
    try:
        if not group.lock.acquire(holder, left):
            raise _too_late(left)
        yield
    finally:
        group.lock.release(holder)


@asynccontextmanager
async def aturn(group: IdenticalCalls[asyncio.Lock], deadline: float) -> AsyncGenerator[None]:
    """
    Wait for this call's turn in `group`, and keep the turn until the `async with` block ends.

    Args:
        group: The group that the call has joined.
        deadline: How long to wait, by `time.monotonic`.

    Raises:
        DeadlineExceededError: If other calls kept the turn until `deadline`.
    """
    left = max(deadline - time.monotonic(), 0.0)
    try:
        async with asyncio.timeout(left):
            await group.lock.acquire()
    except TimeoutError:
        raise _too_late(left) from None
    try:
        yield
    finally:
        group.lock.release()


def _too_late(waited: float) -> DeadlineExceededError:
    return DeadlineExceededError(
        f"waited {waited:.1f} s for an identical call in flight, and nothing was sent. Raise "
        "timeout.",
        retryable=True,
    )


# The parent's calls do not run in a forked child: waiting for them would not end.
_single_flight = PerProcess(SingleFlight)


def single_flight() -> SingleFlight:
    """Return the single flight of this process."""
    return _single_flight.value
