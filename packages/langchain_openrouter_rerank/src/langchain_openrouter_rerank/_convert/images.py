"""
The ways in which people store an image in a text or in a metadata value.

LangChain has no document for images, so there are many ways. The result for a value that cannot be
an image is `None`.
"""

import math
import re
from collections.abc import Mapping, Sequence, Sized
from pathlib import PurePath
from typing import Final, TypeAlias, TypeGuard

from langchain_core.documents.base import Blob
from openrouter_rerank.images import (
    LocalImage,
    as_image,
    is_bytes,
    is_complete,
    is_url,
    on_one_line,
)
from openrouter_rerank.reranker import ErrorsSuppressed, Unscorable

from .pillow import PillowImage, is_pillow

Image: TypeAlias = str | PillowImage | LocalImage | Unscorable
"""An image that can be sent, one to encode or read first, or why it can never be sent."""

_MEDIA_TYPE_KEYS = ("image_mime_type", "image_mimetype", "mime_type", "mimetype", "media_type")
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")

# Shorter base64 is more likely a word: the smallest GIF that decoders accept has 35 bytes.
_SHORTEST_BASE64: Final = 44
SHORTEST_BASE64_RUN: Final = _SHORTEST_BASE64 - 2
"""The same without padding: the characters of base64 that an image as text has at least."""
_BASE64_START = re.compile(rf"[A-Za-z0-9+/_-]{{{SHORTEST_BASE64_RUN}}}")
# For most texts, the first word decides that they are not an image.
_IMAGE_START = re.compile(
    rf"\s*(?:(data:image/)|(?:[A-Za-z0-9+/_-][\r\n]*){{{SHORTEST_BASE64_RUN}}})", re.IGNORECASE
)
_DATA_URI_HEAD = re.compile(
    r"data:(image/[a-z0-9.+-]+)(?:;[a-z0-9.+-]+=[^;,\s]*)*;base64,", re.IGNORECASE
)

# The values of `type` in the content blocks of LangChain (v1 and v0), OpenAI and Google, and in the
# `source` of Anthropic's content blocks.
_BLOCK_TYPES = {"image", "image_url", "input_image", "media", "base64", "url"}
_BLOCK_WRAPPERS = ("image_url", "source")
_BLOCK_KEYS = ("base64", "data", "url", "image_url")

_HTTP_PROBLEM = "the image is at an http(s) URL without a host or with spaces in it"
_OTHER_ADDRESS = "the image is at an address that is not http(s), which cannot be sent"


def image_in_text(text: str) -> str | Unscorable | None:
    """Return the image that a whole text is; people who index images store them as texts."""
    start = _IMAGE_START.match(text)
    if start is None:
        return None
    if start[1] is not None:
        uri = _without_line_breaks(text)
        head = _DATA_URI_HEAD.match(uri)
        if head and _BASE64_START.match(uri, head.end()):
            image = _image_of_base64(uri[head.end() :], declared=head[1])
            if image is not None:
                # Images are large, so the second of two equal strings is not kept.
                return uri if image == uri else image
        # A sentence about data URIs has spaces. A text without spaces is not one that a model could
        # read.
        return None if " " in uri else Unscorable("the text is a damaged data URI")
    return _image_of_base64(_without_line_breaks(text))


def _image_of_base64(text: str, declared: str | None = None) -> str | None:
    image = as_image(text, declared=declared)
    # Base64 without padding may also be the beginning of an image that a text splitter has cut.
    is_cut = image is not None and len(text) % 4 and not is_complete(image)
    return None if is_cut else image


