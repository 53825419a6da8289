"""
Asks questions: in the frameworks that are installed, and in plain Python.
"""

import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from openrouter_rerank.demo import plain
from openrouter_rerank.demo.frameworks import PLAIN, load
from openrouter_rerank.demo.introduction import CANDIDATES
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pipeline import Embed, Outcome, Pipeline, RerankerSettings
from openrouter_rerank.ranking import Ranking


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Both orders of the passages for one question."""

    question: str
    framework: str
    outcome: Outcome
    rankings: Sequence[Ranking]
    """One, or none if no request was sent."""
    seconds: float
    """How long retrieving and reranking took."""


class Asking:
    """
    Has a pipeline for each framework. They are made in a thread, in this order.

    Args:
        pool: Makes the pipelines.
        frameworks: The names of the frameworks, the one that draws first.
        passages: What is searched.
        embed: Returns the vector of a passage or a question.
        settings: The options of the rerankers.
    """

    def __init__(
        self,
        pool: ThreadPoolExecutor,
        frameworks: Sequence[str],
        passages: Sequence[Passage],
        embed: Embed,
        settings: RerankerSettings,
    ) -> None:
        def pipeline(name: str) -> Pipeline:
            return load(name)(passages, embed)

        self._pipelines = {name: pool.submit(pipeline, name) for name in frameworks}
        self._plain = plain.rerank_with(passages, embed)
        self._settings = settings
        self.answers: list[Answer] = []
        """All answers so far."""

    def wait_for(self, framework: str) -> None:
        """Wait until the pipeline of a framework is made."""
        self._pipeline(framework)

    def ask(self, question: str, framework: str = PLAIN) -> Answer:
        """Fetch passages for a question, and rerank them. Several threads may ask."""
        pipeline = self._pipeline(framework)
        rankings: list[Ranking] = []
        settings = self._settings.copy()
        settings["on_response"] = rankings.append
        start = time.perf_counter()
        outcome = pipeline(question, k=CANDIDATES, settings=settings)
        answer = Answer(
            question=question,
            framework=framework,
            outcome=outcome,
            rankings=rankings,
            seconds=time.perf_counter() - start,
        )
        self.answers.append(answer)
        return answer

    def _pipeline(self, framework: str) -> Pipeline:
        return self._plain if framework == PLAIN else self._pipelines[framework].result()


@contextmanager
def threads(count: int) -> Generator[ThreadPoolExecutor]:
    """Return threads that end with the `with`. What they have not begun then is dropped."""
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
