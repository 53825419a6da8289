"""
What `rerank` accepts in addition to LlamaIndex's nodes, and how its handlers see it. Pure.

It accepts strings, mappings with `text` and/or `image`, and `RerankDocument`s.
"""

from collections.abc import Callable, Sequence
from typing import TypeGuard

from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore, TextNode
from openrouter_rerank.documents import Document, RerankDocument
from openrouter_rerank.errors import InvalidRequestError, shown_value
from openrouter_rerank.images import is_bytes
from openrouter_rerank.reranker import Content, Placement

from .nodes import contents, is_mapping, joined, own_text


def items_contents(
    items: Sequence[object],
    *,
    metadata_mode: MetadataMode,
    document_fn: Callable[[NodeWithScore], Document | None] | None,
) -> list[Content]:
    """
    Convert each item to what can be ranked of it.

    Args:
        items: Nodes, with or without a score, strings, mappings and `RerankDocument`s, mixed.
        metadata_mode: See `contents`; for the nodes.
        document_fn: See `contents`; for the nodes.

    Raises:
        InvalidRequestError: If an item is of another type. The message names its position.
    """
    nodes = {at: _with_score(item) for at, item in enumerate(items) if is_node(item)}
    read = contents([*nodes.values()], metadata_mode=metadata_mode, document_fn=document_fn)
    of_nodes = dict(zip(nodes, read, strict=True))
    return [of_nodes[at] if at in of_nodes else _content(item, at) for at, item in enumerate(items)]


def item_text(item: object) -> str | None:
    """Return the text of an item, without metadata; `None` if there is none."""
    if is_node(item):
        return own_text(_with_score(item).node)
    if is_mapping(item):
        item = item.get("text")
    elif isinstance(item, RerankDocument):
        item = item.text
    return item if isinstance(item, str) else None


def is_node(item: object) -> TypeGuard[NodeWithScore | BaseNode]:
    """Return `True` if `item` is a node, with or without a score."""
    return isinstance(item, NodeWithScore | BaseNode)


def shown_nodes(items: Sequence[object]) -> list[NodeWithScore]:
    """Return items as nodes, for handlers; an image alone has no text."""
    return [_shown(item) for item in items]


def shown_result(items: Sequence[object], placement: Placement) -> list[NodeWithScore]:
    """Return the ranked items as nodes with their scores, for handlers."""
    return [
        _shown(items[placed.index]).model_copy(update={"score": placed.relevance_score})
        for placed in placement.order
        if placed.relevance_score is not None
    ]


def _shown(item: object) -> NodeWithScore:
    if is_node(item):
        return _with_score(item)
    if is_mapping(item):
        item = item.get("text")
    text = item.text if isinstance(item, RerankDocument) else item
    return NodeWithScore(node=TextNode(text=text if isinstance(text, str) else ""))


def _with_score(item: NodeWithScore | BaseNode) -> NodeWithScore:
    return item if isinstance(item, NodeWithScore) else NodeWithScore(node=item)


def _content(item: object, at: int) -> Content:
    if isinstance(item, str):
        return item
    if is_mapping(item):
        if unknown := [key for key in item if key not in {"text", "image"}]:
            raise InvalidRequestError(
                f"documents[{at}] has the unknown key {shown_value(unknown[0])}: use text and/or "
                "image"
            )
        text, image = item.get("text"), item.get("image")
    elif isinstance(item, RerankDocument):
        text, image = item.text, item.image
    else:
        raise InvalidRequestError(
            f"documents[{at}] is of type {type(item).__name__}: pass a string, a node, a "
            "NodeWithScore, a mapping with text and/or image, or a RerankDocument"
        )
    if not isinstance(text, str | None):
        raise InvalidRequestError(
            f"text of documents[{at}] is of type {type(text).__name__}: pass a string"
        )
    if not isinstance(image, str | None) and not is_bytes(image):
        raise InvalidRequestError(
            f"image of documents[{at}] is of type {type(image).__name__}: pass an http(s) URL, a "
            "data URI, base64 or bytes"
        )
    return joined(text, image)
