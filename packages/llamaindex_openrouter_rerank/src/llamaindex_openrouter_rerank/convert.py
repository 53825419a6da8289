"""
Between LlamaIndex's nodes and what is ranked. Pure: nothing is read, fetched or changed.

LlamaIndex's own ways to an image (`resolve_image`, `get_content_blocks`) fetch URLs and read the
paths they find in metadata, so only the fields of a node are looked at here.
"""

import base64
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath

from llama_index.core.schema import (
    BaseNode,
    ImageDocument,
    ImageNode,
    MetadataMode,
    NodeWithScore,
)
from openrouter_rerank.documents import Content, LocalImageDocument, RerankDocument, Unscorable
from openrouter_rerank.images import LocalImage, as_image
from openrouter_rerank.placement import Placement
from pydantic import AnyUrl


def contents(nodes: Sequence[NodeWithScore], *, metadata_mode: MetadataMode) -> list[Content]:
    """
    Tell, for each node, what of it can be ranked.

    A node of any class is taken; one that fails to give its content has nothing to rank.

    Args:
        nodes: What a retriever has found.
        metadata_mode: Which metadata stand beside the text. They never stand for an image.
    """
    return [_content(item.node, metadata_mode) for item in nodes]


def ranked(nodes: Sequence[NodeWithScore], placement: Placement) -> list[NodeWithScore]:
    """
    Put the nodes in the order of `placement`, with its scores.

    Each item is new and its node is the one passed in, so that tools and stores which look nodes
    up by identity find them. Where nothing was ranked, the retriever's scores stay.
    """
    if placement.ranking is None:
        return [nodes[placed.index].model_copy() for placed in placement.order]
    return [
        nodes[placed.index].model_copy(update={"score": placed.relevance_score})
        for placed in placement.order
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _ImageFields:
    """Where a node may keep its image, as unchecked as it was found."""

    inline: object
    url: object
    path: object
    media_type: object

    def image(self) -> str | LocalImage | None:
        declared = self.media_type if isinstance(self.media_type, str) else None
        for value in (self.inline, self.url):
            if isinstance(value, str | bytes) and (image := as_image(value, declared=declared)):
                return image
        path = self.path if isinstance(self.path, str | PurePath) else ""
        return LocalImage(str(path)) if str(path).strip() else None


def _content(node: BaseNode, metadata_mode: MetadataMode) -> Content:
    fields = _image_fields(node)
    text = _text(node, metadata_mode, beside_image=fields is not None)
    words = text if isinstance(text, str) and text.strip() else None
    image = None if fields is None else fields.image()
    if isinstance(image, LocalImage):
        return LocalImageDocument(text=words, image=image)
    if image is not None:
        return RerankDocument(text=words, image=image)
    if fields is not None and text == "":
        return Unscorable(
            f"{_named(node)} has no text, and its image is gone (storage keeps no image data) or "
            "is neither an http(s) URL, a data URI nor base64 of an image"
        )
    return text


def _text(node: BaseNode, metadata_mode: MetadataMode, *, beside_image: bool) -> str | Unscorable:
    try:
        if beside_image and not _string(node.get_content(metadata_mode=MetadataMode.NONE)).strip():
            # What is left is metadata, most often a file name: it says nothing about the picture.
            return ""
        return _string(node.get_content(metadata_mode=metadata_mode))
    except Exception as error:  # noqa: BLE001 - A node of a foreign class may fail in any way
        return Unscorable(f"{_named(node)} fails to give its content: {type(error).__name__}")


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _image_fields(node: BaseNode) -> _ImageFields | None:
    resource = _field(node, "image_resource")
    if resource is not None:
        return _ImageFields(
            inline=_unwrapped(_field(resource, "data")),
            url=_address(_field(resource, "url")),
            path=_field(resource, "path"),
            media_type=_field(resource, "mimetype"),
        )
    fields = _ImageFields(
        inline=_field(node, "image"),
        url=_address(_field(node, "image_url")),
        path=_field(node, "image_path"),
        media_type=_field(node, "image_mimetype"),
    )
    found = any(value is not None for value in (fields.inline, fields.url, fields.path))
    return fields if found or isinstance(node, ImageNode | ImageDocument) else None


def _unwrapped(data: object) -> object:
    # A media resource keeps base64 of whatever it was given, even of a data URI.
    if isinstance(data, bytes):
        with suppress(ValueError):
            return base64.b64decode(data)
    return data


def _address(url: object) -> object:
    # Media resources have their URL as an object of pydantic's.
    return str(url) if isinstance(url, AnyUrl) else url


def _field(owner: object, name: str) -> object:
    # A property of a foreign class may fail in any way, and then there is nothing.
    with suppress(Exception):
        return getattr(owner, name, None)
    return None


def _named(node: BaseNode) -> str:
    return f"the {type(node).__name__}"
