"""Documents without their images, for traces: services that collect traces refuse large ones."""

import operator
import re
from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.documents.base import Blob

from ._convert.images import is_list, is_mapping
from ._convert.pillow import is_pillow

_LONG = 200
_DATA_URI = re.compile(r"\s*data:[a-z]+/", re.IGNORECASE)
# Encoders break lines after 76 characters, so white space may follow each of two runs. A line of
# dashes or underscores is not base64.
_BASE64 = re.compile(r"\s*(?![-_]{8})(?:[A-Za-z0-9+/_-]{60,}\s*){2}")
_DEPTH = 4
"""How many levels of mappings and lists in the metadata are searched for images."""


def redacted(documents: Sequence[Document]) -> list[Document]:
    """
    Return the documents without images, bytes and long base64.

    A document that has one of these is copied, and a note of its type or length takes its place.
    """
    return [_without_images(document) for document in documents]


def _without_images(document: Document) -> Document:
    text = _redacted(document.page_content, _DEPTH)
    metadata = _redacted(document.metadata, _DEPTH)
    if text is document.page_content and metadata is document.metadata:
        return document
    return document.model_copy(update={"page_content": text, "metadata": metadata})


def _redacted(value: object, depth: int) -> object:
    match value:
        case str():
            is_encoded = len(value) > _LONG and (_DATA_URI.match(value) or _BASE64.match(value))
            return f"[{len(value)} characters left out]" if is_encoded else value
        case bytes() | bytearray() | memoryview():
            return f"[{len(value)} bytes left out]"
        case _ if depth and is_mapping(value):
            shown = _redacted_values(list(value.values()), depth)
            return value if shown is None else dict(zip(value, shown, strict=True))
        case _ if depth and is_list(value):
            return _redacted_values(value, depth) or value
        case _:
            is_image = isinstance(value, Blob) or is_pillow(value)
            return f"[{type(value).__name__} left out]" if is_image else value


def _redacted_values(values: Sequence[object], depth: int) -> list[object] | None:
    shown = [_redacted(value, depth - 1) for value in values]
    return None if all(map(operator.is_, values, shown)) else shown
