"""
The vectors of the retriever, for all passages and questions of a run.
"""

from collections.abc import Sequence
from pathlib import Path

from openrouter_rerank.demo.embedding import VERSION, StaticEmbedding
from openrouter_rerank.demo.pipeline import Embed
from openrouter_rerank.demo.screen import Screen
from openrouter_rerank.demo.vector_cache import VectorCache

# Some of a second for each step of the bar.
_STEP = 32


def embed_all(screen: Screen, texts: Sequence[str], cache: Path) -> Embed:
    """
    Compute the vectors of `texts` that are not in the cache, and return a function that knows all.

    Args:
        screen: Shows the progress.
        texts: All texts that will be embedded.
        cache: The folder of the cache.
    """
    vectors = VectorCache(cache, VERSION)
    if new := [text for text in texts if text not in vectors]:
        with screen.activity("Embedding passages (first run only)", len(new)) as advance:
            embedding = StaticEmbedding()
            for start in range(0, len(new), _STEP):
                part = new[start : start + _STEP]
                for text, vector in zip(part, embedding.vectors(part), strict=True):
                    vectors.add(text, vector)
                    advance()
            vectors.save()

    def embed(text: str) -> list[float]:
        return [float(part) for part in vectors[text]]

    return embed
