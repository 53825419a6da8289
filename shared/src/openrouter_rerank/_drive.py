"""
Runs flows: the only difference between the synchronous and the asynchronous client.

The requests of a call that needs several are in flight together, each in a thread or a task of its
own. None of these outlives the call.
"""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from ._flow import Answer, Asking, Attempt, Failure, Flow
from ._messages import Response
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
    with ThreadPoolExecutor(min(at_once, len(askings)), "openrouter-rerank") as threads:
        parts = [
            threads.submit(contextvars.copy_context().run, _answer, asking, exchange)
            for asking in askings
        ]
        try:
            for part in as_completed(parts):
                if part.result().error is not None:
                    break
        finally:
            # What is in flight cannot be called back; it ends by the deadline at the latest.
            threads.shutdown(cancel_futures=True)
    return [part.result() for part in parts if not part.cancelled()]


def _answer(asking: Asking, exchange: Exchange) -> Answer:
    try:
        step = next(asking)
        while isinstance(step, Attempt):
            step = asking.send(exchange(step))
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
    places = asyncio.Semaphore(at_once)

    async def in_turn(asking: Asking) -> Answer:
        # A request is written when it has its turn: all of them together may be large.
        async with places:
            return await _aanswer(asking, exchange)

    parts = [asyncio.create_task(in_turn(asking)) for asking in askings]
    try:
        for part in asyncio.as_completed(parts):
            if (await part).error is not None:
                break
    finally:
        for task in parts:
            task.cancel()
        await asyncio.gather(*parts, return_exceptions=True)
    return [task.result() for task in parts if not task.cancelled()]


async def _aanswer(asking: Asking, exchange: AsyncExchange) -> Answer:
    try:
        step = next(asking)
        while isinstance(step, Attempt):
            step = asking.send(await exchange(step))
        return step
    finally:
        asking.close()
