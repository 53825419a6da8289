"""Fixtures of the tests of the demo: no key, and the corpus, which takes seconds to read."""

import pytest
from openrouter_rerank.demo.corpus import corpus
from openrouter_rerank.demo.passage import Passage


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete the key of the environment, so that the demo uses the local scorer."""
    monkeypatch.delenv("OPENROUTER_API_KEY")


@pytest.fixture(scope="session")
def passages() -> list[Passage]:
    """Return the corpus of this Python."""
    return corpus()
