"""
Plans what a call sends, and puts together what comes back. Pure.

Each different document is sent once, however often it was passed in; and in one request, unless a
limit of the model forces several.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from openrouter_rerank.documents import Ranked
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.models import SEARCH_UNIT, RerankModel
from openrouter_rerank.ranking import RankedDocument, Ranking


@dataclass(frozen=True, slots=True)
class Positions:
    """Where in the input each document that is sent stands; empty if each is where it was."""

    of: tuple[tuple[int, ...], ...]

    def restored(self, ranking: Ranking, top_n: int | None) -> Ranking:
        """
        Give every copy of a document its score, in the order of the whole input.

        That is exact with `top_n` too: the best `top_n` of the input are copies of the best `top_n`
        that were sent.
        """
        if not self.of:
            return ranking
        results = [
            RankedDocument(index, result.relevance_score)
            for result in ranking.results
            for index in self.of[result.index]
        ]
        return replace(ranking, results=_best(results, top_n))


NO_COPIES = Positions(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What one rerank call asks for, checked."""

    query: str = field(repr=False)
    documents: tuple[Ranked, ...] = field(repr=False)
    """The different ones."""
    positions: Positions = NO_COPIES
    """Where they stood in the input."""
    top_n: int | None = None
    max_documents: int | None = None
    """How many documents one request may hold, if the user has a limit."""
    extra: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)
    """The other fields of the body."""

    def part(self, of: range) -> "Call":
        """Return what one request asks, of those that the call needs."""
        if len(of) == len(self.documents):
            return self
        documents = self.documents[of.start : of.stop]
        return replace(self, documents=documents, positions=NO_COPIES)


def without_copies(
    documents: Sequence[Ranked],
) -> tuple[tuple[Ranked, ...], Positions]:
    """Return the different documents in the order of their first copies, and where they stood."""
    if len(set(documents)) == len(documents):
        return tuple(documents), NO_COPIES
    positions: dict[Ranked, list[int]] = {}
    for index, document in enumerate(documents):
        positions.setdefault(document, []).append(index)
    return tuple(positions), Positions(tuple(tuple(copies) for copies in positions.values()))


def parts(
    documents: Sequence[Ranked],
    query: str,
    model: RerankModel,
    max_documents: int | None,
) -> tuple[range, ...]:
    """
    Tell which documents go into which request: all into one, unless a limit forces several.

    Several have about as many documents each, since they are answered at the same time, unless
    their bytes force them: then each but the last is as large as it may be. Where the bill counts
    search units, each but the last is whole units, so that all cost what one request would.

    Args:
        documents: What is to be sent.
        query: With some models it counts for each document against the limit of bytes.
        model: Whose limits hold.
        max_documents: The user's limit, if any.

    Raises:
        InvalidRequestError: If the model compares the documents of a request with each other.
    """
    size = _even(len(documents), _most(model, max_documents), model)
    beside = _weight(query) if model.counts_query_with_each else 0
    starts = [*_starts(documents, size, model.max_request_bytes, beside)]
    if len(starts) > 1 and model.is_listwise:
        raise InvalidRequestError(
            f"{model.slug} ranks the documents of one request against each other, and "
            f"{len(documents)} of them need {len(starts)} requests: pass fewer, or use another "
            "model"
        )
    ends = [*starts[1:], len(documents)]
    return tuple(range(start, end) for start, end in zip(starts, ends, strict=True))


def merged(rankings: Sequence[Ranking], of: Sequence[Sequence[int]], top_n: int | None) -> Ranking:
    """
    Put the rankings of all parts of a call into one order.

    That is exact with `top_n` too, if it was asked of each part: the best `top_n` of all are among
    the best `top_n` of their parts.
    """
    if len(rankings) == 1:
        return rankings[0]
    results = [
        RankedDocument(part[result.index], result.relevance_score)
        for ranking, part in zip(rankings, of, strict=True)
        for result in ranking.results
    ]
    requests = tuple(request for ranking in rankings for request in ranking.requests)
    return replace(rankings[0], results=_best(results, top_n), requests=requests)


def _best(results: list[RankedDocument], top_n: int | None) -> tuple[RankedDocument, ...]:
    results.sort(key=lambda result: (-result.relevance_score, result.index))
    return tuple(results[:top_n])


def _most(model: RerankModel, max_documents: int | None) -> int | None:
    limits = [limit for limit in (model.max_documents, max_documents) if limit is not None]
    most = min(limits, default=None)
    if most is None or not model.search_units or most < SEARCH_UNIT:
        return most
    return most - most % SEARCH_UNIT


def _even(count: int, most: int | None, model: RerankModel) -> int:
    """Tell how many documents go into each part, if `most` may and all parts are alike."""
    if most is None or count <= most:
        return count
    size = math.ceil(count / math.ceil(count / most))
    if model.search_units and most >= SEARCH_UNIT:
        return math.ceil(size / SEARCH_UNIT) * SEARCH_UNIT
    return size


def _starts(
    documents: Sequence[Ranked], size: int, max_bytes: int | None, beside: int
) -> Sequence[int]:
    """Return where each part begins, the first of them at the first document."""
    if max_bytes is None:
        return range(0, len(documents), size)
    starts = [0]
    weight = 0
    for index, document in enumerate(documents):
        own = _weight(document) + beside
        # A document that is too large alone is for the service to judge.
        if index - starts[-1] == size or (weight + own > max_bytes and weight):
            starts.append(index)
            weight = 0
        weight += own
    return starts


def _weight(document: Ranked) -> int:
    if isinstance(document, tuple):
        return sum(map(_weight, document))
    if isinstance(document, str):
        return len(document) if document.isascii() else len(document.encode(errors="replace"))
    return _weight(document.text or "") + len(document.image or "")
