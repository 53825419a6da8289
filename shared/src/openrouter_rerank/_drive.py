"""
Runs the generators of `_call/`: `drive` in threads, `adrive` in tasks.

If a call needs several requests, they are in flight together, in several threads or tasks. All of
these end before the call ends.
"""

import asyncio
import contextvars
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import replace
from typing import TypeVar

from ._attempt import Attempt, Failure, Response
from ._call.flow import CallFlow, RequestFlow, RequestOutcome
from ._tracebacks import clear_frames
from ._transport.threads import Flag, run_in_threads
from .ranking import Ranking

Exchange = Callable[[Attempt], Response | Failure]
AsyncExchange = Callable[[Attempt], Awaitable[Response | Failure]]
Outcome = TypeVar("Outcome")

logger = logging.getLogger("openrouter_rerank")


def drive(flow: CallFlow, exchange: Exchange, *, max_in_flight: int = 1) -> Ranking:
    """
    Run `flow` to its ranking.

    Args:
        flow: The decisions of the call.
        exchange: Makes one attempt.
        max_in_flight: The number of the call's requests that may be in flight together.

    Raises:
        OpenRouterRerankError: If the call fails.
    """
    try:
        step = next(flow)
        while not isinstance(step, Ranking):
            step = flow.send(_outcomes(step, exchange, max_in_flight))
        return step
    finally:
        flow.close()


async def adrive(flow: CallFlow, exchange: AsyncExchange, *, max_in_flight: int = 1) -> Ranking:
    """
    Run `flow` to its ranking.

    Args:
        flow: The decisions of the call.
        exchange: Makes one attempt.
        max_in_flight: The number of the call's requests that may be in flight together.

    Raises:
        OpenRouterRerankError: If the call fails.
    """
    try:
        step = next(flow)
        while not isinstance(step, Ranking):
            step = flow.send(await _aoutcomes(step, exchange, max_in_flight))
        return step
    finally:
        flow.close()


def _outcomes(
    requests: Sequence[RequestFlow], exchange: Exchange, max_in_flight: int
) -> list[RequestOutcome]:
    if len(requests) == 1:
        return [outcome_of(requests[0], exchange)]
    failed = Flag()
    contexts = [contextvars.copy_context() for _ in requests]
    waiting = deque(enumerate(zip(requests, contexts, strict=True)))
    outcomes: dict[int, RequestOutcome] = {}

    def work() -> None:
        while not failed.is_set:
            try:
                at, (request, context) = waiting.popleft()
            except IndexError:
                return
            outcome = context.run(_outcome_unless_failed, failed, request, exchange)
            if outcome is not None:
                outcomes[at] = outcome
                if outcome.ends_call:
                    failed.set()

    # After Ctrl-C, for example, the call has ended, so the other requests must not be sent again.
    run_in_threads(work, min(max_in_flight, len(requests)), on_error=failed.set)
    return [outcomes[at] for at in sorted(outcomes)]


def outcome_of(
    request: Generator[Attempt | Outcome, Response | Failure, None], exchange: Exchange
) -> Outcome:
    """Make the attempts that `request` yields, and return the value that it yields last."""
    try:
        step = next(request)
        while isinstance(step, Attempt):
            step = request.send(exchange(step))
        return step
    finally:
        request.close()


def _outcome_unless_failed(
    failed: Flag, request: RequestFlow, exchange: Exchange
) -> RequestOutcome | None:
    """Return `None` if `failed` is set before an attempt, because the call fails anyway."""
    try:
        step = next(request)
        while isinstance(step, Attempt):
            if failed.wait(step.delay):
                return None
            step = request.send(exchange(replace(step, delay=0.0)))
        return step
    finally:
        request.close()


async def _aoutcomes(
    requests: Sequence[RequestFlow], exchange: AsyncExchange, max_in_flight: int
) -> list[RequestOutcome]:
    if len(requests) == 1:
        return [await aoutcome_of(requests[0], exchange)]
    failed: list[RequestOutcome] = []
    slots = asyncio.Semaphore(max_in_flight)

    async def run(request: RequestFlow) -> RequestOutcome | None:
        # The body is written inside the semaphore: all bodies together may be large.
        async with slots:
            if failed:
                return None
            try:
                outcome = await aoutcome_of(request, exchange)
            except BaseException as error:
                # If the call's coroutine is closed, asyncio logs the exception of this task.
                clear_frames(error)
                raise
            if outcome.ends_call:
                failed.append(outcome)
            return outcome

    tasks = [asyncio.create_task(run(request)) for request in requests]
    await _until_all_end_or_one_fails(tasks, failed)
    outcomes = [None if task.cancelled() else task.result() for task in tasks]
    return [outcome for outcome in outcomes if outcome is not None]


async def _until_all_end_or_one_fails(
    tasks: Sequence[asyncio.Task[RequestOutcome | None]], failed: Sequence[RequestOutcome]
) -> None:
    """Wait until all `tasks` have ended or one has failed, and cancel those that are left."""
    is_closed = False
    try:
        for task in asyncio.as_completed(tasks):
            await task
            if failed:
                break
    except GeneratorExit:
        is_closed = True
        raise
    finally:
        for task in tasks:
            task.cancel()
        # A coroutine that is being closed cannot await anything.
        if not is_closed:
            await asyncio.gather(*tasks, return_exceptions=True)


async def aoutcome_of(
    request: Generator[Attempt | Outcome, Response | Failure, None], exchange: AsyncExchange
) -> Outcome:
    """Make the attempts that `request` yields, and return the value that it yields last."""
    try:
        step = next(request)
        while isinstance(step, Attempt):
            step = request.send(await exchange(step))
        return step
    finally:
        request.close()


def warn_of_mixed_scores(model: str, served: frozenset[str | None]) -> None:
    """Log that a ranking has scores of one slug under several served names."""
    names = sorted(name or "unnamed" for name in served)
    logger.warning(
        "a ranking has scores under several served names: model=%s served_models=%s; "
        "to get one name, set provider={'only': [...]}",
        model,
        ", ".join(names),
    )
