"""
Between LangChain's documents and what can be ranked. Pure: nothing is read or fetched.

LangChain has no image document, so people put images into the text or into the metadata, in many
ways. A text document must never become an image by accident (web search puts thumbnails of other
sites into the metadata): images beside a text count only where the user names their field.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TypeAlias, TypeGuard

from langchain_core.documents import Document
from langchain_core.documents.base import Blob
from openrouter_rerank.documents import Content, LocalImageDocument, RerankDocument, Unscorable
from openrouter_rerank.images import LocalImage, as_image
from openrouter_rerank.placement import Placed, Placement

_Image: TypeAlias = str | LocalImage | Unscorable
# Of several fields, one whose image can be sent is better than a file, which may be out of reach.
_BEST_FIRST = (str, LocalImage, Unscorable)

# Fields seen in stores, loaders and cookbooks. What is inline comes before what must be fetched.
_INLINE_KEYS = ("image", "image_base64", "image_b64", "image_bytes", "image_data")
_REMOTE_KEYS = ("image_url", "image_uri", "image_gsurl", "image_path")
_IMAGE_KEYS = (*_INLINE_KEYS, *_REMOTE_KEYS)
_FILE_KEYS = ("source", "file_path")
"""Where loaders note the file of any document: an image only if the name says so."""
_MEDIA_TYPE_KEYS = ("image_mime_type", "image_mimetype", "mime_type", "mimetype", "media_type")
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".webp")

# Below this, base64 is more likely a word: the smallest GIF that decoders accept has 35 bytes.
_SHORTEST_BASE64 = 44
_BASE64_START = re.compile(rf"[A-Za-z0-9+/]{{{_SHORTEST_BASE64 - 2}}}")
_DATA_URI_HEAD = re.compile(
    r"data:(image/[a-z0-9.+-]+)(?:;[a-z0-9.+-]+=[^;,\s]*)*;base64,", re.IGNORECASE
)

# What `type` says in the content blocks of LangChain (v1 and v0), OpenAI and Google, and in the
# `source` of Anthropic's.
_BLOCK_TYPES = {"image", "image_url", "input_image", "media", "base64", "url"}
_BLOCK_WRAPPERS = ("image_url", "source")
_BLOCK_KEYS = ("base64", "data", "url", "image_url")


def contents(documents: Sequence[Document], *, image_keys: Sequence[str] = ()) -> list[Content]:
    """
    Tell what of each document is ranked: its text, its image, both, or nothing.

    Args:
        documents: What a retriever has found.
        image_keys: Metadata fields whose image belongs to the text beside it.
    """
    return [_content(document, image_keys) for document in documents]


def ranked(
    documents: Sequence[Document], placement: Placement, *, score_key: str
) -> list[Document]:
    """
    Return the documents in the order of `placement`, as copies that carry their scores.

    When nothing was ranked, the documents come back themselves, with the scores they had.

    Args:
        documents: Those that were converted.
        placement: Where each of them ends up.
        score_key: The metadata field of the score. It never holds one of an earlier ranking.
    """
    if placement.ranking is None:
        return [documents[placed.index] for placed in placement.order]
    return [_scored(documents[placed.index], placed, score_key) for placed in placement.order]


def _scored(document: Document, placed: Placed, score_key: str) -> Document:
    metadata = {key: value for key, value in document.metadata.items() if key != score_key}
    if placed.relevance_score is not None:
        metadata[score_key] = placed.relevance_score
    # A copy keeps the id, the subclass and its state; metadata values may be impossible to copy.
    return document.model_copy(update={"metadata": metadata})


def _content(document: Document, image_keys: Sequence[str]) -> Content:
    text = document.page_content
    metadata: Mapping[object, object] = document.metadata
    image = _image_as_text(text)
    if image is not None:
        return RerankDocument(image=image) if isinstance(image, str) else image
    is_blank = not text.strip()
    found = _images_beside_text(metadata, image_keys)
    if is_blank:
        found += _images_beside_text(metadata, _IMAGE_KEYS) + _image_files(metadata)
    best = min(found, key=lambda image: _BEST_FIRST.index(type(image)), default=None)
    match best:
        case str():
            return RerankDocument(text=None if is_blank else text, image=best)
        case LocalImage():
            return LocalImageDocument(text=None if is_blank else text, image=best)
        case Unscorable() if is_blank:
            return best
        case _:
            return text


def _image_as_text(text: str) -> str | Unscorable | None:
    """Return the image that a text is, whole; people who index images leave them there."""
    if text[:100].lstrip()[:11].lower() == "data:image/":
        uri = _on_one_line(text)
        head = _DATA_URI_HEAD.match(uri)
        if head and _BASE64_START.match(uri, head.end()):
            image = as_image(uri[head.end() :], declared=head[1])
            if image is not None:
                return image
        # A sentence about data URIs has spaces; what has none is nothing that a model could read.
        return None if " " in uri else Unscorable("its text is a damaged data URI")
    whole = _on_one_line(text)
    return as_image(whole) if _BASE64_START.match(whole) else None


def _images_beside_text(metadata: Mapping[object, object], keys: Sequence[str]) -> list[_Image]:
    media_type = _first_text(metadata, _MEDIA_TYPE_KEYS)
    images: list[_Image] = []
    for key in keys:
        value = metadata.get(key)
        image = _image(value, media_type)
        if image is None and key.endswith("path") and isinstance(value, str) and value.strip():
            image = LocalImage(value)
        if image is not None:
            images.append(image)
    return images


def _image_files(metadata: Mapping[object, object]) -> list[_Image]:
    values = [metadata.get(key) for key in _FILE_KEYS]
    return [LocalImage(value) for value in values if isinstance(value, str) and _is_file(value)]


def _image(value: object, media_type: str | None) -> _Image | None:
    if isinstance(value, Blob):
        media_type, value = value.mimetype, value.data or value.path
    match value:
        case str():
            return _image_in_text(value, media_type)
        case bytes():
            return as_image(value, declared=media_type)
        case PurePath():
            return LocalImage(str(value))
        case _:
            return _image_in_block(value) if _is_mapping(value) else None


def _image_in_text(value: str, media_type: str | None) -> _Image | None:
    text = _on_one_line(value)
    # A short word beside a media type is a name or an id, although it may decode.
    image = as_image(text, declared=media_type if len(text) >= _SHORTEST_BASE64 else None)
    if image is not None:
        return image
    scheme, found, _ = text.partition("://")
    if found and scheme.isalnum() and len(scheme) <= 10:
        return Unscorable(f"its image is at a {scheme}:// address, which cannot be sent")
    return LocalImage(text) if _is_file(text) else None


def _image_in_block(block: Mapping[object, object]) -> _Image | None:
    """Return the image of a content block."""
    for wrapper in _BLOCK_WRAPPERS:
        if _is_mapping(inner := block.get(wrapper)):
            block = inner
    if block.get("type", "image") not in _BLOCK_TYPES:
        return None
    media_type = _first_text(block, _MEDIA_TYPE_KEYS)
    for key in _BLOCK_KEYS:
        match block.get(key):
            case str() as value:
                return _image_in_text(value, media_type)
            case bytes() as value:
                return as_image(value, declared=media_type)
            case _:
                continue
    return None


def _first_text(mapping: Mapping[object, object], keys: Sequence[str]) -> str | None:
    values = [mapping.get(key) for key in keys]
    return next((value for value in values if isinstance(value, str)), None)


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def _is_file(value: str) -> bool:
    return value.lower().endswith(_IMAGE_SUFFIXES) and "://" not in value


def _on_one_line(text: str) -> str:
    """Return `text` without the line breaks that encoders put into base64."""
    return text.replace("\r", "").replace("\n", "").strip()
