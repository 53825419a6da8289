"""
What the local scorer takes from an image: that it is one, and the text in it if a reader is there.

Nothing is fetched. An http(s) image counts as its caption, and as nothing without one. What a
picture shows is never looked at.
"""

import base64
import binascii
import re
from functools import cache
from importlib.util import find_spec
from typing import Protocol

from openrouter_rerank.images import image_type, is_url
from openrouter_rerank.local.refusal import RefusedError

MAX_IMAGE_BYTES = 20 * 2**20
_DATA_URI = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)


class Reader(Protocol):
    """Anything that reads the text in an image."""

    def __call__(self, image: bytes) -> str:
        """Tell the text that the bytes of an image hold; none if they cannot be shown."""
        ...


def image_bytes(image: str, place: int) -> bytes:
    """
    Take the bytes out of a data URI; a URL has none.

    Args:
        image: The field of the document.
        place: The index of the document, for the message.

    Raises:
        RefusedError: It is no image that can be ranked. As at OpenRouter the status is 200 then.
    """
    if is_url(image):
        return b""
    fault = f"Image of document {place} is not a base64 data URI of a PNG, JPEG, GIF or WebP image"
    start = _DATA_URI.match(image)
    if start is None:
        raise RefusedError(400, fault, status=200)
    try:
        content = base64.b64decode(image[start.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise RefusedError(400, fault, status=200) from None
    if image_type(content) is None:
        raise RefusedError(400, fault, status=200)
    if len(content) > MAX_IMAGE_BYTES:
        fault = f"Image of document {place} is larger than {MAX_IMAGE_BYTES} bytes"
        raise RefusedError(400, fault, status=200)
    return content


@cache
def installed_reader() -> Reader | None:
    """Find the OCR library; `None` without the extra `openrouter-rerank[local-ocr]`."""
    if find_spec("rapidocr_onnxruntime") is None:
        return None
    from openrouter_rerank.local.ocr import OpticalReader

    return OpticalReader()
