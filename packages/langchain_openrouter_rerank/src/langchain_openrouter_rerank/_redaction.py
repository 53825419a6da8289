"""
Documents without their images, for traces: services that collect them refuse large ones. Pure.
"""

import operator
import re
from collections.abc import Sequence

from langchain_core.documents import Document
from langchain_core.documents.base import Blob

from ._convert.images import is_list, is_mapping
from ._convert.pillow import is_pillow

_LONG = 200
_DATA_URI = re.compile(r"\s*data:[a-z]+/", re.IGNORECASE)
# Encoders break lines after 76 characters.
_BASE64 = re.compile(r"\s*(?:[A-Za-z0-9+/]{60,}\s*){2}")
_DEPTH = 4
"""How deep in the metadata content blocks may lie."""


def redacted(documents: Sequence[Document]) -> list[Document]:
    """Return the documents; those with images, bytes or long base64 as copies without them."""
    return [_redacted_document(document) for document in documents]


def _redacted_document(document: Document) -> Document:
    text = _redacted(document.page_content, _DEPTH)
    metadata = _redacted(document.metadata, _DEPTH)
    if text is document.page_content and metadata is document.metadata:
        return document
    return document.model_copy(update={"page_content": text, "metadata": metadata})


def _redacted(value: object, depth: int) -> object:
    match value:
        case str():
            is_coded = len(value) > _LONG and (_DATA_URI.match(value) or _BASE64.match(value))
            return f"[{len(value)} characters left out]" if is_coded else value
        case bytes() | bytearray():
            return f"[{len(value)} bytes left out]"
        case _ if depth and is_mapping(value):
            clean = _redacted_all(list(value.values()), depth)
            return value if clean is None else dict(zip(value, clean, strict=True))
        case _ if depth and is_list(value):
            return _redacted_all(value, depth) or value
        case _:
            is_image = isinstance(value, Blob) or is_pillow(value)
            return f"[{type(value).__name__} left out]" if is_image else value


def _redacted_all(values: Sequence[object], depth: int) -> list[object] | None:
    clean = [_redacted(value, depth - 1) for value in values]
    return None if all(map(operator.is_, values, clean)) else clean
