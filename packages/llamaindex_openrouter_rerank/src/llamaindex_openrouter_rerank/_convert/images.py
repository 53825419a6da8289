"""
Where a node may keep its image. Pure: nothing is read, fetched or changed.

LlamaIndex's own ways to an image (`resolve_image`, `get_content_blocks`) fetch URLs and read the
paths they find in metadata, so only the fields of a node are looked at here.
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
from openrouter_rerank.images import LocalImage, as_image
from pydantic import AnyUrl

# Most nodes are of these classes, and asking one for fields that it has not is slow.
_WITHOUT_IMAGE = frozenset({TextNode, IndexNode})
_IMAGE_IN_RESOURCE = frozenset({Node, Document})


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFields:
    """Where a node may keep its image, as unchecked as it was found."""

    inline: object
    url: object
    path: object
    media_type: object
    is_wrapped: bool = False
    """Whether `inline` is base64 of whatever was given, even of a data URI."""

    def image(self) -> str | LocalImage | None:
        """Return the first image in them that can be sent, else the path that may hold one."""
        if image := next(filter(None, self._images()), None):
            return image
        path = self.path if isinstance(self.path, str | PurePath) else ""
        return LocalImage(str(path)) if str(path).strip() else None

    def _images(self) -> Generator[str | None]:
        declared = self.media_type if isinstance(self.media_type, str) else None
        if self.is_wrapped and isinstance(self.inline, bytes):
            # An image in base64 most often, which need not be unwrapped and wrapped again.
            yield as_image(self.inline)
            with suppress(ValueError):
                yield as_image(base64.b64decode(self.inline), declared=declared)
        for value in (self.inline, self.url):
            if isinstance(value, str | bytes):
                yield as_image(value, declared=declared)


def image_fields(node: BaseNode) -> ImageFields | None:
    """Return the fields of `node` for an image, `None` if it has none; nothing is decoded yet."""
    if type(node) in _WITHOUT_IMAGE:
        return None
    resource = _field(node, "image_resource")
    if resource is not None:
        return ImageFields(
            inline=_field(resource, "data"),
            is_wrapped=True,
            url=_address(_field(resource, "url")),
            path=_field(resource, "path"),
            media_type=_field(resource, "mimetype"),
        )
    if type(node) in _IMAGE_IN_RESOURCE:
        return None
    fields = ImageFields(
        inline=_field(node, "image"),
        url=_address(_field(node, "image_url")),
        path=_field(node, "image_path"),
        media_type=_field(node, "image_mimetype"),
    )
    found = any(value is not None for value in (fields.inline, fields.url, fields.path))
    return fields if found or isinstance(node, ImageNode | ImageDocument) else None


def _address(url: object) -> object:
    # Media resources have their URL as an object of pydantic's.
    return str(url) if isinstance(url, AnyUrl) else url


def _field(owner: object, name: str) -> object:
    # A property of a foreign class may fail in any way, and then there is nothing.
    with suppress(Exception):
        return getattr(owner, name, None)
    return None
