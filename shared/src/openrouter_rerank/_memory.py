"""What one call knows of its scores: those that a store has, and those that answers bring. Pure."""

from collections.abc import Callable

from ._scores import (
    NOTHING_KNOWN,
    KnownScores,
    completed,
    known_scores,
    score_keys,
    score_values,
    stored_values,
)
from ._wire import Call
from .ranking import Ranking


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
