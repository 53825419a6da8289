"""Calls with exactly one right ranking, so that a test recognises the ranking of another call."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Call:
    """The arguments of one call."""

    query: str
    documents: list
    top_n: int | None

    def is_right(self, ranking):
        """
        Return `True` if `ranking` is the ranking of this call.

        It must have no result too few, too many or twice, the right order, and the right scores.
        """
        scores = [float(self.query in document.split()) for document in self.documents]
        right = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
        return [(result.index, result.relevance_score) for result in ranking.results] == [
            (index, scores[index]) for index in right[: self.top_n]
        ]


def random_call(rng):
    """Return a call whose words no other call has."""
    words = [f"w{rng.getrandbits(60):x}" for _ in range(rng.randint(2, 12))]
    documents = [f"{word} of {len(words)}" for word in words]
    # The client sends copies only once, and must return each of them.
    documents += rng.choices(documents, k=rng.choice([0, 0, 0, 2]))
    return Call(rng.choice(words), documents, rng.choice([None, None, 1, 3, 50]))
