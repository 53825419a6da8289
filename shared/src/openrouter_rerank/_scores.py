"""
Scores as a store keeps them: under which keys, in which bytes, and for how long. Pure.

A key is a digest of all that a score depends on. Neither the query nor a document is in a key or a
value.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from pydantic import Field, Strict, TypeAdapter, ValidationError

from ._plan import NO_COPIES
from ._wire import Call
from .documents import Ranked, whole
from .ranking import RankedDocument, Ranking

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


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownScores:
    """Scores of documents of a call that need not be asked for."""

    of: Mapping[int, float] = field(default_factory=dict[int, float])
    """By the position of the document."""
    served_model: str | None = None
    """The provider's own name of the model that has given them."""

    def others(self, count: int) -> list[int]:
        """Return the positions of the documents, of so many, that are left to be asked for."""
        return [index for index in range(count) if index not in self.of]

    def is_outdated_by(self, ranking: Ranking) -> bool:
        """Tell whether another model than the one they are of now answers for the same slug."""
        return bool(self.of) and {self.served_model} != {
            request.served_model for request in ranking.requests
        }


NOTHING_KNOWN = KnownScores()


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


def only(call: Call, of: Sequence[int]) -> Call:
    """Return what `call` asks of these documents, all of which it needs ranked."""
    documents = tuple(call.documents[index] for index in of)
    return replace(call, documents=documents, positions=NO_COPIES, top_n=None)


def completed(ranking: Ranking, of: Sequence[int], known: KnownScores) -> Ranking:
    """Put the documents whose scores are known into `ranking`, which is that of the others."""
    results = [
        *(RankedDocument(of[result.index], result.relevance_score) for result in ranking.results),
        *(RankedDocument(index, score) for index, score in known.of.items()),
    ]
    results.sort(key=lambda result: (-result.relevance_score, result.index))
    return replace(ranking, results=tuple(results))


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
