"""Questions with exactly one right answer, so that a mixed-up one is seen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """What to ask, and the only ranking that answers it."""

    query: str
    documents: list
    top_n: int | None

    def is_answered_by(self, ranking):
        """Whether nothing is lost, doubled, invented, out of order or of another call."""
        scores = [float(self.query in document.split()) for document in self.documents]
        right = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
        return [(result.index, result.relevance_score) for result in ranking.results] == [
            (index, scores[index]) for index in right[: self.top_n]
        ]


def asked(chance):
    """Make a question whose words no other has."""
    words = [f"w{chance.getrandbits(60):x}" for _ in range(chance.randint(2, 12))]
    documents = [f"{word} of {len(words)}" for word in words]
    # Copies are sent once, and must come back as often as they were passed in.
    documents += chance.choices(documents, k=chance.choice([0, 0, 0, 2]))
    return Question(chance.choice(words), documents, chance.choice([None, None, 1, 3, 50]))
