"""Fixtures of the tests of the demo: no key, and the corpus, which takes seconds to read."""

import pytest
from openrouter_rerank.demo.corpus import corpus
from openrouter_rerank.demo.judgements import judgements
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.run import EXAMPLE


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete the key of the environment, so that the demo uses the local scorer."""
    monkeypatch.delenv("OPENROUTER_API_KEY")


@pytest.fixture(scope="session")
def passages() -> list[Passage]:
    """Return the corpus of this Python."""
    return corpus()


@pytest.fixture(scope="session")
def few(passages):
    """Return the passages that answer the example and two other questions, and some more."""
    questions = judgements(passages).questions
    judged = {each for judged in [questions[4], questions[6]] for each in judged.grades}
    judged |= next(judged.grades.keys() for judged in questions if judged.question == EXAMPLE)
    return [*passages[:40], *(each for each in passages[40:] if each.id in judged)]
