"""
Images that are objects of PIL, which are encoded after all documents were converted.

Pillow is never imported here: a program that has such an object has imported it.
"""

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeGuard

from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.images import uri_of_bytes
from openrouter_rerank.reranker import (
    LocalImageDocument,
    Unscorable,
    WithoutImage,
    raise_if_from_signal,
)

# The modes that PNG supports. Images of other modes are converted to RGB, or to 16 bits of grey.
_PNG_MODES = {"1", "L", "LA", "I;16", "P", "RGB", "RGBA"}


class _Pillow(Protocol):
    format: str | None
    mode: str

    def convert(self, mode: str) -> "_Pillow": ...
    def save(self, fp: io.BytesIO, format: str, **params: str | int) -> None: ...  # noqa: A002 - PIL's


@dataclass(frozen=True, slots=True)
class PillowImage:
    """An object of PIL, which may not have been decoded yet."""

    value: _Pillow


@dataclass(frozen=True, slots=True, kw_only=True)
class PillowDocument:
    """A document whose image is an object of PIL."""

    text: str | None = None
    image: PillowImage


SendableContent: TypeAlias = str | RerankDocument | LocalImageDocument | WithoutImage | Unscorable
"""What of a document is ranked, in the forms that the core accepts."""

LazyContent: TypeAlias = SendableContent | PillowDocument
"""What of a document is ranked, before images of PIL are encoded."""


def is_pillow(value: object) -> TypeGuard[_Pillow]:
    """Return `True` if `value` is an image of PIL."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def with_encoded_images(
    contents: Sequence[LazyContent], *, refusal: str | None
) -> list[SendableContent]:
    """
    Encode the images of PIL, which takes up to a second for each.

    Args:
        contents: What of each document is ranked.
        refusal: Why no image is sent, so that none is encoded. `None` if images are sent.
    """
    return [
        _sendable(content, refusal) if isinstance(content, PillowDocument) else content
        for content in contents
    ]


def _sendable(document: PillowDocument, refusal: str | None) -> SendableContent:
    return _encoded(document) if refusal is None else _without_image(document, refusal)


def _without_image(document: PillowDocument, reason: str) -> SendableContent:
    if document.text is None:
        return Unscorable(reason)
    return WithoutImage(text=document.text, reason=reason)


def _encoded(document: PillowDocument) -> SendableContent:
    image = document.image.value
    file = io.BytesIO()
    try:
        if image.format == "JPEG":
            # Encoded as it was. As PNG, the same picture would be ten times as large.
            image.save(file, format="JPEG", quality="keep")
        else:
            if image.mode not in _PNG_MODES:
                image = image.convert("I;16" if image.mode == "I" else "RGB")
            # For a photograph, this level takes a quarter of the default level's time and makes 3 %
            # more bytes.
            image.save(file, format="PNG", compress_level=1)
    except Exception as error:  # noqa: BLE001 - PIL's plugins raise anything when they load.
        raise_if_from_signal(error)
        return _without_image(document, f"the PIL image fails to load: {type(error).__name__}")
    return RerankDocument(text=document.text, image=uri_of_bytes(file.getvalue()))
