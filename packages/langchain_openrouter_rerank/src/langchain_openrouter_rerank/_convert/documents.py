"""
LangChain's documents: what of each document is ranked, and the documents in their new order.

A document with a text must never become an image by accident: web search stores thumbnails of other
sites in the metadata. An image counts together with a text only if the user names its field.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TypeGuard

from langchain_core.documents import Document
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import (
    PASSAGE_KEY,
    RETRIEVAL_SCORE,
    ErrorsSuppressed,
    Placement,
    Unscorable,
    passage_metadata,
)

from .fields import with_fields
from .images import (
    SHORTEST_BASE64_RUN,
    Image,
    image_in,
    image_in_text,
    is_image_file,
    is_mapping,
    problem_of_field,
)
from .items import item_content, joined, mapping_content, with_data_uri
from .pillow import LazyContent, PillowImage

# If several fields hold an image, one that can be sent is better than a file, which may be outside
# of `image_root`.
_BEST_FIRST = (str, PillowImage, LocalImage, Unscorable)

# Fields seen in stores, loaders and cookbooks. Images in the metadata themselves come before images
# at a URL or in a file.
_INLINE_KEYS = ("image", "image_base64", "image_b64", "image_bytes", "image_data")
_REMOTE_KEYS = ("image_url", "image_uri", "image_gsurl", "image_path")
_IMAGE_KEYS = (*_INLINE_KEYS, *_REMOTE_KEYS)
_FILE_KEYS = ("source", "file_path")
"""Where loaders store the path of any file; it is an image only if its name ends like one."""

_set = object.__setattr__


def checked_documents(documents: Iterable[object]) -> list[Document]:
    """
    Return the documents in a new list, because the caller's may change during the call.

    Raises:
        InvalidRequestError: If there is no list, or one of its items is not a `Document`.
    """
    given = _as_list(documents)
    if _are_documents(given):
        return given
    at, wrong = next((at, d) for at, d in enumerate(given) if not isinstance(d, Document))
    _refuse_scored(wrong, at)
    raise InvalidRequestError(
        f"documents[{at}] is of type {type(wrong).__name__}: "
        "wrap it, Document(page_content=...), or pass what a retriever returns"
    )


def checked_items(items: Iterable[object], query: object) -> list[object]:
    """
    Return the items to rank in a new list, because the caller's may change during the call.

    Raises:
        InvalidRequestError: If there is no list, or `query` is blank.
    """
    if isinstance(query, str) and not query.strip():
        raise InvalidRequestError("query is blank: pass the question to rank the documents by")
    given = _as_list(items)
    for at, item in enumerate(given):
        _refuse_scored(item, at)
    return given


def checked_query(query: object) -> str:
    """
    Return `query` if it is a string.

    Raises:
        InvalidRequestError: If it is anything else. The message says what to pass.
    """
    with ErrorsSuppressed():  # The attributes of a user's object may raise any exception
        if isinstance(query, str):
            # If it is of a subclass, take the content.
            return str.__str__(query)
    raise InvalidRequestError(
        f"query must be a string, got an object of type {type(query).__name__}: pass the question "
        "as text"
    )


def contents(
    items: Sequence[object],
    *,
    image_keys: Sequence[str] = (),
    rank_fields: Sequence[str] = (),
    converter: Callable[[Document], object] | None = None,
) -> list[LazyContent]:
    """
    Return what of each item is ranked: its text, its image, both, or nothing.

    Args:
        items: Documents, and anything else that `item_content` accepts.
        image_keys: Metadata fields whose image is ranked together with the text.
        rank_fields: Metadata fields that are put before the text; in a mapping, other keys.
        converter: Returns what of a document is ranked, instead of all rules.

    Raises:
        InvalidRequestError: If an item, or what the converter returned for it, cannot be ranked.
    """
    if not image_keys and not rank_fields and converter is None:
        texts = [item.page_content for item in items if isinstance(item, Document)]
        if len(texts) == len(items) and all(map(_is_prose, texts)):
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
    documents: Sequence[Document],
    placement: Placement,
    *,
    score_key: str,
    keep_retrieval_score: bool = False,
) -> list[Document]:
    """
    Return copies of the documents, with their scores, in the order of `placement`.

    The passage of an earlier ranking is removed from the metadata of the copies. If nothing was
    ranked, the result holds the documents themselves, with the scores they had.

    Args:
        documents: The documents that were converted.
        placement: The order in which they are returned.
        score_key: The metadata field of the score. A score of an earlier ranking is removed.
        keep_retrieval_score: Keep the earlier score as `retrieval_score`.
    """
    retrieval_key = RETRIEVAL_SCORE if keep_retrieval_score else None
    if placement.ranking is None:
        return [documents[placed.index] for placed in placement.order]
    return [
        _copy_with_score(documents[placed.index], placed.relevance_score, score_key, retrieval_key)
        for placed in placement.order
    ]


def add_passages(found: Sequence[Document], placement: Placement) -> None:
    """Add the passages of `placement` to the metadata of `found`, the copies from `ranked`."""
    for document, placed in zip(found, placement.order, strict=True):
        if (passage := placement.passages.get(placed.index)) is not None:
            document.metadata[PASSAGE_KEY] = passage_metadata(passage)


def _as_list(items: Iterable[object]) -> list[object]:
    # A single `Document` could be iterated: it yields the names and values of its fields.
    if not isinstance(items, str | bytes | Mapping | Document):
        with suppress(TypeError):
            return list(items)
    raise InvalidRequestError(
        f"documents is of type {type(items).__name__}: pass a list, with one item for each document"
    )


def _refuse_scored(item: object, at: int) -> None:
    if isinstance(item, tuple) and len(item) == 2 and isinstance(item[0], Document):
        raise InvalidRequestError(
            f"documents[{at}] is a tuple (Document, score), as similarity_search_with_score "
            "returns: pass only the documents, [document for document, score in found]"
        )


def _are_documents(items: list[object]) -> TypeGuard[list[Document]]:
    return all(issubclass(kind, Document) for kind in set(map(type, items)))


def _copy_with_score(
    document: Document, score: float | None, score_key: str, retrieval_key: str | None
) -> Document:
    metadata = {**document.metadata}
    metadata.pop(PASSAGE_KEY, None)
    earlier = metadata.pop(score_key, None)
    if retrieval_key is not None and earlier is not None:
        metadata[retrieval_key] = earlier
    if score is not None:
        metadata[score_key] = score
    # A copy keeps the id, the subclass and its state. It is shallow, because metadata values may be
    # impossible to copy.
    if type(document) is not Document:
        return document.model_copy(update={"metadata": metadata})
    # Replaces `model_copy`, which does the same and more. Saves half of its 2 microseconds for each
    # document, and a call may return thousands. If a release of pydantic keeps the state of a model
    # in other attributes, a test that compares the two copies fails.
    copy = Document.__new__(Document)
    _set(copy, "__dict__", {**document.__dict__, "metadata": metadata})
    _set(copy, "__pydantic_fields_set__", {*document.__pydantic_fields_set__, "metadata"})
    _set(copy, "__pydantic_extra__", document.__pydantic_extra__)
    _set(copy, "__pydantic_private__", document.__pydantic_private__)
    return copy


def _is_prose(text: str) -> bool:
    """
    Return `True` if `text` is neither blank nor an image; `False` if that is not yet known.

    A space between the first characters of a text is enough to know, and most texts have one.
    """
    return " " in text[:SHORTEST_BASE64_RUN].strip()


def _document_content(
    document: Document, image_keys: Sequence[str], rank_fields: Sequence[str]
) -> LazyContent:
    text = document.page_content
    if not image_keys and not rank_fields and _is_prose(text):
        return text
    metadata: Mapping[object, object] = document.metadata
    image: Image | None = image_in_text(text)
    if image is not None:
        return joined(with_fields("", metadata, rank_fields), image)
    found = _images(metadata, image_keys, are_asked_for=True)
    if not text.strip():
        found += _images(metadata, _IMAGE_KEYS) + _image_files(metadata)
    best = min(found, key=lambda image: _BEST_FIRST.index(type(image)), default=None)
    return joined(with_fields(text, metadata, rank_fields), best)


def _converted_content(result: object, at: int) -> LazyContent:
    if result is None:
        return Unscorable("document_converter found nothing to rank")
    if isinstance(result, str):
        return result
    if isinstance(result, RerankDocument):
        return with_data_uri(result)
    if is_mapping(result):
        return mapping_content(result, at, ())
    raise InvalidRequestError(
        f"document_converter returned {type(result).__name__} for documents[{at}]: return a "
        "string, a mapping with text and/or image, or None when there is nothing to rank"
    )


def _images(
    metadata: Mapping[object, object], keys: Sequence[str], *, are_asked_for: bool = False
) -> list[Image]:
    images: list[Image] = []
    for key in keys:
        value = metadata.get(key)
        image = image_in(value, fields=metadata)
        if image is None and key.endswith("path") and isinstance(value, str) and value.strip():
            image = LocalImage(value)
        if image is None and are_asked_for:
            image = problem_of_field(key, value)
        if image is not None:
            images.append(image)
    return images


def _image_files(metadata: Mapping[object, object]) -> list[Image]:
    values = [metadata.get(key) for key in _FILE_KEYS]
    return [
        LocalImage(value) for value in values if isinstance(value, str) and is_image_file(value)
    ]
