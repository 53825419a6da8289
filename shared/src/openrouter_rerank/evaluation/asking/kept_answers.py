"""What the file has for one question: which documents have to be sent, and what was answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .matrix import Asked, KeptCall, Matrix, digest, list_digest
from .scores import LARGEST_DIFFERENCE, CallKind
from .total_cost import total_cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """The scores that are wanted."""

    asked: Asked
    documents: Sequence[str]
    """The texts, best first. None of them is blank."""
    kind: CallKind = "score"
    is_listwise: bool = False
    """`True`: only scores of the same list of documents count."""

    @property
    def needs_list(self) -> bool:
        """Return `True` if all documents have to be in one call."""
        return self.is_listwise or self.kind == "probe"


def missing(matrix: Matrix, want: Want) -> list[str]:
    """Return the texts that have to be sent: none if all scores are kept."""
    calls = _calls(matrix, want)
    if want.needs_list:
        return [] if _of_list(calls, want) else list(want.documents)
    kept = {document for call in calls for document in call.scores}
    return [text for text in want.documents if digest(text) not in kept]


def kept_answer(matrix: Matrix, want: Want) -> KeptCall | None:
    """
    Return the kept scores of exactly these documents, as one call. `None` if some are missing.

    If they are from several calls, or from one with more documents, `cost` is their part of it.
    """
    calls = _calls(matrix, want)
    if want.needs_list:
        return _of_list(calls, want)
    wanted = {digest(text) for text in want.documents}
    # The newest call comes last, and its scores replace older ones.
    sources = {each: call for call in calls for each in call.scores if each in wanted}
    if not wanted or len(sources) < len(wanted):
        return None
    used = [call for call in calls if any(source is call for source in sources.values())]
    return replace(
        used[-1],
        cost=total_cost(_part_of_cost(call, sources) for call in used),
        scores={each: source.scores[each] for each, source in sources.items()},
    )


def differ(matrix: Matrix, asked: Asked) -> bool:
    """Return `True` if kept calls for one question gave the same document different scores."""
    first: dict[bytes, float] = {}
    return any(
        abs(first.setdefault(document, score) - score) > LARGEST_DIFFERENCE
        for call in matrix.calls(asked)
        for document, score in call.scores.items()
    )


def _calls(matrix: Matrix, want: Want) -> list[KeptCall]:
    return [call for call in matrix.calls(want.asked) if call.kind == want.kind]


def _of_list(calls: Sequence[KeptCall], want: Want) -> KeptCall | None:
    digests = [digest(text) for text in want.documents]
    documents = list_digest(digests)
    of_list = (call for call in reversed(calls) if call.documents == documents)
    # A file that another program has changed may lack scores.
    return next((call for call in of_list if call.scores.keys() >= {*digests}), None)


def _part_of_cost(call: KeptCall, sources: Mapping[bytes, KeptCall]) -> float | None:
    if call.cost is None:
        return None
    used = sum(source is call for source in sources.values())
    return call.cost * (used / len(call.scores))