def image_in(value: object, *, fields: Mapping[object, object]) -> Image | None:
    """
    Return the image that a value is: the value of a metadata field, or an item to rank.

    Args:
        value: A string, bytes (of any type), a path, a content block, a `Blob` or an image of PIL.
        fields: The fields that the value was found in, one of which may name its media type.
    """
    media_type = _first_string(fields, _MEDIA_TYPE_KEYS)
    if isinstance(value, Blob):
        media_type, value = value.mimetype, value.data or value.path
    if is_pillow(value):
        return PillowImage(value)
    match value:
        case str():
            return _image_in_string(value, media_type)
        case bytes() | bytearray() | memoryview():
            return as_image(value, declared=media_type)
        case PurePath():
            return LocalImage(str(value))
        case _:
            return _image_in_block(value) if is_mapping(value) else None


def problem_of_field(name: str, value: object) -> Unscorable | None:
    """Return why there is no image in the field `name`. An empty field has no problem."""
    if _is_empty(value):
        return None
    return Unscorable(
        f"the field {name!r:.50} has no image (pass a URL, a data URI, base64, bytes or a path)"
    )


def _is_empty(value: object) -> bool:
    # Tables used as stores have NaN in empty cells.
    if isinstance(value, float):
        return math.isnan(value)
    if isinstance(value, str):
        return not value.strip()
    with ErrorsSuppressed():  # An array of NumPy without dimensions has no length
        return value is None or (isinstance(value, Sized) and not len(value))
    return False


def is_image_block(block: Mapping[object, object]) -> bool:
    """Return `True` if a content block says that it is an image."""
    return block.get("type") in {"image", "image_url", "input_image"}


def is_image_file(path: str) -> bool:
    """Return `True` if `path` ends like the name of an image file."""
    return path.lower().endswith(_IMAGE_SUFFIXES) and "://" not in path


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Return `True` if `value` is a mapping, of any keys and values."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Return `True` if `value` is a list or a tuple, of any values."""
    return isinstance(value, list | tuple)


def _image_in_string(value: str, media_type: str | None) -> str | LocalImage | Unscorable | None:
    text = _without_line_breaks(value)
    # A short word with a media type is a name or an id, although it may decode.
    image = as_image(text, declared=media_type if len(text) >= _SHORTEST_BASE64 else None)
    if image is not None:
        return image
    scheme, found, _ = text.partition("://")
    if found and scheme.isalnum() and len(scheme) <= 10:
        # Without the scheme, which is a text of the document.
        return Unscorable(_HTTP_PROBLEM if is_url(text) else _OTHER_ADDRESS)
    return LocalImage(text) if is_image_file(text) else None


def _image_in_block(block: Mapping[object, object]) -> Image | None:
    """Return the image of a content block."""
    # Blocks of files have such sources too, a URL or base64, so the type of the block is checked
    # before the type of its source.
    if not _is_of_image_type(block):
        return None
    for wrapper in _BLOCK_WRAPPERS:
        if is_mapping(inner := block.get(wrapper)):
            block = inner
    if not _is_of_image_type(block):
        return None
    for key in _BLOCK_KEYS:
        value = block.get(key)
        if isinstance(value, str) or is_bytes(value):
            return None if _is_url_of_other_file(value, block) else image_in(value, fields=block)
    return None


def _is_of_image_type(block: Mapping[object, object]) -> bool:
    kind = block.get("type", "image")
    return isinstance(kind, str) and kind in _BLOCK_TYPES


def _is_url_of_other_file(value: object, block: Mapping[object, object]) -> bool:
    """
    Return `True` if the block says that the file at its URL, which is not read, is not an image.
    """
    declared = _first_string(block, _MEDIA_TYPE_KEYS) or "image/"
    return (
        isinstance(value, str)
        and value.lower().startswith(("http://", "https://"))
        and not declared.lower().startswith(("image/", "application/octet-stream"))
    )


def _first_string(mapping: Mapping[object, object], keys: Sequence[str]) -> str | None:
    values = [mapping.get(key) for key in keys]
    return next((value for value in values if isinstance(value, str)), None)


def _without_line_breaks(text: str) -> str:
    """Return `text` without the line breaks that encoders put into base64, and without margins."""
    return on_one_line(text).strip()
