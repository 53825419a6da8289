"""
Scores as a store keeps them: under which keys, in which bytes, and for how long. Pure.

A key is a digest of all that a score depends on. Neither the query nor a document is in a key or a
value.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, Strict, TypeAdapter, ValidationError

from openrouter_rerank._call.known_scores import NOTHING_KNOWN, KnownScores, completed
from openrouter_rerank._call.plan import Call
from openrouter_rerank.documents import Ranked, whole
from openrouter_rerank.ranking import Ranking

_VERSION: Literal[1] = 1
"""Of keys and values: what another version has written is not found."""
_WHO_ASKS = frozenset({"user", "trace"})
"""Fields of a request that no score depends on."""
_LONGEST = 4096
"""Bytes; ours are a hundred or two."""


def score_keys(
    call: Call, model: str, service: str, *, is_listwise: bool = False
) -> tuple[str, ...]:
    """
    Return the key of each document's score, of letters, digits and `-`.

    Args:
        call: What is asked.
        model: The slug of the model asked.
        service: The address that it is asked at: at another one it is another model.
        is_listwise: Whether a score depends on the other documents too.
    """
    extra = {name: value for name, value in call.extra.items() if name not in _WHO_ASKS}
    circumstances = hashlib.blake2b(digest_size=32)
    for text in (str(_VERSION), service, model, _canonical(extra), call.query):
        _add(circumstances, text)
    if is_listwise:
        for document in call.documents:
            _add_document(circumstances, document)
    keys: list[str] = []
    for document in call.documents:
        digest = circumstances.copy()
        _add_document(digest, document)
        keys.append(f"openrouter-rerank-{digest.hexdigest()}")
    return tuple(keys)


def score_values(ranking: Ranking, now: float) -> dict[int, bytes]:
    """Return what is kept of each result, by the position of its document."""
    circumstances = json.dumps({"v": _VERSION, "model": ranking.served_model, "time": now})
    # A finite number is written in JSON as it is in Python, with all its digits.
    opened = circumstances.removesuffix("}") + ', "score": '
    return {
        result.index: f"{opened}{result.relevance_score!r}}}".encode() for result in ranking.results
    }


def stored_values(answer: object, count: int) -> list[bytes | None] | None:
    """Return the values that a store has answered with; `None` if that is no answer."""
    try:
        values = _VALUES.validate_python(answer)
    except ValidationError:
        return None
    return values if len(values) == count else None


def known_scores(values: Sequence[bytes | None], *, now: float, ttl: float | None) -> KnownScores:
    """
    Read what a store has for the documents of a call.

    Values that are broken or too old are as if they were not there. If the provider has changed the
    model behind its slug, only the scores of the newer one are known: those of two models cannot be
    compared.
    """
    read = ((index, _read(value)) for index, value in enumerate(values))
    fresh = {
        index: stored
        for index, stored in read
        # Clocks differ between machines, so what was written in the future may be fresh too.
        if stored is not None and (ttl is None or abs(now - stored.time) < ttl)
    }
    if not fresh:
        return NOTHING_KNOWN
    newest = max(fresh.values(), key=lambda stored: stored.time).model
    scores = {index: stored.score for index, stored in fresh.items() if stored.model == newest}
    return KnownScores(of=scores, served_model=newest)


_VALUES = TypeAdapter(list[Annotated[bytes, Strict()] | None])


@dataclass(slots=True, kw_only=True)
class _Stored:
    v: Literal[1]
    score: Annotated[float, Field(allow_inf_nan=False)]
    time: Annotated[float, Field(allow_inf_nan=False)]
    model: str | None


_STORED = TypeAdapter(_Stored)


def _read(value: bytes | None) -> _Stored | None:
    if value is None or len(value) > _LONGEST:
        return None
    try:
        return _STORED.validate_json(value, strict=True)
    except ValidationError:
        return None


def _canonical(extra: Mapping[str, object]) -> str:
    try:
        return json.dumps(extra, sort_keys=True, default=repr)
    except TypeError:
        # Keys of several types cannot be sorted, but they can be sent.
        return repr(extra)
    except (ValueError, RecursionError):
        # Circular or too deep: it is refused when it is to be sent.
        return ""


def _add_document(digest: hashlib.blake2b, document: Ranked) -> None:
    if isinstance(document, tuple):
        document = whole(document)
    if isinstance(document, str):
        _add(digest, document)
        digest.update(_ABSENT)
    else:
        _add(digest, document.text)
        _add(digest, document.image)


_ABSENT = b"-"


def _add(digest: hashlib.blake2b, text: str | None) -> None:
    # With its length before it, so that no two lists of texts look the same.
    if text is None:
        digest.update(_ABSENT)
    else:
        encoded = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:%b" % (len(encoded), encoded))


class Memory:
    """
    The scores of one call.

    Args:
        call: What is asked.
        models: Whom to ask, in order; scores of the first are looked up.
        service: The address that they are asked at.
        clock: Tells the time of day.
        ttl: Seconds after which a score is forgotten.
        is_listwise: Tells of a model whether its scores depend on the other documents.
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
        """What to look up: a key for each document."""
        self.identity = (models, self.keys)
        """Equal for calls that have the same scores."""
        self.heard: dict[str, bytes] = {}
        """What to keep."""
        self._model = models[0]
        self._service = service
        self._clock = clock
        self._ttl = ttl
        self._is_listwise = is_listwise
        self._keys = dict(zip(call.documents, self.keys, strict=True))

    def recalled(self, answer: object) -> KnownScores | None:
        """Read what a store has answered for `keys`; `None` if that is no answer."""
        values = stored_values(answer, len(self.keys))
        if values is None:
            return None
        known = known_scores(values, now=self._clock(), ttl=self._ttl)
        if self._is_listwise(self._model) and not self.is_all(known):
            # Asked without the others, the rest would get other scores.
            return NOTHING_KNOWN
        return known

    def is_all(self, known: KnownScores) -> bool:
        """Tell whether nothing is left to ask for."""
        return len(known.of) == len(self.keys)

    def ranking(self, known: KnownScores) -> Ranking:
        """Rank by scores that are all known."""
        return completed(Ranking(results=(), model=self._model, requests=()), (), known)

    def hear(self, part: Call, ranking: Ranking) -> None:
        """Note the scores of `ranking`, the answer to a part of the call, by whichever model."""
        if ranking.model == self._model:
            keys = [self._keys[document] for document in part.documents]
        else:
            is_listwise = self._is_listwise(ranking.model)
            keys = [*score_keys(part, ranking.model, self._service, is_listwise=is_listwise)]
        values = score_values(ranking, self._clock())
        self.heard |= {keys[index]: value for index, value in values.items()}
