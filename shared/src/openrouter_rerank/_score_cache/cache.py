"""Ranks a call with the scores in the score store, and requests only the missing scores."""

import asyncio
import copy
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from openrouter_rerank._call.flow import CallFlow, Limits, call_flow
from openrouter_rerank._call.known_scores import NOTHING_KNOWN, KnownScores
from openrouter_rerank._call.plan import NO_COPIES, Call
from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank.errors import DeadlineExceededError, OpenRouterRerankError, help_note
from openrouter_rerank.models import model_for
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.score_store import ScoreStore

from .recent_names import RecentNames
from .scores import CallScores
from .single_flight import Failure, IdenticalCalls, aturn, single_flight, turn

logger = logging.getLogger("openrouter_rerank")

STORE_SHARE = 0.2
"""The part of the call's remaining time that an asynchronous score store may use."""

LONGEST_STORE_WAIT = 2.0
"""
Seconds. A read that takes longer than a request saves no time, and a write delays the ranking that
the caller waits for.
"""

_Lock = TypeVar("_Lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedCall:
    """One call of a client that has a score store."""

    call: Call
    models: tuple[str, ...]
    """The model, then the fallback models in order."""
    service: str
    """The URL that the requests go to."""
    limits: Limits
    sender: object
    """Equal for calls of one client with the same headers, which may contain another key."""

    def rest(self, scores: CallScores, known: KnownScores) -> CallFlow:
        """Return the flow that requests all scores that are not in `known`."""
        # A `top_n` would not make the requests cheaper, and a later call may need more results.
        whole = replace(self.call, positions=NO_COPIES, top_n=None, is_cached=True)
        return call_flow(whole, self.models, replace(self.limits, on_ranking=scores.record), known)

    def failure(self, error: OpenRouterRerankError) -> Failure:
        """Return what identical calls have to know of the failure of this call."""
        return self.sender, self.limits.timeout, self.limits.max_retries, error

    def result(self, ranking: Ranking) -> Ranking:
        """Return the caller's ranking, with copies and `top_n`, from that of all documents."""
        whole = self.call.positions.restored(ranking, self.call.top_n)
        return replace(whole, results=whole.results[: self.call.top_n])


class ScoreCache:
    """
    The score cache of one client.

    No failure of the store ends a call. A synchronous store runs in the caller's thread and cannot
    be interrupted there, so only the timeouts of the store's own client limit it.

    Args:
        store: The user's score store.
        ttl: Seconds after which a stored score is requested again; `None` means never.
    """

    def __init__(self, store: ScoreStore, ttl: float | None) -> None:
        self._store = store
        self._ttl = ttl
        self._recent_names = RecentNames()

    def rank(self, call: CachedCall, run: Callable[[CallFlow], Ranking]) -> Ranking:
        """
        Rank the documents of `call`, and use `run` to request the scores that are not stored.

        Raises:
            DeadlineExceededError: If the call waited for an identical one until its deadline.
            OpenRouterRerankError: If `run` raises it, or did so for an identical call.
        """
        scores = self._scores(call)
        with single_flight().join((id(self._store), scores.identity)) as group:
            with turn(group, call.limits.deadline):
                if group.ranking is not None:
                    return call.result(_without_cost(group.ranking))
                _raise_shared_failure(group, call)
                known = self._read(scores, call.limits.deadline)
                try:
                    ranking = group.ranking = (
                        scores.ranking(known)
                        if scores.are_all_in(known)
                        else run(call.rest(scores, known))
                    )
                except OpenRouterRerankError as error:
                    group.failure = call.failure(error)
                    # Some requests of the failed call may have succeeded.
                    self._write(scores)
                    raise
            # Outside the turn, so that the waiting calls do not wait for this write.
            self._write(scores)
            return call.result(ranking)

    async def arank(
        self, call: CachedCall, run: Callable[[CallFlow], Awaitable[Ranking]]
    ) -> Ranking:
        """
        Rank the documents of `call`, and use `run` to request the scores that are not stored.

        Raises:
            DeadlineExceededError: If the call waited for an identical one until its deadline.
            OpenRouterRerankError: If `run` raises it, or did so for an identical call.
        """
        scores = self._scores(call)
        with single_flight().ajoin((id(self._store), scores.identity)) as group:
            async with aturn(group, call.limits.deadline):
                if group.ranking is not None:
                    return call.result(_without_cost(group.ranking))
                _raise_shared_failure(group, call)
                known = await self._aread(scores, call.limits.deadline)
                try:
                    ranking = group.ranking = (
                        scores.ranking(known)
                        if scores.are_all_in(known)
                        else await run(call.rest(scores, known))
                    )
                except OpenRouterRerankError as error:
                    group.failure = call.failure(error)
                    # Some requests of the failed call may have succeeded.
                    await self._awrite(scores, call.limits.deadline)
                    raise
            # Outside the turn, so that the waiting calls do not wait for this write.
            await self._awrite(scores, call.limits.deadline)
            return call.result(ranking)

    def _scores(self, call: CachedCall) -> CallScores:
        return CallScores(
            call.call,
            call.models,
            call.service,
            clock=time.time,
            ttl=self._ttl,
            is_listwise=_is_listwise,
            recent_names=self._recent_names,
        )

    def _read(self, scores: CallScores, deadline: float) -> KnownScores:
        try:
            known = _checked(scores, self._store.mget(list(scores.keys)))
        except Exception as error:
            return _read_failed(error)
        if time.monotonic() >= deadline and not scores.are_all_in(known):
            logger.warning("the score store used up the whole timeout, so no request is sent")
        return known

    async def _aread(self, scores: CallScores, deadline: float) -> KnownScores:
        try:
            async with asyncio.timeout(store_wait(deadline - time.monotonic())):
                return _checked(scores, await self._store.amget(list(scores.keys)))
        except Exception as error:
            return _read_failed(error)

    def _write(self, scores: CallScores) -> None:
        try:
            if scores.to_store:
                self._store.mset(list(scores.to_store.items()))
        except Exception as error:
            _warn_not_written(error)

    async def _awrite(self, scores: CallScores, deadline: float) -> None:
        try:
            if scores.to_store:
                async with asyncio.timeout(store_wait(deadline - time.monotonic())):
                    await self._store.amset(list(scores.to_store.items()))
        except Exception as error:
            _warn_not_written(error)


def _raise_shared_failure(group: IdenticalCalls[_Lock], call: CachedCall) -> None:
    """Raise the error of the identical call that failed last, if this call shares it."""
    if group.failure is None:
        return
    sender, timeout, max_retries, error = group.failure
    # If every waiting call made its own attempts, one after the other, each would only wait longer
    # for the same error. But a call does not share the error if it may do better: another client or
    # another header may have a better key, and a call with more time or retries may succeed. An
    # error that no retry can fix may come from an option that is not part of the identity of a
    # call. And if the other call's time was up, this one may have time left.
    limits = call.limits
    if sender != call.sender or not error.retryable or isinstance(error, DeadlineExceededError):
        return
    if limits.timeout > timeout or limits.max_retries > max_retries:
        return
    shared = copy.copy(error)
    shared.attempts = 0
    vars(shared)["__notes__"] = [help_note(shared)]
    raise shared


def store_wait(left: float) -> float:
    """Return how many seconds to wait for an asynchronous store if a call has `left` seconds."""
    return min(max(left, 0.0) * STORE_SHARE, LONGEST_STORE_WAIT)


def _is_listwise(slug: str) -> bool:
    return model_for(slug).is_listwise


def _without_cost(ranking: Ranking) -> Ranking:
    """Return the ranking without its requests and attempts: an identical call counts them."""
    return replace(ranking, requests=(), attempts=0)


def _checked(scores: CallScores, values: object) -> KnownScores:
    known = scores.read(values)
    if known is None:
        logger.warning("the score store returned no list of bytes, so all scores are requested")
        return NOTHING_KNOWN
    logger.debug("rerank: documents=%d known=%d", len(scores.keys), len(known.by_position))
    return known


# The two warnings below name only the error's class: its message may quote keys, or the password
# of a database.


def _read_failed(error: Exception) -> KnownScores:
    raise_if_from_signal(error)
    logger.warning(
        "the score store failed, so all scores are requested: error=%s", type(error).__name__
    )
    return NOTHING_KNOWN


def _warn_not_written(error: Exception) -> None:
    raise_if_from_signal(error)
    logger.warning(
        "the score store failed, so scores were not stored: error=%s", type(error).__name__
    )
