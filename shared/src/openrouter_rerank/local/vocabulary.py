"""
BERT's vocabulary: the tokens (word pieces) that the embedding model reads, common words first.
"""

from functools import cache
from importlib import resources

FIRST_WORD = 1996
"""
The id of "the". Placeholders and single characters come before it; from it on, the list contains
words and continuations of words, the most common ones first.
"""


@cache
def vocabulary() -> dict[str, int]:
    """Return the id of each token; a token that continues a word starts with `##`."""
    text = (
        resources.files("openrouter_rerank.local")
        .joinpath("vocabulary.txt")
        .read_text(encoding="utf-8")
    )
    return {token: number for number, token in enumerate(text.split())}


@cache
def word_ranks() -> dict[str, int]:
    """Return the rank of each whole English word in the vocabulary: 1 for the most common."""
    words = (word for word in list(vocabulary())[FIRST_WORD:] if not word.startswith("##"))
    return {word: rank for rank, word in enumerate(words, start=1)}
