"""
Finds the calls that answered for a model, a question and a depth.
"""

from collections.abc import Mapping, Sequence

from openrouter_rerank.evaluation.asking.scores import (
    LARGEST_DIFFERENCE,
    AskedCall,
    CallKind,
    Scores,
)


class Calls:
    """
    The answered calls of one model, in any order.

    A depth stands for the number of candidates that it has: if a question has only 30 candidates,
    then a call at the depth of 50 also answers for the depth of 100.

    Args:
        scores: The calls of all models.
        model: The model.
        candidates: The documents of the first stage, by question.
    """

    def __init__(self, scores: Scores, model: str, candidates: Mapping[str, Sequence[str]]) -> None:
        self.model = model
        self.all = [call for call in scores.calls if call.model == model]
        self._lengths = {question: len(documents) for question, documents in candidates.items()}
        self._calls: dict[CallKind, dict[str, dict[int, AskedCall]]] = {"score": {}, "probe": {}}
        for call in sorted(self.all, key=_preference):
            of_question = self._calls[call.kind].setdefault(call.question, {})
            of_question.setdefault(self.length(call.question, call.depth), call)
        self.difference = self._difference()
        self.differs_when_repeated = self._difference(of_equal=True) > LARGEST_DIFFERENCE
        self.replays = model not in scores.listwise and self.difference <= LARGEST_DIFFERENCE
        """`True` if the scores of the largest depth are also those of the smaller depths."""
        self.is_checked = self._is_checked()
        """`True` if a probe has shown whether the scores of fewer documents are the same."""

    @property
    def served_models(self) -> set[str]:
        """Return the names of the models that the service says have answered."""
        return {call.served_model for call in self.all if call.served_model}

    def length(self, question: str, depth: int) -> int:
        """Return how many candidates of the question are within the depth."""
        return min(depth, self._lengths.get(question, depth))

    def questions(self, kind: CallKind) -> list[str]:
        """Return the questions that have such a call, sorted."""
        return sorted(self._calls[kind])

    def at(self, kind: CallKind, question: str, depth: int) -> AskedCall | None:
        """Return the call for this depth."""
        return self._calls[kind].get(question, {}).get(self.length(question, depth))

    def deepest(self, question: str) -> AskedCall | None:
        """Return the call with the most candidates, probes aside."""
        of_question = self._calls["score"].get(question, {})
        return of_question[max(of_question)] if of_question else None

    def answer(self, question: str, depth: int) -> bool:
        """Return `True` if all scores of the question up to this depth are known."""
        call = self.deepest(question)
        longest = self.length(question, depth)
        return call is not None and self.length(question, call.depth) >= longest

    def asked(self, question: str, depth: int) -> AskedCall | None:
        """Return the call or the probe for this depth."""
        return self.at("score", question, depth) or self.at("probe", question, depth)

    def _is_checked(self) -> bool:
        return any(
            0 < len(probe.scores) < len(deepest.scores)
            for question, probes in self._calls["probe"].items()
            if (deepest := self.deepest(question))
            for probe in probes.values()
        )

    def _difference(self, *, of_equal: bool = False) -> float:
        """
        Return by how much the scores of probes differ from those of the largest depth.

        Args:
            of_equal: Compare only probes with the same documents.
        """
        return max(
            (
                abs(score - deepest.scores.get(document, score))
                for question, probes in self._calls["probe"].items()
                if (deepest := self.deepest(question))
                for probe in probes.values()
                if not of_equal or probe.scores.keys() == deepest.scores.keys()
                for document, score in probe.scores.items()
            ),
            default=0.0,
        )


def _preference(call: AskedCall) -> tuple[object, ...]:
    """Return a key that chooses between two calls for the same scores, in any order of calls."""
    return (call.question, call.attempts, call.seconds, call.depth, call.served_model or "")
