"""
What a request would have been counted as. It costs nothing here.
"""

from collections.abc import Sequence

_BYTES_PER_TOKEN = 4
_TOKENS_PER_CHUNK = 500
_CHUNKS_PER_SEARCH_UNIT = 100


def estimated_tokens(text: str) -> int:
    """Estimate tokens by the rule of thumb of four bytes each; no tokenizer is asked."""
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def usage(query: str, texts: Sequence[str], *, search_units: bool) -> dict[str, object]:
    """
    Count a request.

    Args:
        query: Counted once with every text, as rerank models read it.
        texts: What was read of the documents.
        search_units: Whether to count as Cohere bills: up to 100 chunks of 500 tokens a unit.
    """
    lengths = [estimated_tokens(text) for text in texts]
    counted: dict[str, object] = {
        "total_tokens": sum(lengths) + len(texts) * estimated_tokens(query),
        "cost": 0,
    }
    if search_units:
        chunks = sum(max(1, -(-length // _TOKENS_PER_CHUNK)) for length in lengths)
        counted["search_units"] = -(-chunks // _CHUNKS_PER_SEARCH_UNIT)
    return counted
