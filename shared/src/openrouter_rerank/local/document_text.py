"""
The text of the documents of a request: what a scorer reads.
"""

from collections.abc import Sequence

from openrouter_rerank.local.images import OCREngine, image_bytes
from openrouter_rerank.local.rerank_request import StructuredDocument


def document_texts(documents: Sequence[str | StructuredDocument]) -> list[str]:
    """Return the text of each document without its image, as a model for text reads it."""
    return [document if isinstance(document, str) else document.text for document in documents]


def document_and_image_texts(
    documents: Sequence[str | StructuredDocument], ocr_engine: OCREngine | None
) -> list[str]:
    """
    Return the text of each document, followed by the text printed in its image.

    Args:
        documents: The documents of a request.
        ocr_engine: Reads the images. Without it, images add no text.

    Raises:
        RequestRejectedError: If an image is invalid. All images are checked before the first
            is read.
    """
    images = [
        b"" if (image := document_image(document)) is None else image_bytes(image, index)
        for index, document in enumerate(documents)
    ]
    return [
        f"{text}\n{ocr_engine(image)}" if image and ocr_engine else text
        for text, image in zip(document_texts(documents), images, strict=True)
    ]


def document_image(document: str | StructuredDocument) -> str | None:
    """Return the `image` field of a document as it was sent, or `None` if it has none."""
    if isinstance(document, str) or "image" not in document.model_fields_set:
        return None
    return document.image


def echoed_document(document: str | StructuredDocument) -> dict[str, str]:
    """Return a document in the form in which the response repeats it."""
    if isinstance(document, str):
        return {"text": document}
    return document.model_dump(exclude_unset=True)
