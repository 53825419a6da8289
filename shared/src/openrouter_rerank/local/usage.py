"""
The `usage` of a response: an estimate of what a hosted model would count. The cost is always 0.
"""

from collections.abc import Sequence

_BYTES_PER_TOKEN = 4
_TOKENS_PER_CHUNK = 500
_CHUNKS_PER_SEARCH_UNIT = 100


def estimated_tokens(text: str) -> int:
    """Estimate the number of tokens as one for every four bytes, without a tokenizer."""
    return -(-len(text.encode()) // _BYTES_PER_TOKEN)


def usage(query: str, texts: Sequence[str], *, search_units: bool) -> dict[str, object]:
    """
    Return the `usage` of a response.

    Args:
        query: Its tokens count once for each text, because rerank models read it with each text.
        texts: The texts that were scored.
        search_units: Whether to count search units as Cohere bills them: one for up to 100 chunks
            of 500 tokens.
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
