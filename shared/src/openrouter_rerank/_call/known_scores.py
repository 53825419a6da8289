"""
Scores of a call's documents that need not be requested, because they are known already.

A document may have several known scores, under the names that several providers give the model. The
functions here decide which of them a call uses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from openrouter_rerank.ranking import RankedDocument, Ranking

from .plan import NO_COPIES, Call, best_first

ScoresByName = Mapping[str | None, Mapping[int, float]]
"""Scores by the positions of their documents, for each served name of the model."""


# With this number of names in the latest responses, several providers serve the slug: one provider
# does not update its model twice in so few responses.
_MANY_NAMES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownScores:
    """The known scores of one call's documents, all from one model."""

    by_position: Mapping[int, float] = field(default_factory=dict[int, float])
    """The scores by the positions of their documents in the call."""
    served_model: str | None = None
    """The provider's name of the model that the scores are from."""
    by_name: ScoresByName = field(default_factory=dict[str | None, Mapping[int, float]])
    """Scores under other served names, which are used if the response has such a name."""

    def missing(self, count: int) -> list[int]:
        """Return the positions without a known score, of a call with `count` documents."""
        return [index for index in range(count) if index not in self.by_position]

    def under(self, name: str | None) -> dict[int, float]:
        """
        Return the scores under `name` for the documents that are in `by_position`.

        A response without a name, and scores without one, may be of any name.
        """
        if name is None or self.served_model in {name, None}:
            return dict(self.by_position)
        scores = self.by_name.get(name, {})
        return {index: score for index, score in scores.items() if index in self.by_position}


NOTHING_KNOWN = KnownScores()


def usable_scores(by_name: ScoresByName, count: int, recent: Sequence[str | None]) -> KnownScores:
    """
    Choose the known scores that a call uses, so that one request suffices if possible.

    - If there are scores of all documents under one name, they are used, and nothing is requested.
    - If several providers serve the slug in turn, the name of the next response cannot be known.
      So no score is used, and all documents are requested together.
    - Otherwise the next response has probably the name of the last one, and its scores are used.
      So the scores of the old model are not used after a provider has updated its model.

    Args:
        by_name: The known scores by their served names, the name with the newest score first.
        count: The number of documents.
        recent: The served names of the latest responses for the slug, the oldest first.
    """
    complete = [name for name, scores in by_name.items() if len(scores) == count]
    if not complete and is_alternating(recent):
        return NOTHING_KNOWN
    name = next(iter(complete), recent[-1] if recent else None)
    if not by_name.get(name):
        return NOTHING_KNOWN
    return KnownScores(by_position=by_name[name], served_model=name, by_name=by_name)


def is_alternating(names: Sequence[str | None]) -> bool:
    """
    Return `True` if a served name has returned after another: several providers serve the slug.

    If a provider updates its model, the name changes too, but the old name does not return.
    """
    runs = [name for name, _ in groupby(name for name in names if name is not None)]
    if len(set(runs)) >= _MANY_NAMES:
        return True
    return len(runs) > len(set(runs))


def with_documents_at(call: Call, positions: Sequence[int]) -> Call:
    """Return `call` with the documents at `positions` only, all of which are to be ranked."""
    documents = tuple(call.documents[index] for index in positions)
    return replace(call, documents=documents, positions=NO_COPIES, top_n=None)


def with_known_scores(
    ranking: Ranking, positions: Sequence[int], scores: Mapping[int, float]
) -> Ranking:
    """Add the documents with known `scores` to `ranking`, which has those at `positions`."""
    results = [
        *(
            RankedDocument(positions[result.index], result.relevance_score)
            for result in ranking.results
        ),
        *(RankedDocument(index, score) for index, score in scores.items()),
    ]
    return replace(ranking, results=best_first(results, None))
