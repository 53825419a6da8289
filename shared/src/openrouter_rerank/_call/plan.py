"""
Plans the requests of a call, and merges their rankings into one.

Each distinct document is sent once, however many copies of it were passed in. All go into one
request, unless a limit of the model or of the user needs several.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from openrouter_rerank.documents import Ranked, RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.models import SEARCH_UNIT, RerankModel
from openrouter_rerank.ranking import RankedDocument, Ranking


@dataclass(frozen=True, slots=True)
class Positions:
    """The positions in the input at which each distinct document stood, copies included."""

    copies: tuple[tuple[int, ...], ...]
    """One item for each distinct document. Empty if the input has no copies."""

    def restored(self, ranking: Ranking, top_n: int | None) -> Ranking:
        """
        Return the ranking of the whole input: each copy of a document gets the document's score.

        `top_n` may have been sent with the request: the best `top_n` documents of the input are
        copies of the best `top_n` distinct documents.
        """
        if not self.copies:
            return ranking
        results = [
            RankedDocument(index, result.relevance_score)
            for result in ranking.results
            for index in self.copies[result.index]
        ]
        return replace(ranking, results=best_first(results, top_n))


NO_COPIES = Positions(())


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One rerank call, with checked arguments."""

    query: str = field(repr=False)
    documents: tuple[Ranked, ...] = field(repr=False)
    """The distinct documents."""
    positions: Positions = NO_COPIES
    """Where the documents stood in the input."""
    top_n: int | None = None
    max_documents: int | None = None
    """The user's limit of documents in one request."""
    extra: Mapping[str, object] = field(default_factory=dict[str, object], repr=False)
    """Further fields of each request's body, as the user gave them."""
    is_cached: bool = False
    """`True` if the client has a score store, with whose scores the responses are merged."""
    provider: Mapping[str, object] | None = field(default=None, repr=False)
    """Provider preferences to send instead of the user's. Keys of scores do not depend on them."""

    @property
    def body_fields(self) -> Mapping[str, object]:
        """The further fields of each request's body, as they are sent."""
        return self.extra if self.provider is None else {**self.extra, "provider": self.provider}

    def part(self, positions: range) -> "Call":
        """Return the part of this call that one request sends: the documents at `positions`."""
        if len(positions) == len(self.documents):
            return self
        documents = self.documents[positions.start : positions.stop]
        return replace(self, documents=documents, positions=NO_COPIES)


def without_copies(
    documents: Sequence[Ranked],
) -> tuple[tuple[Ranked, ...], Positions]:
    """Return the distinct documents, in the order of their first copies, and their positions."""
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
    Return which documents go into which request. All go into one, unless a limit needs several.

    Where the number of documents is the limit, the parts are about equally large, because their
    requests are made together. Where it is the number of bytes, each part except the last is filled
    up. If the model is billed by search units, each part except the last consists of whole units,
    so that the parts together cost as much as one request would.

    Args:
        documents: The distinct documents.
        query: Some models count it once for each document in their limit of bytes.
        model: The model, with its limits.
        max_documents: The user's limit of documents in one request.

    Raises:
        InvalidRequestError: If several requests are needed and the model is listwise: it compares
            the documents of a request with each other, so their rankings cannot be merged.
    """
    size = _even_size(len(documents), _largest_size(model, max_documents), model)
    query_bytes = _bytes(query) if model.counts_query_with_each else 0
    starts = [*_starts(documents, size, model.max_request_bytes, query_bytes)]
    if len(starts) > 1 and model.is_listwise:
        raise InvalidRequestError(
            f"{model.slug} ranks the documents of one request against each other, and "
            f"{len(documents)} of them need {len(starts)} requests: pass fewer, or use another "
            "model"
        )
    ends = [*starts[1:], len(documents)]
    return tuple(range(start, end) for start, end in zip(starts, ends, strict=True))


def merged(
    rankings: Sequence[Ranking], positions: Sequence[Sequence[int]], top_n: int | None
) -> Ranking:
    """
    Merge the rankings of all parts of a call.

    `top_n` may have been sent with each request: the best `top_n` documents of the call are among
    the best `top_n` documents of its parts.

    Args:
        rankings: One for each part.
        positions: The positions of each part's documents in the call.
        top_n: The number of results to keep, or `None` for all.
    """
    if len(rankings) == 1:
        return rankings[0]
    results = [
        RankedDocument(part[result.index], result.relevance_score)
        for ranking, part in zip(rankings, positions, strict=True)
        for result in ranking.results
    ]
    requests = tuple(request for ranking in rankings for request in ranking.requests)
    return replace(rankings[0], results=best_first(results, top_n), requests=requests)


def best_first(results: list[RankedDocument], top_n: int | None) -> tuple[RankedDocument, ...]:
    """Sort `results` in place by score, then by position, and return the first `top_n`."""
    results.sort(key=lambda result: (-result.relevance_score, result.index))
    # This is not the last cut: the flow of the call cuts again, also if there was nothing to merge.
    return tuple(results[:top_n])


def _largest_size(model: RerankModel, max_documents: int | None) -> int | None:
    limits = [limit for limit in (model.max_documents, max_documents) if limit is not None]
    largest = min(limits, default=None)
    if largest is None or not model.search_units or largest < SEARCH_UNIT:
        return largest
    return largest - largest % SEARCH_UNIT


def _even_size(count: int, largest: int | None, model: RerankModel) -> int:
    """Return the size of parts if all are about equally large, and none larger than `largest`."""
    if largest is None or count <= largest:
        return count
    size = math.ceil(count / math.ceil(count / largest))
    if model.search_units and largest >= SEARCH_UNIT:
        return math.ceil(size / SEARCH_UNIT) * SEARCH_UNIT
    return size


def _starts(
    documents: Sequence[Ranked], size: int, max_bytes: int | None, query_bytes: int
) -> Sequence[int]:
    """Return the position of each part's first document."""
    if max_bytes is None:
        return range(0, len(documents), size)
    starts = [0]
    total = 0
    for index, document in enumerate(documents):
        added = _bytes(document) + query_bytes
        # A document that alone exceeds the limit gets its own request, which the service judges.
        if index - starts[-1] == size or (total + added > max_bytes and total):
            starts.append(index)
            total = 0
        total += added
    return starts


def _bytes(document: Ranked) -> int:
    if isinstance(document, str):
        return len(document) if document.isascii() else len(document.encode(errors="replace"))
    if isinstance(document, RerankDocument):
        text, image = document.text, document.image
        return (_bytes(text) if text else 0) + (_bytes(image) if image else 0)
    return sum(map(_bytes, document))
