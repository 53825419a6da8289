"""
Between LangChain's documents and what can be ranked. Pure: nothing is read or fetched.

A text document must never become an image by accident (web search puts thumbnails of other sites
into the metadata): images beside a text count only where the user names their field.
"""

from collections.abc import Callable, Mapping, Sequence

from langchain_core.documents import Document
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import Placement, Unscorable

from .fields import with_fields
from .images import Image, image_in, image_in_text, is_image_file, is_mapping, is_prose
from .items import item_content, joined, mapping_content
from .pillow import LazyContent, PillowImage

# Of several fields, one whose image can be sent is better than a file, which may be out of reach.
_BEST_FIRST = (str, PillowImage, LocalImage, Unscorable)

# Fields seen in stores, loaders and cookbooks. What is inline comes before what must be fetched.
_INLINE_KEYS = ("image", "image_base64", "image_b64", "image_bytes", "image_data")
_REMOTE_KEYS = ("image_url", "image_uri", "image_gsurl", "image_path")
_IMAGE_KEYS = (*_INLINE_KEYS, *_REMOTE_KEYS)
_FILE_KEYS = ("source", "file_path")
"""Where loaders note the file of any document: an image only if the name says so."""

_set = object.__setattr__


def contents(
    items: Sequence[object],
    *,
    image_keys: Sequence[str] = (),
    rank_fields: Sequence[str] = (),
    converter: Callable[[Document], object] | None = None,
) -> list[LazyContent]:
    """
    Tell what of each item is ranked: its text, its image, both, or nothing.

    Args:
        items: Documents; also what else `item_content` takes.
        image_keys: Metadata fields whose image belongs to the text beside it.
        rank_fields: Metadata fields that are put before the text; in a mapping, other keys.
        converter: Tells what of a document is ranked, instead of all rules.

    Raises:
        InvalidRequestError: If an item, or what the converter made of it, is nothing of these.
    """
    if not image_keys and not rank_fields and converter is None:
        texts = [item.page_content for item in items if isinstance(item, Document)]
        if len(texts) == len(items) and all(map(is_prose, texts)):
            return [*texts]
    found: list[LazyContent] = []
    for at, item in enumerate(items):
        if not isinstance(item, Document):
            found.append(item_content(item, at, rank_fields))
        elif converter is None:
            found.append(_document_content(item, image_keys, rank_fields))
        else:
            found.append(_converted_content(converter(item), at))
    return found


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
    return [
        _scored(documents[placed.index], placed.relevance_score, score_key)
        for placed in placement.order
    ]


def _scored(document: Document, score: float | None, score_key: str) -> Document:
    metadata = {**document.metadata}
    metadata.pop(score_key, None)
    if score is not None:
        metadata[score_key] = score
    # A copy keeps the id, the subclass and its state; metadata values may be impossible to copy.
    if type(document) is not Document:
        return document.model_copy(update={"metadata": metadata})
    # The same in half the time, for there may be thousands.
    copy = Document.__new__(Document)
    _set(copy, "__dict__", {**document.__dict__, "metadata": metadata})
    _set(copy, "__pydantic_fields_set__", {*document.__pydantic_fields_set__, "metadata"})
    _set(copy, "__pydantic_extra__", document.__pydantic_extra__)
    _set(copy, "__pydantic_private__", document.__pydantic_private__)
    return copy


def _document_content(
    document: Document, image_keys: Sequence[str], rank_fields: Sequence[str]
) -> LazyContent:
    text = document.page_content
    if not image_keys and not rank_fields and is_prose(text):
        return text
    metadata: Mapping[object, object] = document.metadata
    image: Image | None = image_in_text(text)
    if image is not None:
        return joined(with_fields("", metadata, rank_fields), image)
    if text.strip() and not image_keys:
        return with_fields(text, metadata, rank_fields)
    found = _images(metadata, image_keys)
    if not text.strip():
        found += _images(metadata, _IMAGE_KEYS) + _image_files(metadata)
    best = min(found, key=lambda image: _BEST_FIRST.index(type(image)), default=None)
    return joined(with_fields(text, metadata, rank_fields), best)


def _converted_content(result: object, at: int) -> LazyContent:
    if result is None:
        return Unscorable("document_converter found nothing to rank")
    if isinstance(result, str | RerankDocument):
        return result
    if is_mapping(result):
        return mapping_content(result, at, ())
    raise InvalidRequestError(
        f"document_converter returned {type(result).__name__} for documents[{at}]: return a "
        "string, a mapping with text and/or image, or None when there is nothing to rank"
    )


def _images(metadata: Mapping[object, object], keys: Sequence[str]) -> list[Image]:
    images: list[Image] = []
    for key in keys:
        value = metadata.get(key)
        image = image_in(value, beside=metadata)
        if image is None and key.endswith("path") and isinstance(value, str) and value.strip():
            image = LocalImage(value)
        if image is not None:
            images.append(image)
    return images


def _image_files(metadata: Mapping[object, object]) -> list[Image]:
    values = [metadata.get(key) for key in _FILE_KEYS]
    return [
        LocalImage(value) for value in values if isinstance(value, str) and is_image_file(value)
    ]
