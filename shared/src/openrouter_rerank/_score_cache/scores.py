"""
The scores of one call, and how a score store keeps them: keys, values, and their age. Pure.

A key is a digest of everything that a score depends on. A value contains a score, its time and the
name of the model that gave it, and up to three older scores under other names. Neither contains the
query or a document.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Literal, TypeGuard

from pydantic import Field, TypeAdapter, ValidationError

from openrouter_rerank._call.known_scores import (
    NOTHING_KNOWN,
    KnownScores,
    usable_scores,
    with_known_scores,
)
from openrouter_rerank._call.plan import Call
from openrouter_rerank.documents import Ranked, is_headed, joined_text
from openrouter_rerank.ranking import Ranking

from .recent_names import RecentNames

_VERSION: Literal[2] = 2
"""The format of keys and values. Scores that another version has written are not found."""
_NOT_IN_KEYS = frozenset({"user", "trace"})
"""Fields of a request that no score depends on."""
_MOST_NAMES = 4
"""The number of scores in a value, each under another served name."""
_LONGEST_VALUE = 16_384
"""Bytes. The values that are written here have one to four hundred, unless names are very long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScore:
    """One score of a document."""

    model: str | None
    """The provider's name of the model."""
    time: Annotated[float, Field(allow_inf_nan=False)]
    """When it was received, in seconds since the epoch."""
    score: Annotated[float, Field(allow_inf_nan=False)]


class CallScores:
    """
    The scores of one call: which keys to read, and which values to write.

    Args:
        call: The call.
        models: The models in the order in which they are tried. Only scores of the first are read.
        service: The URL that the requests go to.
        clock: Returns the time of day, in seconds since the epoch.
        ttl: Seconds after which a stored score is too old; `None` means never.
        is_listwise: Returns `True` for a model whose scores depend on the other documents too.
        recent_names: The served names of the client's latest responses.
    """

    def __init__(
        self,
        call: Call,
        models: tuple[str, ...],
        service: str,
        *,
        clock: Callable[[], float],
        ttl: float | None,
        is_listwise: Callable[[str], bool],
        recent_names: RecentNames,
    ) -> None:
        self.keys = score_keys(call, models[0], service, is_listwise=is_listwise(models[0]))
        """The keys to read: one per document, in their order."""
        self.identity = (models, self.keys)
        """Equal for identical calls."""
        self.to_store: dict[str, bytes] = {}
        """The values to write, by key."""
        self._model = models[0]
        self._service = service
        self._clock = clock
        self._ttl = ttl
        self._is_listwise = is_listwise
        self._recent_names = recent_names
        self._keys = dict(zip(call.documents, self.keys, strict=True))
        self._stored: dict[str, tuple[StoredScore, ...]] = {}
        self._settings = _canonical(_scored_fields(call))

    def read(self, values: object) -> KnownScores | None:
        """Return the scores in what a store has returned for `keys`; `None` if it is invalid."""
        checked = checked_values(values, len(self.keys))
        if checked is None:
            return None
        stored = [*map(stored_scores, checked)]
        self._stored = dict(zip(self.keys, stored, strict=True))
        known = self._usable(stored)
        if self._is_listwise(self._model) and not self.are_all_in(known):
            # If the missing documents were sent alone, they would get other scores.
            return NOTHING_KNOWN
        return known

    def _usable(self, stored: Sequence[Sequence[StoredScore]]) -> KnownScores:
        by_name, names = scores_by_name(stored, now=self._clock(), ttl=self._ttl)
        route = self._route(self._model)
        if not self._recent_names.of(route):
            # Other clients have stored these, and maybe seen several providers in turn.
            self._recent_names.add(route, names)
        return usable_scores(by_name, len(self.keys), self._recent_names.of(route))

    def _route(self, model: str) -> tuple[str, ...]:
        # A client's calls may name different providers.
        return (self._service, model, self._settings)

    def are_all_in(self, known: KnownScores) -> bool:
        """Return `True` if no score has to be requested."""
        return len(known.by_position) == len(self.keys)

    def ranking(self, known: KnownScores) -> Ranking:
        """Return the ranking for `known`, which has all scores."""
        return with_known_scores(
            Ranking(results=(), model=self._model, requests=()), (), known.by_position
        )

    def record(self, part: Call, ranking: Ranking) -> None:
        """Add the scores of `ranking` to `to_store`: any of the models may have ranked `part`."""
        if ranking.model == self._model:
            keys = [self._keys[document] for document in part.documents]
        else:
            is_listwise = self._is_listwise(ranking.model)
            keys = [*score_keys(part, ranking.model, self._service, is_listwise=is_listwise)]
        now = self._clock()
        for result in ranking.results:
            key = keys[result.index]
            new = StoredScore(model=ranking.served_model, time=now, score=result.relevance_score)
            # Scores under other names that were read stay in the value.
            self._stored[key] = scores = with_score(self._stored.get(key, ()), new)
            self.to_store[key] = score_value(scores)
        self._recent_names.add(self._route(ranking.model), [ranking.served_model])


