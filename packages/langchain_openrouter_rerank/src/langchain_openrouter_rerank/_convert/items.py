"""
What `rerank` takes beside LangChain's documents. Pure: nothing is read or fetched.

Strings, mappings with `text` and/or `image`, content blocks, lists of those, and whatever else can
be an image.
"""

from collections.abc import Mapping, Sequence
from typing import TypeGuard

from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import LocalImageDocument, Unscorable

from .fields import with_fields
from .images import Image, image_in, image_in_text, is_list, is_mapping
from .pillow import LazyContent, PillowDocument, PillowImage

# What `type` says of text in the content blocks of LangChain, and of OpenAI's responses.
_TEXT_TYPES = ("text", "text-plain", "input_text", "output_text")


def item_content(item: object, at: int, rank_fields: Sequence[str]) -> LazyContent:
    """
    Tell what of an item is ranked.

    Args:
        item: Anything but a document of LangChain.
        at: Its position in the list.
        rank_fields: Keys of a mapping that are put before the text.

    Raises:
        InvalidRequestError: If it is nothing that can be ranked.
    """
    if isinstance(item, RerankDocument):
        return item
    if is_mapping(item):
        return mapping_content(item, at, rank_fields)
    if _are_blocks(item):
        return _message_content(item, at)
    image = image_in_text(item) if isinstance(item, str) else image_in(item, beside={})
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
    Tell what of a mapping is ranked: its `text` and/or `image`, or what it is a content block of.

    Args:
        item: The mapping.
        at: The position of what it stands for.
        rank_fields: Keys that are put before the text.

    Raises:
        InvalidRequestError: If it has other keys, or a text that is none.
    """
    text = item.get("text", "")
    kind = None if "type" in rank_fields else item.get("type")
    if kind in _TEXT_TYPES and isinstance(text, str):
        return text
    if isinstance(kind, str) and (block := image_in(item, beside={})):
        return joined("", block)
    if isinstance(kind, str) and "text" not in item:
        return Unscorable(f"it is a content block of type {kind!r:.50} without a usable image")
    if unknown := [key for key in item if key not in {"text", "image", *rank_fields}]:
        raise InvalidRequestError(
            f"documents[{at}] has the unknown key {unknown[0]!r:.50}: use text and/or image, and "
            "name in rank_fields what else is ranked"
        )
    if not isinstance(text, str | None):
        raise InvalidRequestError(
            f"text of documents[{at}] is of type {type(text).__name__}: pass a string"
        )
    image = image_in(item.get("image"), beside=item)
    return joined(with_fields(text or "", item, rank_fields), image)


def joined(text: str, image: Image | None) -> LazyContent:
    """Make one document of a text and an image; one that cannot be used counts only alone."""
    words = text if text.strip() else None
    match image:
        case str():
            return RerankDocument(text=words, image=image)
        case PillowImage():
            return PillowDocument(text=words, image=image)
        case LocalImage():
            return LocalImageDocument(text=words, image=image)
        case Unscorable() if words is None:
            return image
        case _:
            return text


def _are_blocks(item: object) -> TypeGuard[Sequence[Mapping[object, object]]]:
    # Not strings, which messages may have too: a list in the list is more likely a mistake, such as
    # the documents of several queries.
    return is_list(item) and all(is_mapping(each) and _is_block(each) for each in item)


def _is_block(item: Mapping[object, object]) -> bool:
    return isinstance(item.get("type"), str)


def _message_content(blocks: Sequence[Mapping[object, object]], at: int) -> LazyContent:
    texts = [block.get("text") for block in blocks if block["type"] in _TEXT_TYPES]
    images = [image for block in blocks if (image := image_in(block, beside={})) is not None]
    usable = [image for image in images if not isinstance(image, Unscorable)]
    if len(usable) > 1:
        raise InvalidRequestError(
            f"documents[{at}] has {len(usable)} images: a document can have one, so pass one for "
            "each image"
        )
    # Without a space between them, as LangChain joins the texts of a message: a citation begins a
    # block in the middle of a sentence.
    text = "".join(text for text in texts if isinstance(text, str))
    nothing = Unscorable("no content block of it has a text or a usable image")
    return joined(text, next(iter(usable or images), nothing))
