"""
What there is to read in the documents of a request.
"""

from collections.abc import Sequence

from openrouter_rerank.local.images import Reader, image_bytes
from openrouter_rerank.local.rerank_request import StructuredDocument


def texts(documents: Sequence[str | StructuredDocument]) -> list[str]:
    """Take the text of each document, as a model without eyes does."""
    return [document if isinstance(document, str) else document.text for document in documents]


def texts_and_images(
    documents: Sequence[str | StructuredDocument], reader: Reader | None
) -> list[str]:
    """
    Take the text of each document and the text in its image.

    Raises:
        Refusal: A document's image is none. Every image is checked before the first one is read.
    """
    images = [
        image_bytes(document.image, place) if has_image(document) else b""
        for place, document in enumerate(documents)
    ]
    return [
        f"{text}\n{reader(image)}" if image and reader else text
        for text, image in zip(texts(documents), images, strict=True)
    ]


def echo(document: str | StructuredDocument) -> dict[str, str]:
    """Repeat a document as the response does."""
    if isinstance(document, str):
        return {"text": document}
    return document.model_dump(exclude_unset=True)


def has_image(document: str | StructuredDocument) -> bool:
    """Tell whether a document brings an image, readable or not."""
    return not isinstance(document, str) and "image" in document.model_fields_set
