"""
Threads for what would block an event loop, and for requests of a synchronous call.

They are not those of the loop's default executor. A lookup of a name that hangs would occupy them:
the application's own work would wait, and so would the end of `asyncio.run`. And work of the
application could keep a call waiting past its deadline. Our threads are daemons: the interpreter
does not wait for them when it exits.
"""

import asyncio
import contextvars
import functools
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar

from openrouter_rerank._forks import PerProcess
from openrouter_rerank._tracebacks import raise_if_from_signal

from .loops import running_loop

# As in asyncio's default executor.
_MOST_WORKERS = min(32, (os.cpu_count() or 1) + 4)

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")


def start_thread(work: Callable[[], object], name: str) -> threading.Thread | None:
    """Run `work` in a new daemon thread; return `None` if the system starts none."""
    try:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
    except (RuntimeError, KeyError) as error:
        # The limit of threads is reached, or the interpreter exits. A `KeyError` is what
        # `Thread.start` raises if a signal handler interrupts it.
        raise_if_from_signal(error)
        return None
    return thread


class Workers:
    """Up to `most` threads for one kind of work; each of them ends when no work is left."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque()
        self._threads = 0

    def submit(self, work: Callable[[], _Result]) -> "Future[_Result] | None":
        """Let a thread do `work`; return `None` if there is no thread that could."""
        future = Future[_Result]()
        with self._lock:
            self._waiting.append(functools.partial(_do, work, future))
            if self._threads < self._most:
                self._threads += 1
                if start_thread(self._run, "openrouter-rerank") is None:
                    self._threads -= 1
            if not self._threads:
                self._waiting.pop()
                return None
        return future

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._threads -= 1
                    return
                work = self._waiting.popleft()
            work()
            # The result may be large, and the thread may wait for the lock.
            del work


def _do(work: Callable[[], _Result], future: "Future[_Result]") -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except StopIteration as error:
        # A future of asyncio refuses it.
        future.set_exception(RuntimeError(f"{type(error).__name__} was raised in a thread"))
    except BaseException as error:  # noqa: BLE001 - the future raises it again
        future.set_exception(error)
    else:
        future.set_result(result)


_workers = PerProcess(functools.partial(Workers, _MOST_WORKERS))


async def in_thread(
    work: Callable[_Arguments, _Result], *arguments: _Arguments.args, **keywords: _Arguments.kwargs
) -> _Result:
    """Return the result of `work`, done in a thread, or in the event loop if none can start."""
    context = contextvars.copy_context()

    def run() -> _Result:
        return context.run(work, *arguments, **keywords)

    loop = running_loop()
    future = _workers.value.submit(run)
    return run() if future is None else await asyncio.wrap_future(future, loop=loop)


class Flag:
    """
    A flag that a thread sets for others, which may wait for it.

    It is no `threading.Event`, because a signal handler that raises in its methods can leave its
    lock locked, and then the next thread to set it waits without end.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._unset = threading.Lock()
        self._unset.acquire()

    def set(self) -> None:
        """Set the flag, and let a thread that waits continue."""
        self.is_set = True
        # Two threads may set it.
        with suppress(RuntimeError):
            self._unset.release()

    def wait(self, seconds: float) -> bool:
        """Return whether the flag is set, or is set within `seconds`."""
        if seconds > 0 and self._unset.acquire(timeout=seconds):
            # The next thread that waits continues, too.
            self.set()
        return self.is_set


# Seconds after which a thread looks again, if an interruption took the message that ends its wait.
_LOOK_AGAIN = 0.5


def run_in_threads(work: Callable[[], None], count: int, *, on_error: Callable[[], None]) -> None:
    """
    Run `work` in this thread and in others, and return when all have ended.

    A signal handler may raise at any step. The other threads have no lock that this thread holds,
    so they still end.

    Args:
        work: Run `count` times together, or less often if the system starts fewer threads.
        count: The number of threads, with this one.
        on_error: Called as soon as one of them fails or is interrupted.
    """
    begun, ended, errors = list[None](), list[None](), list[BaseException]()
    end, messages = Flag(), SimpleQueue[None]()

    def run() -> None:
        begun.append(None)
        try:
            # A thread may begin late. An interrupted `Thread.start` may leave one that never does.
            if not end.is_set:
                work()
        except BaseException as error:  # noqa: BLE001 - raised again in the thread of the call
            errors.append(error)
            on_error()
        finally:
            ended.append(None)
            messages.put(None)

    try:
        for _ in range(count - 1):
            if start_thread(run, "openrouter-rerank") is None:
                break
        work()
    except BaseException:
        on_error()
        raise
    finally:
        end.set()
        _wait_for_others(begun, ended, messages)
    if errors:
        raise errors.pop(0)


def _wait_for_others(
    begun: Sequence[None], ended: Sequence[None], messages: SimpleQueue[None]
) -> None:
    # A thread cannot be interrupted: what it does ends at the call's deadline at the latest.
    while len(ended) < len(begun):
        with suppress(Empty):
            messages.get(timeout=_LOOK_AGAIN)
