"""
Find the image of a node in its fields. Pure: nothing is read, fetched or changed.

LlamaIndex's own methods for images (`resolve_image`, `get_content_blocks`) fetch URLs and read the
paths that they find in metadata. This module looks only at the fields of a node.
"""

import base64
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePath

from llama_index.core.schema import (
    BaseNode,
    Document,
    ImageDocument,
    ImageNode,
    IndexNode,
    Node,
    TextNode,
)
from openrouter_rerank.images import LocalImage, as_image, is_bytes
from openrouter_rerank.reranker import raise_if_from_signal
from pydantic import AnyUrl

# Most nodes are of these classes. Reading a field that a node does not have is slow.
_WITHOUT_IMAGE = frozenset({TextNode, IndexNode})
_ONLY_IN_RESOURCE = frozenset({Node, Document})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFields:
    """The fields of a node that may hold an image, as they were found: nothing is checked."""

    inline: object
    url: object
    path: object
    media_type: object
    is_wrapped: bool = False
    """`True` if `inline` is the base64 of what the node was made with, even of a data URI."""

    def image(self) -> str | LocalImage | None:
        """Return the first image that can be sent, or else a path that may lead to one."""
        if image := next(filter(None, self._images()), None):
            return image
        path = self.path if isinstance(self.path, str | PurePath) else ""
        return LocalImage(str(path)) if str(path).strip() else None

    def _images(self) -> Generator[str | None]:
        declared = self.media_type if isinstance(self.media_type, str) else None
        if self.is_wrapped and is_bytes(self.inline):
            # Usually this is the base64 of an image already, and need not be decoded and encoded.
            yield as_image(self.inline)
            with suppress(ValueError):
                yield as_image(base64.b64decode(self.inline), declared=declared)
        for value in (self.inline, self.url):
            if isinstance(value, str) or is_bytes(value):
                yield as_image(value, declared=declared)


def image_fields(node: BaseNode) -> ImageFields | None:
    """Return the fields of `node` for an image, or `None` if it has none. Nothing is decoded."""
    if type(node) in _WITHOUT_IMAGE:
        return None
    resource = _field(node, "image_resource")
    if resource is not None:
        return ImageFields(
            inline=_field(resource, "data"),
            is_wrapped=True,
            url=_url_as_text(_field(resource, "url")),
            path=_field(resource, "path"),
            media_type=_field(resource, "mimetype"),
        )
    if type(node) in _ONLY_IN_RESOURCE:
        return None
    fields = ImageFields(
        inline=_field(node, "image"),
        url=_url_as_text(_field(node, "image_url")),
        path=_field(node, "image_path"),
        media_type=_field(node, "image_mimetype"),
    )
    found = any(value is not None for value in (fields.inline, fields.url, fields.path))
    return fields if found or isinstance(node, ImageNode | ImageDocument) else None


def _url_as_text(url: object) -> object:
    # The URL of a media resource is an object of pydantic.
    return str(url) if isinstance(url, AnyUrl) else url


def _field(owner: object, name: str) -> object:
    # A property of a user's class may raise any exception. Such a field counts as empty.
    try:
        return getattr(owner, name, None)
    except Exception as error:  # noqa: BLE001 - as the comment above says
        raise_if_from_signal(error)
        return None
