"""
Documents that are longer than the context of a model, and the passages that are ranked for them.

The service cuts such a document without an error. If its passages are ranked instead, they are
documents like any other until the response is there: copies are sent once, scores are cached, and
long lists are divided into requests. Then each document gets the score of its best passage.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeGuard

from openrouter_rerank._tracebacks import ErrorsSuppressed
from openrouter_rerank.client_options.keywords import RequestOptions
from openrouter_rerank.client_options.long_documents import LongDocumentRules
from openrouter_rerank.documents import (
    CheckedDocuments,
    Ranked,
    RerankDocument,
    is_headed,
    joined_text,
)
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.models import MODELS, RerankModel, model_for
from openrouter_rerank.ranking import Passage, RankedDocument, Ranking

from .passages import MOST_TOKENS_PER_CHARACTER, Span, estimated_tokens, most_tokens, passages

# Tokens that models add around a query and a document, such as separators and an instruction.
_ADDED = 64
# Characters. Splitting this much takes 10 ms, and of hostile texts up to 0.2 s.
_MOST_IN_LOOP = 200_000
# A query may take up to this part of the context. A longer one leaves too little for a document.
_MOST_OF_QUERY = 0.7
_SMALLEST_CONTEXT = min(
    model.context_length for model in MODELS.values() if model.context_length is not None
)

ALWAYS_FIT = int((_SMALLEST_CONTEXT - _ADDED) / MOST_TOKENS_PER_CHARACTER)
"""A query and a document with at most this many characters together fit into every context."""

TOO_LONG = "long documents"
LONG_QUERY = "long query"
LEFT_OUT = "passages left out"
"""The names of what is reported."""


class Situations(Protocol):
    """Logs situations that last: see `openrouter_rerank.telemetry.SituationLog`."""

    def report(self, situation: str, text: str, *arguments: object) -> None:
        """Log `text`, with `arguments` in place of its `%s` and the like."""
        ...

    def is_logged(self, situation: str) -> bool:
        """Return `True` if a report would be logged now, so that its text is needed."""
        ...


def are_long(documents: object, rules: LongDocumentRules, options: RequestOptions) -> bool:
    """Return `True` if splitting the documents of a call would block an event loop for long."""
    # Neither the policy nor a document has been checked: users may pass any object.
    with ErrorsSuppressed():
        is_split = options.get("long_documents", rules.policy) == "split"
        return is_split and _is_list(documents) and sum(map(_length, documents)) > _MOST_IN_LOOP
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class LongDocuments:
    """Which documents of a call are longer than the context of a model."""

    tokens: dict[int, int]
    """The estimated tokens of each long document, by its position."""
    size: int
    """The number of all documents."""
    context: int
    """Tokens of the query and one document together."""
    room: int
    """The tokens that are left for a document."""
    query_problem: str | None
    """Why the query is too long. `None` if it is not."""
    model: str
    """The slug of the model with the smallest context, of all that the call may use."""
    is_assumed: bool
    """`True` if the context of `model` is not known."""

    def refusal(self, positions: Sequence[int]) -> InvalidRequestError:
        """
        Return the error for the query if it is too long, or else for these documents.

        Args:
            positions: The positions that the documents have in the list of the caller.
        """
        if self.query_problem is not None:
            return InvalidRequestError(f"{self.query_problem}: shorten the query")
        at = max(self.tokens, key=lambda at: self.tokens[at])
        return InvalidRequestError(
            f"{len(self.tokens)} of {self.size} documents may be longer than {self._context}; the "
            f"longest, documents[{positions[at]}], has up to {self.tokens[at]:,} tokens: shorten "
            "them, or set long_documents='split' to rank their passages"
        )

    def report(self, situations: Situations, *, are_split: bool) -> None:
        """Report that the query leaves no room, and that the service may cut the documents."""
        if self.query_problem is not None:
            situations.report(LONG_QUERY, "%s: shorten the query", self.query_problem)
        if self.tokens and not are_split:
            situations.report(
                TOO_LONG,
                "%d of %d documents may be longer than %s. The service ranks only the start of a "
                "document that is. Set long_documents='split' to rank its passages, or pass "
                "shorter documents.",
                len(self.tokens),
                self.size,
                self._context,
            )

    @property
    def _context(self) -> str:
        assumed = "; it is not known, so this is assumed" if self.is_assumed else ""
        return f"the context of {self.model} ({self.context:,} tokens, query included{assumed})"


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitDocuments:
    """Documents of which the long ones are replaced by their passages."""

    documents: CheckedDocuments
    """What is ranked: the passages of long documents, and the other documents whole."""
    origins: Sequence[tuple[int, Span | None]]
    """For each of `documents`: the position of the caller's document, and the passage's span."""
    cut: frozenset[int]
    """The positions of the documents that have more than `max_passages` passages."""
    max_passages: int | None
    size: int
    """The number of the caller's documents."""
    top_n: int | None
    """The number of documents to return."""

    def whole(self, ranking: Ranking) -> Ranking:
        """
        Return the ranking of the caller's documents from that of all their passages.

        A document has the score of its best passage: of all aggregations that were measured, none
        was better (see docs/guides/long-documents.md).
        """
        results: list[RankedDocument] = []
        passages: dict[int, Passage] = {}
        seen: set[int] = set()
        # Best first, and passages of equal scores in the order of their text.
        for result in ranking.results:
            index, span = self.origins[result.index]
            if index in seen:
                continue
            seen.add(index)
            results.append(RankedDocument(index, result.relevance_score))
            if span is not None:
                passages[index] = Passage(*span, is_cut=index in self.cut)
        return replace(ranking, results=tuple(results[: self.top_n]), passages=passages)

    def report(self, situations: Situations) -> None:
        """Report that text was left out because of `max_passages`, if there is such text."""
        if self.cut:
            situations.report(
                LEFT_OUT,
                "%d of %d documents have more than max_passages=%d passages: the text behind these "
                "was not ranked. Raise max_passages or passage_tokens to rank it.",
                len(self.cut),
                self.size,
                self.max_passages,
            )


