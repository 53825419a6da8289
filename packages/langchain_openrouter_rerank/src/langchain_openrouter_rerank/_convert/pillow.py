"""
Images that are objects of PIL, which are encoded when everything else is known.

Pillow is never imported here: whoever has such an object has imported it.
"""

import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeGuard

from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.images import data_uri
from openrouter_rerank.reranker import Content, LocalImageDocument, Unscorable

# What the PNG format can hold; what it cannot becomes RGB, or 16 bits of grey.
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


LazyContent: TypeAlias = str | RerankDocument | LocalImageDocument | PillowDocument | Unscorable
"""What a document of LangChain is converted to."""


def is_pillow(value: object) -> TypeGuard[_Pillow]:
    """Tell whether `value` is an image of PIL."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(value, module.Image)


def needs_no_pillow(contents: Sequence[LazyContent]) -> TypeGuard[Sequence[Content]]:
    """Tell whether there is no image to encode."""
    return PillowDocument not in set(map(type, contents))


def encoded(contents: Sequence[LazyContent]) -> list[Content]:
    """Encode the images of PIL, which takes up to a second for each."""
    return [
        _encoded(content) if isinstance(content, PillowDocument) else content
        for content in contents
    ]


def left_out(contents: Sequence[LazyContent]) -> list[Content]:
    """Leave the images of PIL out, for a model that takes none."""
    return [
        content.text or Unscorable("its PIL image is not sent: the model takes no images")
        if isinstance(content, PillowDocument)
        else content
        for content in contents
    ]


def _encoded(document: PillowDocument) -> Content:
    image = document.image.value
    file = io.BytesIO()
    try:
        if image.format == "JPEG":
            # As it was: the same picture as PNG would be ten times as large.
            image.save(file, format="JPEG", quality="keep")
        else:
            if image.mode not in _PNG_MODES:
                image = image.convert("I;16" if image.mode == "I" else "RGB")
            # A photograph takes a quarter of the default level's time, for 3 % more bytes.
            image.save(file, format="PNG", compress_level=1)
    except Exception as error:  # noqa: BLE001 - Plugins of PIL fail in any way, when they load.
        return document.text or Unscorable(f"its PIL image fails to load: {type(error).__name__}")
    return RerankDocument(text=document.text, image=data_uri(file.getvalue()))
