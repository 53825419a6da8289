"""Plans what a call sends: each different document once, however often it was passed in. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from .documents import RerankDocument
from .ranking import RankedDocument, Ranking


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
        results.sort(key=lambda result: (-result.relevance_score, result.index))
        return replace(ranking, results=tuple(results[:top_n]))


NO_COPIES = Positions(())


def without_copies(
    documents: Sequence[str | RerankDocument],
) -> tuple[tuple[str | RerankDocument, ...], Positions]:
    """Return the different documents in the order of their first copies, and where they stood."""
    positions: dict[str | RerankDocument, list[int]] = {}
    for index, document in enumerate(documents):
        positions.setdefault(document, []).append(index)
    if len(positions) == len(documents):
        return tuple(documents), NO_COPIES
    return tuple(positions), Positions(tuple(tuple(copies) for copies in positions.values()))
