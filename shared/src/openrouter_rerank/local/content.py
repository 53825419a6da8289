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
        RefusedError: A document's image is none. All are checked before the first is read.
    """
    images = [
        b"" if (image := image_of(document)) is None else image_bytes(image, place)
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


def image_of(document: str | StructuredDocument) -> str | None:
    """Take the image of a document as it came, `None` if it brings none."""
    if isinstance(document, str) or "image" not in document.model_fields_set:
        return None
    return document.image