def long_documents(
    documents: Sequence[Ranked], query: str, models: Iterable[str], rules: LongDocumentRules
) -> LongDocuments | None:
    """
    Return what may not fit into the context of one of `models`, or `None` if everything fits.

    The estimate is cautious: a document that is not in the result fits. A model whose context is
    not known has no limit if the policy is `"truncate"`; otherwise it is taken to have the smallest
    context of all known models.
    """
    known = [(model_for(slug).context_length, slug) for slug in models]
    if rules.policy != "truncate":
        known = [(context or _SMALLEST_CONTEXT, slug) for context, slug in known]
    contexts = [(context, slug) for context, slug in known if context is not None]
    if not contexts:
        return None
    context, slug = min(contexts)
    asked = estimated_tokens(query)
    limit, reason = _query_limit(context, model_for(slug))
    room = context - min(asked, limit) - _ADDED
    tokens = {
        at: count
        for at, document in enumerate(documents)
        if (count := _tokens_above(room, document))
    }
    if not tokens and asked <= limit:
        return None
    return LongDocuments(
        tokens=tokens,
        size=len(documents),
        context=context,
        room=room,
        query_problem=f"the query has up to {asked:,} tokens, but {reason}"
        if asked > limit
        else None,
        model=slug,
        is_assumed=model_for(slug).context_length is None,
    )


def split_documents(
    documents: Sequence[Ranked],
    query: str,
    models: Iterable[str],
    rules: LongDocumentRules,
    *,
    top_n: int | None,
    situations: Situations | None,
) -> SplitDocuments | None:
    """
    Return what is ranked instead of `documents`, or `None` if these are ranked whole.

    Args:
        documents: All documents of the call.
        query: The question.
        models: The models that the call may use.
        rules: What happens to documents that are too long.
        top_n: The number of documents to return.
        situations: Gets the documents and queries that are not ranked as a whole.

    Raises:
        InvalidRequestError: If `rules` refuse documents that are too long, and there is one.
    """
    # In a lasting situation, estimates of documents that are sent whole would not be used.
    is_logged = situations is not None and situations.is_logged(TOO_LONG)
    looked_at = documents if is_logged or rules.policy != "truncate" else ()
    long = long_documents(looked_at, query, models, rules)
    if long is None:
        return None
    if rules.policy == "raise":
        raise long.refusal(range(len(documents)))
    split = None
    if rules.policy == "split" and long.tokens:
        split = _split(documents, long, rules, top_n)
    if situations is not None:
        long.report(situations, are_split=split is not None)
        if split is not None:
            split.report(situations)
    return split


def _split(
    documents: Sequence[Ranked], long: LongDocuments, rules: LongDocumentRules, top_n: int | None
) -> SplitDocuments:
    """
    Replace the long documents by their passages.

    A heading is part of the text that is split. An image goes with the first passage. White space
    at the ends of a passage is not sent.
    """
    ranked: list[Ranked] = []
    origins: list[tuple[int, Span | None]] = []
    cut: set[int] = set()
    budget, most = min(rules.passage_tokens, long.room), rules.max_passages
    for at, document in enumerate(documents):
        if at not in long.tokens:
            # In one call, either all documents are headed texts or none is.
            ranked.append(joined_text(document) if is_headed(document) else document)
            origins.append((at, None))
            continue
        text = _text(document)
        spans = passages(text, budget, None if most is None else most + 1)
        if most is not None and len(spans) > most:
            cut.add(at)
            del spans[most:]
        for number, span in enumerate(spans):
            # White space at its ends is not counted in the budget.
            passage = text[span.start : span.end].strip()
            if number == 0 and isinstance(document, RerankDocument):
                ranked.append(RerankDocument(text=passage, image=document.image))
            else:
                ranked.append(passage)
            origins.append((at, span))
    return SplitDocuments(
        documents=CheckedDocuments(ranked),
        origins=origins,
        cut=frozenset(cut),
        max_passages=most,
        size=len(documents),
        top_n=top_n,
    )


def _query_limit(context: int, model: RerankModel) -> tuple[int, str]:
    """Return the tokens of the longest useful query, and why a longer one is not useful."""
    limit = int(context * _MOST_OF_QUERY)
    if model.query_length is not None and model.query_length <= limit:
        return model.query_length, f"{model.slug} reads {model.query_length:,} tokens of a query"
    return limit, (
        f"the context of {model.slug} is {context:,} tokens for the query and a document together, "
        "so that too little of a document is read"
    )


def _tokens_above(room: int, document: Ranked) -> int:
    """Return the estimated tokens of a document, or 0 if they are at most `room`."""
    # The parts of a headed text are not joined, because that would take longer.
    texts = document if is_headed(document) else (_text(document),)
    if sum(map(most_tokens, texts)) <= room:
        return 0
    tokens = sum(map(estimated_tokens, texts))
    return tokens if tokens > room else 0


def _text(document: Ranked) -> str:
    if isinstance(document, RerankDocument):
        return document.text or ""
    return joined_text(document) if is_headed(document) else document


def _length(document: object) -> int:
    if _is_list(document):
        return sum(map(_length, document))
    if _is_mapping(document):
        document = document.get("text")
    elif isinstance(document, RerankDocument):
        document = document.text
    return len(document) if isinstance(document, str) else 0


def _is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    return isinstance(value, list | tuple)


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)
