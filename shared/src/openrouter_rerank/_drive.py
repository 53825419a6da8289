"""
Runs flows: the only difference between the synchronous and the asynchronous client.

The requests of a call that needs several are in flight together, each in a thread or a task of its
own. None of these outlives the call.
"""

import asyncio
import contextvars
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ._attempt import Attempt, Failure, Response
from ._call.flow import Answer, Asking, Flow
from .ranking import Ranking

Exchange = Callable[[Attempt], Response | Failure]
AsyncExchange = Callable[[Attempt], Awaitable[Response | Failure]]


def drive(flow: Flow, exchange: Exchange, *, at_once: int = 1) -> Ranking:
    """Ask what `flow` wants to be asked, at most so much at a time, until it has a ranking."""
    try:
        step = next(flow)
        while not isinstance(step, Ranking):
            step = flow.send(_answers(step, exchange, at_once))
        return step
    finally:
        flow.close()


def _answers(askings: Sequence[Asking], exchange: Exchange, at_once: int) -> list[Answer]:
    if len(askings) == 1:
        return [_answer(askings[0], exchange)]
    failed = threading.Event()

    def in_turn(asking: Asking, context: contextvars.Context) -> Answer | None:
        answer = None if failed.is_set() else context.run(_answer_unless, failed, asking, exchange)
        if answer is not None and answer.error is not None:
            failed.set()
        return answer

    contexts = [contextvars.copy_context() for _ in askings]
    # Requests in flight cannot be called back: they end by the deadline at the latest.
    with ThreadPoolExecutor(min(at_once, len(askings)), "openrouter-rerank") as threads:
        try:
            answers = threads.map(in_turn, askings, contexts)
            return [answer for answer in answers if answer is not None]
        except BaseException:
            # Such as Ctrl-C: nobody waits for the others any more.
            failed.set()
            raise


def _answer(asking: Asking, exchange: Exchange) -> Answer:
    try:
        step = next(asking)
        while isinstance(step, Attempt):
            step = asking.send(exchange(step))
        return step
    finally:
        asking.close()


def _answer_unless(failed: threading.Event, asking: Asking, exchange: Exchange) -> Answer | None:
    """Do the same as long as no other request of the call has failed: nothing would come of it."""
    try:
        step = next(asking)
        while isinstance(step, Attempt):
            if failed.wait(step.delay):
                return None
            step = asking.send(exchange(replace(step, delay=0.0)))
        return step
    finally:
        asking.close()


async def adrive(flow: Flow, exchange: AsyncExchange, *, at_once: int = 1) -> Ranking:
    """Ask what `flow` wants to be asked, at most so much at a time, until it has a ranking."""
    try:
        step = next(flow)
        while not isinstance(step, Ranking):
            step = flow.send(await _aanswers(step, exchange, at_once))
        return step
    finally:
        flow.close()


async def _aanswers(
    askings: Sequence[Asking], exchange: AsyncExchange, at_once: int
) -> list[Answer]:
    if len(askings) == 1:
        return [await _aanswer(askings[0], exchange)]
    failed: list[Answer] = []
    places = asyncio.Semaphore(at_once)

    async def in_turn(asking: Asking) -> Answer | None:
        # A request is written when it has its turn: all of them together may be large.
        async with places:
            if failed:
                return None
            answer = await _aanswer(asking, exchange)
            if answer.error is not None:
                failed.append(answer)
            return answer

    parts = [asyncio.create_task(in_turn(asking)) for asking in askings]
    await _ended(parts, failed)
    answers = [None if task.cancelled() else task.result() for task in parts]
    return [answer for answer in answers if answer is not None]


async def _ended(parts: Sequence[asyncio.Task[Answer | None]], failed: Sequence[Answer]) -> None:
    """Wait until all have ended or one has failed; leave none behind."""
    is_closed = False
    try:
        for part in asyncio.as_completed(parts):
            await part
            if failed:
                break
    except GeneratorExit:
        is_closed = True
        raise
    finally:
        for task in parts:
            task.cancel()
        # In a coroutine that is closed nothing can be waited for any more.
        if not is_closed:
            await asyncio.gather(*parts, return_exceptions=True)


async def _aanswer(asking: Asking, exchange: AsyncExchange) -> Answer:
    try:
        step = next(asking)
        while isinstance(step, Attempt):
            step = asking.send(await exchange(step))
        return step
    finally:
        asking.close()
