"""The corpus is read once for all tests of the demo, which takes seconds."""

import pytest
from openrouter_rerank.demo.corpus import corpus
from openrouter_rerank.demo.passage import Passage


@pytest.fixture(scope="session")
def passages() -> list[Passage]:
    """The corpus of this Python."""
    return corpus()
