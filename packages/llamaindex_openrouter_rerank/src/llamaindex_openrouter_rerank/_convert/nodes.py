"""Between LlamaIndex's nodes and what is ranked. Pure: nothing is read, fetched or changed."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeGuard

from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore
from openrouter_rerank.documents import Document, RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import LocalImage, as_image
from openrouter_rerank.reranker import Content, LocalImageDocument, Placement, Unscorable
from pydantic import TypeAdapter

from .images import image_fields
from .texts import usual_texts

RETRIEVAL_SCORE = "retrieval_score"
"""The key under which LlamaIndex's own rerankers keep the score of the retriever."""


def contents(nodes: Sequence[NodeWithScore], *, metadata_mode: MetadataMode) -> list[Content]:
    """
    Tell, for each node, what of it can be ranked.

    A node of any class is taken; one that fails to give its content has nothing to rank.

    Args:
        nodes: What a retriever has found.
        metadata_mode: Which metadata stand beside the text. They never stand for an image.
    """
    given = [item.node for item in nodes]
    return [
        _content(node, metadata_mode) if text is None else text
        for node, text in zip(given, usual_texts(given, metadata_mode), strict=True)
    ]


def chosen(
    nodes: Sequence[NodeWithScore], document_fn: Callable[[NodeWithScore], Document | None]
) -> list[Content]:
    """
    Take, for each node, what `document_fn` gives: `None` is nothing to rank.

    Raises:
        InvalidRequestError: It gave something else than a document, for the node that is named.
    """
    return [_given(document_fn(item), at) for at, item in enumerate(nodes)]


def hold_image(nodes: Sequence[NodeWithScore]) -> bool:
    """Tell whether one of `nodes` has fields for an image, whatever is in them."""
    return any(map(image_fields, [item.node for item in nodes]))


def ranked(
    nodes: Sequence[NodeWithScore], placement: Placement, *, keep_retrieval_score: bool = False
) -> list[NodeWithScore]:
    """
    Put the nodes in the order of `placement`, with its scores.

    Each item is new and its node is the one passed in, so that tools and stores which look nodes
    up by identity find them. Where nothing was ranked, the retriever's scores stay.

    Args:
        nodes: What was ranked.
        placement: Where each of them ends up.
        keep_retrieval_score: Give a copy of each ranked node, with its former score in the
            metadata.
    """
    if placement.ranking is None:
        return [nodes[placed.index].model_copy() for placed in placement.order]
    items = [(nodes[placed.index], placed.relevance_score) for placed in placement.order]
    if not keep_retrieval_score:
        return _scored(items)
    return [
        item.model_copy(update={"score": score, "node": _with_score(item.node, item.score)})
        for item, score in items
    ]


def _scored(items: Sequence[tuple[NodeWithScore, float | None]]) -> list[NodeWithScore]:
    kinds = {type(item) for item, _ in items}
    if kinds == {NodeWithScore} and _are_nodes({type(item.node) for item, _ in items}):
        # The same in a third of the time.
        return _NODES.validate_python(
            [{"node": item.node, "score": score} for item, score in items]
        )
    return [item.model_copy(update={"score": score}) for item, score in items]


def _are_nodes(kinds: set[type[object]]) -> bool:
    return all(issubclass(kind, BaseNode) for kind in kinds)


_NODES = TypeAdapter(list[NodeWithScore])


def _with_score(node: BaseNode, score: float | None) -> BaseNode:
    # Metadata belong to the store as well, and a score in them would be read to language models.
    unseen = {
        name: [*(key for key in getattr(node, name) if key != RETRIEVAL_SCORE), RETRIEVAL_SCORE]
        for name in ("excluded_embed_metadata_keys", "excluded_llm_metadata_keys")
    }
    metadata = {**node.metadata, RETRIEVAL_SCORE: score}
    return node.model_copy(update={"metadata": metadata, **unseen})


def _given(document: object, at: int) -> Content:
    if document is None:
        return Unscorable("document_fn gave nothing for it")
    if isinstance(document, str):
        return document
    text, image = _text_and_image(document)
    if (text is None or isinstance(text, str)) and (image is None or isinstance(image, str)):
        return RerankDocument(text=text, image=image and (as_image(image) or image))
    raise InvalidRequestError(
        f"document_fn gave a {type(document).__name__} for nodes[{at}] that is no document: "
        "return a string, a mapping with text and/or image, a RerankDocument, or None"
    )


def _text_and_image(document: object) -> tuple[object, object]:
    if isinstance(document, RerankDocument):
        return document.text, document.image
    if _is_mapping(document) and document.keys() <= {"text", "image"}:
        return document.get("text"), document.get("image")
    return document, None


def _is_mapping(document: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(document, Mapping)


def _content(node: BaseNode, metadata_mode: MetadataMode) -> Content:
    fields = image_fields(node)
    if fields is None:
        return _text(node, metadata_mode)
    text = _caption(node, metadata_mode)
    words = text if isinstance(text, str) and text.strip() else None
    image = fields.image()
    if isinstance(image, LocalImage):
        return LocalImageDocument(text=words, image=image)
    if image is not None:
        return RerankDocument(text=words, image=image)
    if text == "":
        return Unscorable(
            f"{_named(node)} has no text, and its image is gone (storage keeps no image data) or "
            "is neither an http(s) URL, a data URI nor base64 of an image"
        )
    return text


def _caption(node: BaseNode, metadata_mode: MetadataMode) -> str | Unscorable:
    text = _text(node, MetadataMode.NONE)
    if isinstance(text, Unscorable):
        return text
    # What is left is metadata, most often a file name: it says nothing about the picture.
    return _text(node, metadata_mode) if text.strip() else ""


def _text(node: BaseNode, metadata_mode: MetadataMode) -> str | Unscorable:
    try:
        text: object = node.get_content(metadata_mode=metadata_mode)
    except Exception as error:  # noqa: BLE001 - A node of a foreign class may fail in any way
        return _silent(node, type(error))
    return text if isinstance(text, str) else _silent(node, TypeError)


def _silent(node: BaseNode, error: type[Exception]) -> Unscorable:
    return Unscorable(f"{_named(node)} fails to give its content: {error.__name__}")


def _named(node: BaseNode) -> str:
    return f"the {type(node).__name__}"
