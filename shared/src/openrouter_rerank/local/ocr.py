"""
Reading the text in an image with RapidOCR, whose models come with it.
"""

import struct
from collections import OrderedDict
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from threading import Lock

import numpy as np
from PIL import Image
from rapidocr_onnxruntime import RapidOCR

_REMEMBERED = 256
_MOST_PIXELS = 50_000_000
# Pillow's decoders answer broken files with any of these.
_UNDECODABLE = (
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


class OpticalReader:
    """
    Reads printed text, one image at a time, and remembers what recent images said.

    The models are loaded for the first image.
    """

    def __init__(self) -> None:
        # The engine keeps the state of a run on itself.
        self._one_at_a_time = Lock()
        self._remembered: OrderedDict[bytes, str] = OrderedDict()

    def __call__(self, image: bytes) -> str:
        """Tell the lines of text in reading order; none for what cannot be decoded."""
        # An image may be large, and its digest is not.
        key = sha256(image).digest()
        with self._one_at_a_time:
            if key not in self._remembered:
                self._remembered[key] = self._text(image)
            self._remembered.move_to_end(key)
            if len(self._remembered) > _REMEMBERED:
                self._remembered.popitem(last=False)
            return self._remembered[key]

    def _text(self, image: bytes) -> str:
        try:
            with Image.open(BytesIO(image)) as picture:
                if picture.width * picture.height > _MOST_PIXELS:
                    return ""
                pixels = np.asarray(picture.convert("RGB"))
        except _UNDECODABLE:
            return ""
        # The engine takes arrays as OpenCV has them: blue first.
        lines, _ = self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))
        return "\n".join(text for _, text, _ in lines or ())

    @cached_property
    def _engine(self) -> RapidOCR:
        return RapidOCR()
