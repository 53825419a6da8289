"""Ranks by the scores that a store has, and asks only for those that it has not."""

import asyncio
import copy
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from openrouter_rerank._call.flow import Flow, Limits, rerank_flow
from openrouter_rerank._call.known_scores import NOTHING_KNOWN, KnownScores
from openrouter_rerank._call.plan import NO_COPIES, Call
from openrouter_rerank.errors import DeadlineExceededError, OpenRouterRerankError
from openrouter_rerank.models import known_model
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.score_store import ScoreStore

from .scores import Memory
from .single_flight import Flight, aalone, alone, flights

logger = logging.getLogger("openrouter_rerank")

_Lock = TypeVar("_Lock")


@dataclass(frozen=True, slots=True)
class Question:
    """One call, as a client would ask it."""

    call: Call
    models: tuple[str, ...]
    service: str
    limits: Limits

    @property
    def deadline(self) -> float:
        """When the call ends, by the clock of `limits`."""
        return (self.limits.started or 0.0) + self.limits.timeout

    def rest(self, memory: Memory, known: KnownScores) -> Flow:
        """Return the flow that asks for all that is not known, best or not."""
        # Leaving the worst out would not be cheaper, and a later call may want more of them.
        whole = replace(self.call, positions=NO_COPIES, top_n=None)
        return rerank_flow(whole, self.models, replace(self.limits, heard=memory.hear), known)

    def answer(self, ranking: Ranking) -> Ranking:
        """Return of the ranking of all documents what was asked for."""
        whole = self.call.positions.restored(ranking, self.call.top_n)
        return replace(whole, results=whole.results[: self.call.top_n])


class Recall:
    """
    Ranks with a store, whatever the store does.

    A synchronous store is used in the thread of the caller, which cannot be called back from it; so
    there the timeouts of the store's own client hold.
    """

    def __init__(self, store: ScoreStore, ttl: float | None) -> None:
        self._store = store
        self._ttl = ttl

    def rank(self, question: Question, ask: Callable[[Flow], Ranking]) -> Ranking:
        """
        Answer `question`; what is not known is asked with `ask`.

        Raises:
            DeadlineExceededError: If an identical call was in flight all the time.
            OpenRouterRerankError: What `ask` raises.
        """
        memory = self._memory(question)
        with flights().joined(self._key(memory)) as flight:
            with alone(flight, question.deadline):
                if flight.ranking is not None:
                    return question.answer(_free(flight.ranking))
                self._fail_with(flight, question.limits.timeout)
                known = self._known(memory, question.deadline)
                try:
                    ranking = flight.ranking = (
                        memory.ranking(known)
                        if memory.is_all(known)
                        else ask(question.rest(memory, known))
                    )
                except OpenRouterRerankError as error:
                    flight.failure = self, question.limits.timeout, error
                    # Some of its requests may have been answered all the same.
                    self._keep(memory)
                    raise
            # The others need not wait for that.
            self._keep(memory)
            return question.answer(ranking)

    async def arank(self, question: Question, ask: Callable[[Flow], Awaitable[Ranking]]) -> Ranking:
        """
        Answer `question`; what is not known is asked with `ask`.

        Raises:
            DeadlineExceededError: If an identical call was in flight all the time.
            OpenRouterRerankError: What `ask` raises.
        """
        memory = self._memory(question)
        with flights().ajoined(self._key(memory)) as flight:
            async with aalone(flight, question.deadline):
                if flight.ranking is not None:
                    return question.answer(_free(flight.ranking))
                self._fail_with(flight, question.limits.timeout)
                known = await self._aknown(memory, question.deadline)
                try:
                    ranking = flight.ranking = (
                        memory.ranking(known)
                        if memory.is_all(known)
                        else await ask(question.rest(memory, known))
                    )
                except OpenRouterRerankError as error:
                    flight.failure = self, question.limits.timeout, error
                    # Some of its requests may have been answered all the same.
                    await self._akeep(memory, question.deadline)
                    raise
            # The others need not wait for that.
            await self._akeep(memory, question.deadline)
            return question.answer(ranking)

    def _fail_with(self, flight: Flight[_Lock], timeout: float) -> None:
        """Raise what an identical call of this client has failed with while this one waited."""
        if flight.failure is None:
            return
        whose, theirs, error = flight.failure
        # Each with its retries, the others would only wait longer, one behind the other. Another
        # client may have a better key, a call with more time may wait for another retry, and what
        # no retry cures may be in what identical calls need not have in common.
        if whose is not self or timeout > theirs or not error.retryable:
            return
        if not isinstance(error, DeadlineExceededError):
            shared = copy.copy(error)
            shared.attempts = 0
            vars(shared).pop("__notes__", None)
            raise shared

    def _memory(self, question: Question) -> Memory:
        return Memory(
            question.call,
            question.models,
            question.service,
            clock=time.time,
            ttl=self._ttl,
            is_listwise=_is_listwise,
        )

    def _key(self, memory: Memory) -> object:
        return (id(self._store), memory.identity)

    def _known(self, memory: Memory, deadline: float) -> KnownScores:
        try:
            answer = self._store.mget(list(memory.keys))
        except Exception as error:
            return _unread(error)
        known = _read(memory, answer)
        if time.monotonic() >= deadline and not memory.is_all(known):
            logger.warning("the score store has taken all the time of the call: nothing is asked")
        return known

    async def _aknown(self, memory: Memory, deadline: float) -> KnownScores:
        try:
            async with asyncio.timeout(store_wait(deadline - time.monotonic())):
                answer = await self._store.amget(list(memory.keys))
        except Exception as error:
            return _unread(error)
        return _read(memory, answer)

    def _keep(self, memory: Memory) -> None:
        try:
            if memory.heard:
                self._store.mset(list(memory.heard.items()))
        except Exception as error:
            _warn_unkept(error)

    async def _akeep(self, memory: Memory, deadline: float) -> None:
        try:
            if memory.heard:
                async with asyncio.timeout(store_wait(deadline - time.monotonic())):
                    await self._store.amset(list(memory.heard.items()))
        except Exception as error:
            _warn_unkept(error)


def _is_listwise(slug: str) -> bool:
    model = known_model(slug)
    return model is not None and model.is_listwise


def _free(ranking: Ranking) -> Ranking:
    """Return a ranking that another call has paid for."""
    return replace(ranking, requests=(), attempts=0)


def _read(memory: Memory, answer: object) -> KnownScores:
    known = memory.recalled(answer)
    if known is None:
        logger.warning("the score store returned no list of bytes, so all scores are asked for")
        return NOTHING_KNOWN
    logger.debug("rerank: documents=%d known=%d", len(memory.keys), len(known.of))
    return known


# By its class alone: its message may quote keys, or the password of a database.
def _unread(error: Exception) -> KnownScores:
    logger.warning("the score store failed, so all scores are asked for: %s", type(error).__name__)
    return NOTHING_KNOWN


def _warn_unkept(error: Exception) -> None:
    logger.warning("the score store failed, so scores were not kept: %s", type(error).__name__)


STORE_SHARE = 0.2
"""The part of the time left that is waited for an asynchronous score store."""


LONGEST_STORE_WAIT = 2.0
"""
Seconds. Reading from a store that takes longer than the service itself is of no use, and nobody who
waits for documents wants to wait longer until their scores are kept.
"""


def store_wait(left: float) -> float:
    """Tell how many seconds to wait for an asynchronous score store, of `left` that are left."""
    return min(max(left, 0.0) * STORE_SHARE, LONGEST_STORE_WAIT)