def score_keys(
    call: Call, model: str, service: str, *, is_listwise: bool = False
) -> tuple[str, ...]:
    """
    Return the key of each document's score, made of letters, digits and `-`.

    Args:
        call: The call.
        model: The slug of the model.
        service: The URL that the request goes to. The same slug at another URL is another model.
        is_listwise: Whether a score of the model depends on the other documents too.
    """
    shared = hashlib.blake2b(digest_size=32)
    for text in (str(_VERSION), service, model, _canonical(_scored_fields(call)), call.query):
        _add(shared, text)
    if is_listwise:
        for document in call.documents:
            _add_document(shared, document)
    keys: list[str] = []
    for document in call.documents:
        digest = shared.copy()
        _add_document(digest, document)
        keys.append(f"openrouter-rerank-{digest.hexdigest()}")
    return tuple(keys)


def _scored_fields(call: Call) -> dict[str, object]:
    """Return the fields of the body that the user has added and that a score may depend on."""
    return {name: value for name, value in call.extra.items() if name not in _NOT_IN_KEYS}


def _canonical(extra: Mapping[str, object]) -> str:
    try:
        return json.dumps(extra, sort_keys=True, default=repr)
    except TypeError:
        # Keys of several types cannot be sorted, but they can be sent.
        return repr(extra)
    except (ValueError, RecursionError):
        # Circular or too deeply nested: the call is refused when its request is written.
        return ""


def _add_document(digest: hashlib.blake2b, document: Ranked) -> None:
    if is_headed(document):
        document = joined_text(document)
    if isinstance(document, str):
        _add(digest, document)
        digest.update(_ABSENT)
    else:
        _add(digest, document.text)
        _add(digest, document.image)


_ABSENT = b"-"


def _add(digest: hashlib.blake2b, text: str | None) -> None:
    # Each text follows its length, so that two different lists of texts are different bytes.
    if text is None:
        digest.update(_ABSENT)
    else:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%b" % (len(encoded), encoded))


def with_score(scores: Sequence[StoredScore], new: StoredScore) -> tuple[StoredScore, ...]:
    """Return the newest of `scores` and `new`, one under each served name, the newest first."""
    return (new, *(each for each in scores if each.model != new.model))[:_MOST_NAMES]


def score_value(scores: Sequence[StoredScore]) -> bytes:
    """Return the value to write for a document with these scores."""
    # JSON and Python write a finite number in the same way, with all its digits.
    written = ", ".join(f"{_opened(each.model, each.time)}{each.score!r}}}" for each in scores)
    return f'{{"v": {_VERSION}, "scores": [{written}]}}'.encode()


@functools.lru_cache(maxsize=16)
def _opened(model: str | None, time: float) -> str:
    """Return the JSON of a score as far as it is equal for all documents of a response."""
    return json.dumps({"model": model, "time": time}).removesuffix("}") + ', "score": '


def checked_values(values: object, count: int) -> list[bytes | None] | None:
    """
    Return `values` if it has `count` bytes or `None`s, else `None`.

    A generator of the store may raise any exception, and so may a signal handler meanwhile.
    """
    # Pydantic is not used, because it reads a generator without an end, and treats each exception
    # that is raised in it as a wrong value, even that of Ctrl-C.
    if isinstance(values, str | bytes | Mapping) or not _is_iterable(values):
        return None
    found: list[object] = [*islice(values, count + 1)]
    checked = [each for each in found if each is None or isinstance(each, bytes)]
    return checked if len(checked) == len(found) == count else None


def _is_iterable(values: object) -> TypeGuard[Iterable[object]]:
    return isinstance(values, Iterable)


def stored_scores(value: bytes | None) -> tuple[StoredScore, ...]:
    """Return the scores in a stored value, the newest first. A broken value counts as missing."""
    if value is None or len(value) > _LONGEST_VALUE:
        return ()
    try:
        scores = _VALUE.validate_json(value, strict=True).scores
    except ValidationError:
        return ()
    return tuple(sorted(scores, key=lambda each: each.time, reverse=True))


@dataclass(slots=True, kw_only=True)
class _Value:
    v: Literal[2]
    scores: list[StoredScore]


_VALUE = TypeAdapter(_Value)


def scores_by_name(
    stored: Sequence[Sequence[StoredScore]], *, now: float, ttl: float | None
) -> tuple[dict[str | None, dict[int, float]], list[str | None]]:
    """
    Return the scores of a call's documents by their served names, and the names by their times.

    The first result begins with the name of the newest score. The second one has the name of each
    response whose scores are stored, the oldest first. Scores that are too old count as missing.
    """
    fresh = [
        (position, each)
        for position, scores in enumerate(stored)
        for each in scores
        # Clocks differ between machines, so a time in the future may be fresh too.
        if ttl is None or abs(now - each.time) < ttl
    ]
    responses = sorted({(each.time, each.model) for _, each in fresh}, key=lambda pair: pair[0])
    names = [name for _, name in responses]
    by_name: dict[str | None, dict[int, float]] = {name: {} for name in reversed(names)}
    for position, each in fresh:
        by_name[each.model][position] = each.score
    return by_name, names
