"""Runs a coroutine in a thread with its own event loop, and lets Ctrl-C stop it cleanly."""

import asyncio
import contextvars
import functools
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Generic, TypeVar

from openrouter_rerank._transport.threads import Flag

_Result = TypeVar("_Result")

# Seconds. On Windows, a signal is noticed only when a wait ends.
_LOOK_AGAIN = 0.5


def run_in_own_loop(work: Callable[[asyncio.Event], Coroutine[None, None, _Result]]) -> _Result:
    """
    Return the result of `work`. Unlike `asyncio.run`, this works while an event loop is running.

    Args:
        work: Gets an event that Ctrl-C sets, and should then end soon and return what it has. A
            second Ctrl-C cancels it.

    Raises:
        KeyboardInterrupt: At the second Ctrl-C, or at one before the work has begun.
    """
    thread = _LoopThread(work)
    try:
        try:
            thread.start()
            thread.wait()
        except KeyboardInterrupt:
            if thread.gives_up():
                raise
            thread.stop()
            thread.wait()
    except BaseException:
        thread.cancel()
        raise
    return thread.result()


class _LoopThread(Generic[_Result]):
    def __init__(self, work: Callable[[asyncio.Event], Coroutine[None, None, _Result]]) -> None:
        self._work = work
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._permissions = deque([None])
        """One permission to run, which only one thread can take."""
        self._tasks: list[asyncio.Task[_Result]] = []
        self._ended = Flag()
        self._results: list[_Result] = []
        self._errors: list[BaseException] = []

    def start(self) -> None:
        """Start the thread."""
        run = functools.partial(contextvars.copy_context().run, self._run)
        # A daemon, so that the interpreter does not wait for it after a second Ctrl-C.
        threading.Thread(target=run, name="openrouter-evaluation", daemon=True).start()

    def gives_up(self) -> bool:
        """Return `True` if the work has not begun. Then it never begins."""
        # Ctrl-C may come while the thread is started: then it may begin later, or never.
        if not self._may_run():
            return False
        self._loop.close()
        return True

    def wait(self) -> None:
        """Wait until the work has ended."""
        while not self._ended.wait(_LOOK_AGAIN):
            pass

    def stop(self) -> None:
        """Ask the work to end."""
        self._call(self._stop.set)

    def cancel(self) -> None:
        """Cancel the work."""
        self._call(self._cancel)

    def result(self) -> _Result:
        """Return the result of the work, or raise its error."""
        if self._errors:
            raise self._errors[0]
        return self._results[0]

    def _call(self, function: Callable[[], None]) -> None:
        # The loop is closed if the work has ended.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    def _cancel(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _may_run(self) -> bool:
        try:
            self._permissions.pop()
        except IndexError:
            return False
        return True

    def _run(self) -> None:
        if not self._may_run():
            return
        try:
            with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
                self._results.append(runner.run(self._main()))
        except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
            self._errors.append(error)
        finally:
            self._ended.set()

    async def _main(self) -> _Result:
        task = asyncio.ensure_future(self._work(self._stop))
        self._tasks.append(task)
        return await task
