"""Scores of a call's documents that are known, so that they need not be requested. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from openrouter_rerank.ranking import RankedDocument, Ranking

from .plan import NO_COPIES, Call


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
