"""
How the local service treats images: it checks them, and reads the text in them if OCR is installed.

It fetches nothing. Of an image with an http(s) URL it uses the caption only; without a caption, the
document has no text. It never looks at what an image shows.
"""

import base64
import binascii
import re
from functools import cache
from importlib.util import find_spec
from typing import Protocol

from openrouter_rerank.images import image_type, is_url
from openrouter_rerank.local.rejection import RequestRejectedError
from openrouter_rerank.telemetry import logger

MAX_IMAGE_BYTES = 20 * 2**20
_DATA_URI = re.compile(r"data:image/[a-z0-9.+-]+;base64,", re.IGNORECASE)


class OCREngine(Protocol):
    """Reads the text in an image."""

    def __call__(self, image: bytes) -> str:
        """Return the text in the file `image`, or an empty string if it cannot be decoded."""
        ...


def image_bytes(image: str, index: int) -> bytes:
    """
    Return the bytes of the image in a data URI, or no bytes for an http(s) URL.

    Args:
        image: The field `image` of a document.
        index: The index of the document, for the error message.

    Raises:
        RequestRejectedError: If the image is neither a URL nor a valid data URI of at most
            `MAX_IMAGE_BYTES` bytes. The HTTP status is then 200, as at OpenRouter.
    """
    if is_url(image):
        return b""
    problem = (
        f"Image of document {index} is not a base64 data URI of a PNG, JPEG, GIF or WebP image"
    )
    start = _DATA_URI.match(image)
    if start is None:
        raise RequestRejectedError(400, problem, status=200)
    try:
        content = base64.b64decode(image[start.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise RequestRejectedError(400, problem, status=200) from None
    if image_type(content) is None:
        raise RequestRejectedError(400, problem, status=200)
    if len(content) > MAX_IMAGE_BYTES:
        problem = f"Image of document {index} is larger than {MAX_IMAGE_BYTES} bytes"
        raise RequestRejectedError(400, problem, status=200)
    return content


@cache
def installed_ocr_engine() -> OCREngine | None:
    """
    Return the OCR engine, or `None` without the extra `openrouter-rerank[local-ocr]`.

    If the extra is installed but cannot be imported, log a warning and return `None`.
    """
    if find_spec("rapidocr_onnxruntime") is None:
        return None
    try:
        from openrouter_rerank.local.ocr import RapidOCREngine
    except Exception as error:
        logger.warning(
            "OCR cannot be imported, so images are ranked by their captions only: %s: %s. On a "
            "server without a display, install opencv-python-headless instead of opencv-python",
            type(error).__name__,
            error,
        )
        return None
    return RapidOCREngine()
