"""
What `rerank` accepts in addition to LangChain's documents, and what its handlers get.

It accepts strings, mappings with `text` and/or `image`, content blocks, lists of content blocks,
and anything else that can be an image.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeGuard

from langchain_core.documents import Document
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError, shown_value
from openrouter_rerank.images import LocalImage, as_image, is_bytes
from openrouter_rerank.reranker import LocalImageDocument, Placement, Unscorable, WithoutImage

from .fields import with_fields
from .images import (
    Image,
    image_in,
    image_in_text,
    is_image_block,
    is_list,
    is_mapping,
    problem_of_field,
)
from .pillow import LazyContent, PillowDocument, PillowImage

# The values of `type` for texts in the content blocks of LangChain, and of OpenAI's responses.
_TEXT_TYPES = ("text", "text-plain", "input_text", "output_text")


def item_content(item: object, at: int, rank_fields: Sequence[str]) -> LazyContent:
    """
    Return what of an item is ranked.

    Args:
        item: An item of any type except a document of LangChain.
        at: The position of the item in the list.
        rank_fields: Keys of a mapping that are put before the text.

    Raises:
        InvalidRequestError: If the item cannot be ranked.
    """
    if isinstance(item, RerankDocument):
        return with_data_uri(item)
    if is_mapping(item):
        return mapping_content(item, at, rank_fields)
    if _are_blocks(item):
        return _message_content(item, at)
    image = image_in_text(item) if isinstance(item, str) else image_in(item, fields={})
    if image is not None:
        return joined("", image)
    if isinstance(item, str):
        return item
    raise InvalidRequestError(
        f"documents[{at}] is of type {type(item).__name__}, and no image: pass a string, a "
        "Document, a mapping with text and/or image, a content block or a list of them, a Blob or "
        "a PIL image"
    )


def mapping_content(
    item: Mapping[object, object], at: int, rank_fields: Sequence[str]
) -> LazyContent:
    """
    Return what of a mapping is ranked: its `text` and/or `image`, or what a content block holds.

    Args:
        item: The mapping.
        at: The position, in the list, of the item that the mapping stands for.
        rank_fields: Keys that are put before the text. Other keys are ignored if it is not empty.

    Raises:
        InvalidRequestError: If the mapping has other keys and `rank_fields` is empty, or its `text`
            is not a string.
    """
    text = item.get("text", "")
    kind = None if "type" in rank_fields else item.get("type")
    ranked = [name for name in rank_fields if name in item]
    if kind in _TEXT_TYPES and isinstance(text, str):
        return text
    if isinstance(kind, str) and (block := image_in(item, fields={})):
        return joined("", block)
    if isinstance(kind, str) and "text" not in item and not ranked:
        return Unscorable("it is a content block without a usable image")
    if not isinstance(text, str | None):
        raise InvalidRequestError(
            f"text of documents[{at}] is of type {type(text).__name__}: pass a string"
        )
    unknown = [key for key in item if key not in {"text", "image"}]
    if unknown and not rank_fields:
        raise InvalidRequestError(
            f"documents[{at}] has the unknown key {shown_value(unknown[0])}: use text and/or "
            "image, and name in rank_fields what else is ranked"
        )
    given = item.get("image")
    image = image_in(given, fields=item) or problem_of_field("image", given)
    names = [name for name in ranked if name != "image"]
    return joined(with_fields(text or "", item, names), image)


def with_data_uri(document: RerankDocument) -> LazyContent:
    """Return `document` with its image as it can be sent, if it is an image in another form."""
    image: object = document.image
    if is_bytes(image):
        text = document.text if isinstance(document.text, str) else ""
        return joined(text, as_image(image) or Unscorable("the bytes are not an image"))
    if isinstance(image, str):
        return replace(document, image=as_image(image) or image)
    return document


def joined(text: str, image: Image | None) -> LazyContent:
    """
    Return one content of a text and an image.

    If the image cannot be used, the text alone is ranked; without a text, the result says why.
    """
    words = text if text.strip() else None
    match image:
        case str():
            return RerankDocument(text=words, image=image)
        case PillowImage():
            return PillowDocument(text=words, image=image)
        case LocalImage():
            return LocalImageDocument(text=words, image=image)
        case Unscorable():
            return image if words is None else WithoutImage(text=words, reason=image.reason)
        case _:
            return text


def own_text(item: object) -> str | None:
    """Return the text of an item, without metadata; `None` if an item of its kind has no text."""
    if isinstance(item, Document):
        return item.page_content
    if is_mapping(item):
        item = item.get("text")
    elif isinstance(item, RerankDocument):
        item = item.text
    return item if isinstance(item, str) else None


def texts_with_scores(
    contents: Sequence[LazyContent], placement: Placement, *, score_key: str
) -> list[Document]:
    """Return the ranked texts as documents, for callback handlers; an image alone has no text."""
    return [
        Document(
            _text(contents[placed.index]),
            metadata={"index": placed.index, score_key: placed.relevance_score},
        )
        for placed in placement.order
        if placed.relevance_score is not None
    ]


def _text(content: LazyContent) -> str:
    text = content if isinstance(content, str | Unscorable) else content.text
    return text if isinstance(text, str) else ""


def _are_blocks(item: object) -> TypeGuard[Sequence[Mapping[object, object]]]:
    # Strings are not accepted, although messages may contain them: a list of strings in the list is
    # more likely a mistake, such as the documents of several queries.
    return is_list(item) and all(is_mapping(each) and _is_block(each) for each in item)


def _is_block(item: Mapping[object, object]) -> bool:
    return isinstance(item.get("type"), str)


def _image_of_block(block: Mapping[object, object]) -> Image | None:
    image = image_in(block, fields={})
    if image is None and is_image_block(block):
        return Unscorable("a content block has no usable image")
    return image


def _message_content(blocks: Sequence[Mapping[object, object]], at: int) -> LazyContent:
    texts = [block.get("text") for block in blocks if block["type"] in _TEXT_TYPES]
    images = [image for block in blocks if (image := _image_of_block(block)) is not None]
    usable = [image for image in images if not isinstance(image, Unscorable)]
    if len(usable) > 1:
        raise InvalidRequestError(
            f"documents[{at}] has {len(usable)} images: a document can have one, so pass one for "
            "each image"
        )
    # Without a space between them, as LangChain joins the texts of a message: a citation starts a
    # new block in the middle of a sentence.
    text = "".join(text for text in texts if isinstance(text, str))
    if not text.strip() and not images:
        return Unscorable("no content block has a text or a usable image")
    return joined(text, next(iter(usable or images), None))
