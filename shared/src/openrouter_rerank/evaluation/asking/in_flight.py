"""Does jobs, several of them in flight together, and stops them cleanly."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import TypeAlias

from openrouter_rerank.rate_limiter import RateLimiter

Job: TypeAlias = Callable[[], Awaitable[object]]

GRACE = 5.0
"""Seconds that calls in flight may take to end after an interruption."""


class InFlight:
    """
    Does jobs until all are done, one of them raises an exception, or `stop` is set.

    Args:
        stop: If it is set, no more jobs begin, and those in flight have 5 seconds to end.
    """

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop
        self._is_over = False
        self._waiting: set[asyncio.Task[None]] = set()

    @property
    def was_stopped(self) -> bool:
        """Return `True` if `stop` is set."""
        return self._stop.is_set()

    @property
    def has_ended(self) -> bool:
        """Return `True` if no more jobs may begin."""
        return self._is_over or self.was_stopped

    def end(self) -> None:
        """Let no more jobs begin. Those in flight go on."""
        self._is_over = True

    async def run(self, jobs: Sequence[Job], workers: int) -> None:
        """
        Do `jobs`, of which at most `workers` are in flight together.

        An exception of a job is raised when the others in flight have ended.
        """
        waiting = iter(jobs)
        tasks = [asyncio.create_task(self._work(waiting)) for _ in range(min(workers, len(jobs)))]
        try:
            await self._until_ended(tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in tasks:
            if not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def wait_for_permission(self, limiter: RateLimiter | None) -> None:
        """Wait for a rate limiter. The wait may take a minute, so it ends when `stop` is set."""
        task = asyncio.current_task()
        if limiter is None or task is None:
            return
        self._waiting.add(task)
        try:
            await limiter.aacquire()
        finally:
            self._waiting.discard(task)

    async def _until_ended(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        stopped = asyncio.create_task(self._until_stopped())
        try:
            pending = {*tasks}
            while pending and not stopped.done():
                await asyncio.wait({*pending, stopped}, return_when=asyncio.FIRST_COMPLETED)
                pending = {task for task in tasks if not task.done()}
            for task in self._waiting:
                task.cancel()
            if pending:
                await asyncio.wait(pending, timeout=GRACE)
        finally:
            stopped.cancel()

    async def _until_stopped(self) -> None:
        await self._stop.wait()

    async def _work(self, jobs: Iterator[Job]) -> None:
        try:
            for job in jobs:
                if self.has_ended:
                    return
                await job()
        except BaseException:
            # The other calls in flight are kept, and no more are sent.
            self._is_over = True
            raise
