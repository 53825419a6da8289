"""
Shows questions: one in full, the numbers over all of them, and whether the frameworks agree.
"""

import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from openrouter_rerank.cli.summary import ranked_by
from openrouter_rerank.demo.asking import Answer, Asking, threads
from openrouter_rerank.demo.comparison import Comparison, compare
from openrouter_rerank.demo.frameworks import PACKAGES, PLAIN
from openrouter_rerank.demo.introduction import CANDIDATES
from openrouter_rerank.demo.judgements import JudgedQuestion, Judgements
from openrouter_rerank.demo.orders import OrderTable
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.scoreboard import scoreboard
from openrouter_rerank.demo.screen import Screen

_ROWS = 5
# The local scorer computes a vector on one thread, and most machines have two processors or more.
_WORKERS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """The judged questions that were asked."""

    judgements: Judgements
    answers: Sequence[Answer]
    """One for each question."""
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the demo has found."""

    answers: Sequence[Answer]
    """For each question that was shown, the answer of each framework."""
    judged: Judged | None
    """`None` if the user asked own questions."""


class Presentation:
    """
    Asks questions, and shows the answers.

    Args:
        screen: Where the answers are shown.
        asking: Asks the questions.
        frameworks: The frameworks that are installed, the one that draws first.
        passages: All passages by id.
    """

    def __init__(
        self,
        screen: Screen,
        asking: Asking,
        frameworks: Sequence[str],
        passages: Mapping[str, Passage],
    ) -> None:
        self._screen = screen
        self._asking = asking
        self._drawing = frameworks[0] if frameworks else PLAIN
        self._others = frameworks[1:]
        self._passages = passages

    def own(self, questions: Sequence[str]) -> Report:
        """Show both orders of each question completely, without a judgement."""
        drawn = [self._draw(question) for question in questions]
        compared = self._compare(drawn)
        return Report(answers=[*drawn, *compared], judged=None)

    def judged(self, known: Judgements, questions: Sequence[JudgedQuestion]) -> Report:
        """
        Show the first question as an example, and then the numbers over all questions.

        Args:
            known: All judgements.
            questions: Those to ask, at least one.
        """
        example, *rest = questions
        drawn = self._draw(example.question, example.grades, rows=_ROWS)
        with (
            self._screen.activity(f"Asking {len(rest)} more questions", len(rest)) as advance,
            threads(_WORKERS) as pool,
        ):
            answers = [drawn]
            for answer in pool.map(self._asking.ask, [judged.question for judged in rest]):
                answers.append(answer)
                advance()
        outcomes = {answer.question: answer.outcome for answer in answers}
        comparison = compare(questions, outcomes)
        lines = scoreboard(
            comparison,
            of=len(known.questions),
            candidates=CANDIDATES,
            signs=self._screen.signs,
            width=self._screen.width,
        )
        self._screen.lines(*lines)
        self._screen.sentences(_remarks(known), style="dim")
        compared = self._compare([drawn])
        judged = Judged(judgements=known, answers=answers, comparison=comparison)
        return Report(answers=[drawn, *compared], judged=judged)

    def _draw(
        self, question: str, grades: Mapping[str, int] | None = None, rows: int | None = None
    ) -> Answer:
        with self._screen.activity(f"Loading {self._drawing}"):
            self._asking.wait_for(self._drawing)
        with self._screen.activity("Retrieving and reranking"):
            answer = self._asking.ask(question, self._drawing)
        by = "; ".join(map(ranked_by, answer.rankings)) or "no request was sent"
        table = OrderTable(
            answer.outcome,
            self._passages,
            grades or {},
            signs=self._screen.signs,
            width=self._screen.width,
        )
        self._screen.sentences([question], style="bold")
        self._screen.lines(*table.lines(rows))
        self._screen.sentences([f"{self._drawing}, reranked by {by}"], style="dim")
        return answer

    def _compare(self, drawn: Sequence[Answer]) -> list[Answer]:
        """Ask the other frameworks the questions that were drawn, and show whether they agree."""
        compared: list[Answer] = []
        for name in self._others:
            with self._screen.activity(f"Loading {name}"):
                self._asking.wait_for(name)
            with self._screen.activity(f"Asking {name}"):
                answers = [self._asking.ask(answer.question, name) for answer in drawn]
            pairs = zip(drawn, answers, strict=True)
            differ = sum(_order(one) != _order(other) for one, other in pairs)
            both = f"{self._drawing} and {name} returned"
            if differ:
                self._screen.sentences([f"{both} different orders for {differ} of {len(drawn)}."])
            else:
                self._screen.sentences([f"{both} the same order."])
            compared += answers
        missing = [
            PACKAGES[name] for name in PACKAGES if name not in (self._drawing, *self._others)
        ]
        if missing:
            self._screen.sentences([f"Not installed: pip install {' '.join(missing)}"])
        return compared


def _order(answer: Answer) -> list[str]:
    return [hit.id for hit in answer.outcome.reranked]


def _remarks(known: Judgements) -> Iterator[str]:
    """Yield what a reader needs to know to trust the numbers."""
    yield (
        f"One reader judged the passages, for Python {known.python}. The questions were written "
        "before any result was seen. The example above was chosen because it convinces; the "
        "numbers count every question."
    )
    if known.missing:
        yield (
            f"Python {platform.python_version()} lacks {known.missing} of the {known.passages} "
            f"judged passages, so {known.left_out} questions are left out."
        )
