"""
The scores of one call, and how a score store keeps them: keys, values, and their age. Pure.

A key is a digest of everything that a score depends on. A value holds the score, the time, and the
name of the model that gave it. Neither contains the query or a document.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, Strict, TypeAdapter, ValidationError

from openrouter_rerank._call.known_scores import NOTHING_KNOWN, KnownScores, with_known_scores
from openrouter_rerank._call.plan import Call
from openrouter_rerank.documents import Ranked, is_headed, joined_text
from openrouter_rerank.ranking import Ranking

_VERSION: Literal[1] = 1
"""The format of keys and values. Scores that another version has written are not found."""
_NOT_IN_KEYS = frozenset({"user", "trace"})
"""Fields of a request that no score depends on."""
_LONGEST_VALUE = 4096
"""Bytes. The values that are written here have one or two hundred."""


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
        self._keys = dict(zip(call.documents, self.keys, strict=True))

    def read(self, values: object) -> KnownScores | None:
        """Return the scores in what a store has returned for `keys`; `None` if it is invalid."""
        checked = checked_values(values, len(self.keys))
        if checked is None:
            return None
        known = read_scores(checked, now=self._clock(), ttl=self._ttl)
        if self._is_listwise(self._model) and not self.are_all_in(known):
            # If the missing documents were sent alone, they would get other scores.
            return NOTHING_KNOWN
        return known

    def are_all_in(self, known: KnownScores) -> bool:
        """Return `True` if no score has to be requested."""
        return len(known.by_position) == len(self.keys)

    def ranking(self, known: KnownScores) -> Ranking:
        """Return the ranking for `known`, which has all scores."""
        return with_known_scores(Ranking(results=(), model=self._model, requests=()), (), known)

    def record(self, part: Call, ranking: Ranking) -> None:
        """Add the scores of `ranking` to `to_store`: any of the models may have ranked `part`."""
        if ranking.model == self._model:
            keys = [self._keys[document] for document in part.documents]
        else:
            is_listwise = self._is_listwise(ranking.model)
            keys = [*score_keys(part, ranking.model, self._service, is_listwise=is_listwise)]
        values = score_values(ranking, self._clock())
        self.to_store |= {keys[index]: value for index, value in values.items()}


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
    extra = {name: value for name, value in call.extra.items() if name not in _NOT_IN_KEYS}
    shared = hashlib.blake2b(digest_size=32)
    for text in (str(_VERSION), service, model, _canonical(extra), call.query):
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


def score_values(ranking: Ranking, now: float) -> dict[int, bytes]:
    """Return the value to write for each result, by the position of its document."""
    shared = json.dumps({"v": _VERSION, "model": ranking.served_model, "time": now})
    # JSON and Python write a finite number in the same way, with all its digits.
    opened = shared.removesuffix("}") + ', "score": '
    return {
        result.index: f"{opened}{result.relevance_score!r}}}".encode() for result in ranking.results
    }


def checked_values(values: object, count: int) -> list[bytes | None] | None:
    """Return `values` if it is a sequence of `count` bytes or `None`s, else `None`."""
    try:
        checked = _VALUES.validate_python(values)
    except ValidationError:
        return None
    return checked if len(checked) == count else None


_VALUES = TypeAdapter(list[Annotated[bytes, Strict()] | None])


def read_scores(values: Sequence[bytes | None], *, now: float, ttl: float | None) -> KnownScores:
    """
    Return the scores in the stored values of a call's documents.

    Values that are broken or too old count as missing. If the provider has changed the model behind
    its slug, only the scores of the newer model are returned: scores of two models cannot be
    compared.
    """
    read = ((index, _read(value)) for index, value in enumerate(values))
    fresh = {
        index: stored
        for index, stored in read
        # Clocks differ between machines, so a time in the future may be fresh too.
        if stored is not None and (ttl is None or abs(now - stored.time) < ttl)
    }
    if not fresh:
        return NOTHING_KNOWN
    newest = max(fresh.values(), key=lambda stored: stored.time).model
    scores = {index: stored.score for index, stored in fresh.items() if stored.model == newest}
    return KnownScores(by_position=scores, served_model=newest)


@dataclass(slots=True, kw_only=True)
class _Stored:
    v: Literal[1]
    score: Annotated[float, Field(allow_inf_nan=False)]
    time: Annotated[float, Field(allow_inf_nan=False)]
    model: str | None


_STORED = TypeAdapter(_Stored)


def _read(value: bytes | None) -> _Stored | None:
    if value is None or len(value) > _LONGEST_VALUE:
        return None
    try:
        return _STORED.validate_json(value, strict=True)
    except ValidationError:
        return None
