"""
The images that people keep in texts and in values of metadata. Pure: nothing is read or fetched.

LangChain has no image document, so there are many ways; what cannot be an image is `None`.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TypeAlias, TypeGuard

from langchain_core.documents.base import Blob
from openrouter_rerank.images import LocalImage, as_image, on_one_line
from openrouter_rerank.reranker import Unscorable

from .pillow import PillowImage, is_pillow

Image: TypeAlias = str | PillowImage | LocalImage | Unscorable
"""What can be sent, what must be encoded or read before, or why it never can be sent."""

_MEDIA_TYPE_KEYS = ("image_mime_type", "image_mimetype", "mime_type", "mimetype", "media_type")
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")

# Below this, base64 is more likely a word: the smallest GIF that decoders accept has 35 bytes.
_SHORTEST_BASE64 = 44
_BASE64_START = re.compile(rf"[A-Za-z0-9+/]{{{_SHORTEST_BASE64 - 2}}}")
# Tells the texts of most documents from images at the first word.
_IMAGE_START = re.compile(
    rf"\s*(?:data:image/|(?:[A-Za-z0-9+/][\r\n]*){{{_SHORTEST_BASE64 - 2}}})", re.IGNORECASE
)
_DATA_URI_HEAD = re.compile(
    r"data:(image/[a-z0-9.+-]+)(?:;[a-z0-9.+-]+=[^;,\s]*)*;base64,", re.IGNORECASE
)

# What `type` says in the content blocks of LangChain (v1 and v0), OpenAI and Google, and in the
# `source` of Anthropic's.
_BLOCK_TYPES = {"image", "image_url", "input_image", "media", "base64", "url"}
_BLOCK_WRAPPERS = ("image_url", "source")
_BLOCK_KEYS = ("base64", "data", "url", "image_url")


def is_prose(text: str) -> bool:
    """Tell at once, of most texts, that they are neither blank nor an image."""
    return " " in text[: _SHORTEST_BASE64 - 2].strip()


def image_in_text(text: str) -> str | Unscorable | None:
    """Return the image that a text is, whole; people who index images leave them there."""
    if not _IMAGE_START.match(text):
        return None
    if text[:100].lstrip()[:11].lower() == "data:image/":
        uri = _on_one_line(text)
        head = _DATA_URI_HEAD.match(uri)
        if head and _BASE64_START.match(uri, head.end()):
            image = as_image(uri[head.end() :], declared=head[1])
            if image is not None:
                # Large, and one of the two is enough to keep.
                return uri if image == uri else image
        # A sentence about data URIs has spaces; what has none is nothing that a model could read.
        return None if " " in uri else Unscorable("its text is a damaged data URI")
    is_base64 = _BASE64_START.match(_on_one_line(text[:200]))
    return as_image(_on_one_line(text)) if is_base64 else None


def image_in(value: object, *, beside: Mapping[object, object]) -> Image | None:
    """
    Return the image that a value is: of a metadata field, or an item that is to be ranked.

    Args:
        value: Text, bytes, a path, a content block, a `Blob` or a PIL image.
        beside: The fields around it, of which one may tell its media type.
    """
    media_type = _first_text(beside, _MEDIA_TYPE_KEYS)
    if isinstance(value, Blob):
        media_type, value = value.mimetype, value.data or value.path
    if is_pillow(value):
        return PillowImage(value)
    match value:
        case str():
            return _image_written_in(value, media_type)
        case bytes():
            return as_image(value, declared=media_type)
        case PurePath():
            return LocalImage(str(value))
        case _:
            return _image_in_block(value) if is_mapping(value) else None


def is_image_file(path: str) -> bool:
    """Tell whether a path has the name of an image."""
    return path.lower().endswith(_IMAGE_SUFFIXES) and "://" not in path


def is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    """Tell whether `value` is a mapping, of whatever it may be."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Tell whether `value` is a list or a tuple, of whatever it may be."""
    return isinstance(value, list | tuple)


def _image_written_in(value: str, media_type: str | None) -> str | LocalImage | Unscorable | None:
    text = _on_one_line(value)
    # A short word beside a media type is a name or an id, although it may decode.
    image = as_image(text, declared=media_type if len(text) >= _SHORTEST_BASE64 else None)
    if image is not None:
        return image
    scheme, found, _ = text.partition("://")
    if found and scheme.isalnum() and len(scheme) <= 10:
        return Unscorable(f"its image is at a {scheme}:// address, which cannot be sent")
    return LocalImage(text) if is_image_file(text) else None


def _image_in_block(block: Mapping[object, object]) -> Image | None:
    """Return the image of a content block."""
    # Of a file, too, the source may be a URL or base64.
    if not _is_of_an_image(block):
        return None
    for wrapper in _BLOCK_WRAPPERS:
        if is_mapping(inner := block.get(wrapper)):
            block = inner
    if not _is_of_an_image(block):
        return None
    for key in _BLOCK_KEYS:
        if isinstance(value := block.get(key), str | bytes):
            return None if _is_of_a_file(value, block) else image_in(value, beside=block)
    return None


def _is_of_an_image(block: Mapping[object, object]) -> bool:
    kind = block.get("type", "image")
    return isinstance(kind, str) and kind in _BLOCK_TYPES


def _is_of_a_file(value: str | bytes, block: Mapping[object, object]) -> bool:
    """Tell whether there is something else than an image behind a URL, which nobody looks at."""
    declared = _first_text(block, _MEDIA_TYPE_KEYS) or "image/"
    return (
        isinstance(value, str)
        and value.lower().startswith(("http://", "https://"))
        and not declared.lower().startswith(("image/", "application/octet-stream"))
    )


def _first_text(mapping: Mapping[object, object], keys: Sequence[str]) -> str | None:
    values = [mapping.get(key) for key in keys]
    return next((value for value in values if isinstance(value, str)), None)


def _on_one_line(text: str) -> str:
    """Return `text` without the line breaks that encoders put into base64."""
    return on_one_line(text).strip()
