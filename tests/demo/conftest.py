"""Reads the corpus once for all tests of the demo, because reading it takes seconds."""

import pytest
from openrouter_rerank.demo.corpus import corpus
from openrouter_rerank.demo.passage import Passage


@pytest.fixture(scope="session")
def passages() -> list[Passage]:
    """Return the corpus of this Python."""
    return corpus()
