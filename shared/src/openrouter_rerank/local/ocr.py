"""
Reads the text in images with RapidOCR, whose package contains its models.
"""

import struct
from collections import OrderedDict
from functools import cached_property
from hashlib import sha256
from io import BytesIO

import numpy as np
from PIL import Image
from rapidocr_onnxruntime import RapidOCR

from openrouter_rerank._forks import new_lock

_CACHED_TEXTS = 256
_MAX_PIXELS = 50_000_000
# Pillow's decoders raise any of these for broken files.
_DECODING_ERRORS = (
    ArithmeticError,
    EOFError,
    LookupError,
    OSError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class RapidOCREngine:
    """
    Reads printed text, one image at a time, and caches the texts of the 256 images read last.

    The models are loaded with the first image.
    """

    def __init__(self) -> None:
        # RapidOCR keeps the state of a run in its own attributes.
        self._one_at_a_time = new_lock()
        self._cache: OrderedDict[bytes, str] = OrderedDict()

    def __call__(self, image: bytes) -> str:
        """Return the lines of text in reading order, or "" if the image cannot be decoded."""
        # The digest is short, however large the image is.
        key = sha256(image).digest()
        with self._one_at_a_time:
            if key not in self._cache:
                self._cache[key] = self._text(image)
            self._cache.move_to_end(key)
            if len(self._cache) > _CACHED_TEXTS:
                self._cache.popitem(last=False)
            return self._cache[key]

    def _text(self, image: bytes) -> str:
        try:
            with Image.open(BytesIO(image)) as picture:
                if picture.width * picture.height > _MAX_PIXELS:
                    return ""
                pixels = np.asarray(picture.convert("RGB"))
        except _DECODING_ERRORS:
            return ""
        # RapidOCR takes arrays in OpenCV's order of the channels: blue first.
        lines, _ = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))
        return "\n".join(text for _, text, _ in lines or ())

    @cached_property
    def _engine(self) -> RapidOCR:
        return RapidOCR()
