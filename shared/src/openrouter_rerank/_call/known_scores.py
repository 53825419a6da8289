"""Scores of a call's documents that need not be requested, because they are known already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from openrouter_rerank.ranking import RankedDocument, Ranking

from .plan import NO_COPIES, Call, best_first


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownScores:
    """The known scores of one call's documents, all from one model."""

    by_position: Mapping[int, float] = field(default_factory=dict[int, float])
    """The scores by the positions of their documents in the call."""
    served_model: str | None = None
    """The provider's name of the model that the scores are from."""

    def missing(self, count: int) -> list[int]:
        """Return the positions without a known score, of a call with `count` documents."""
        return [index for index in range(count) if index not in self.by_position]

    def is_outdated_by(self, ranking: Ranking) -> bool:
        """Return `True` if `ranking` is from another model, though it has the same slug."""
        return bool(self.by_position) and {self.served_model} != {
            request.served_model for request in ranking.requests
        }


NOTHING_KNOWN = KnownScores()


def with_documents_at(call: Call, positions: Sequence[int]) -> Call:
    """Return `call` with the documents at `positions` only, all of which are to be ranked."""
    documents = tuple(call.documents[index] for index in positions)
    return replace(call, documents=documents, positions=NO_COPIES, top_n=None)


def with_known_scores(ranking: Ranking, positions: Sequence[int], known: KnownScores) -> Ranking:
    """Add the documents with known scores to `ranking`, which has those at `positions`."""
    results = [
        *(
            RankedDocument(positions[result.index], result.relevance_score)
            for result in ranking.results
        ),
        *(RankedDocument(index, score) for index, score in known.by_position.items()),
    ]
    return replace(ranking, results=best_first(results, None))
