"""
The vocabulary of BERT: the word pieces that the embedding model reads, common words first.
"""

from functools import cache
from importlib import resources

# The list opens with placeholders and single characters; from "the" on it holds words, and pieces
# that go on a word, in the order of how common they are.
_FIRST_WORD = 1996


@cache
def vocabulary() -> dict[str, int]:
    """Number every piece; one that goes on a word starts with `##`."""
    text = (
        resources.files("openrouter_rerank.local")
        .joinpath("vocabulary.txt")
        .read_text(encoding="utf-8")
    )
    return {piece: number for number, piece in enumerate(text.split())}


@cache
def word_ranks() -> dict[str, int]:
    """Rank the whole English words that it holds: 1 for the most common."""
    words = (word for word in list(vocabulary())[_FIRST_WORD:] if not word.startswith("##"))
    return {word: rank for rank, word in enumerate(words, start=1)}
