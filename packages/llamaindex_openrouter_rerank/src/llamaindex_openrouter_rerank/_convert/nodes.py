"""Convert LlamaIndex's nodes to what can be ranked, and a placement to nodes. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeGuard

from llama_index.core.schema import BaseNode, MetadataMode, NodeWithScore
from openrouter_rerank.documents import Document, RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import ImageBytes, LocalImage, as_image, is_bytes
from openrouter_rerank.reranker import (
    PASSAGE_KEY,
    RETRIEVAL_SCORE,
    Content,
    LocalImageDocument,
    Placement,
    Unscorable,
    WithoutImage,
    passage_metadata,
    raise_if_from_signal,
)
from pydantic import TypeAdapter

from .images import image_fields
from .texts import usual_texts


def contents(
    nodes: Sequence[NodeWithScore],
    *,
    metadata_mode: MetadataMode,
    document_fn: Callable[[NodeWithScore], Document | None] | None = None,
) -> list[Content]:
    """
    Convert each node to what can be ranked of it.

    Nodes of any class are accepted. A node that fails to give its content has nothing to rank.

    Args:
        nodes: The nodes that a retriever found.
        metadata_mode: The metadata that are ranked with a text, or with the caption of an image. An
            image without a caption is ranked without metadata.
        document_fn: Returns the document to rank for a node, or `None` if there is nothing to rank.
            If it is set, nothing else of the node is ranked.

    Raises:
        InvalidRequestError: If `document_fn` returned something else. The message names the
            position of the node.
    """
    if document_fn is not None:
        return [_checked_document(document_fn(item), at) for at, item in enumerate(nodes)]
    given = [item.node for item in nodes]
    return [
        _content(node, metadata_mode) if text is None else text
        for node, text in zip(given, usual_texts(given, metadata_mode), strict=True)
    ]


def have_images(items: Sequence[object]) -> bool:
    """
    Return `True` if there may be an image to check: in a field of a node, or of another item.

    Args:
        items: What `rerank` accepts: nodes, with or without a score, texts, mappings and
            `RerankDocument`s.
    """
    nodes = [item.node for item in items if isinstance(item, NodeWithScore)]
    if any(map(image_fields, nodes)):
        return True
    return len(nodes) < len(items) and any(map(_has_image, items))


def _has_image(item: object) -> bool:
    if isinstance(item, BaseNode):
        return image_fields(item) is not None
    return not isinstance(item, str) and _text_and_image(item)[1] is not None


def ranked(
    nodes: Sequence[NodeWithScore], placement: Placement, *, keep_retrieval_score: bool = False
) -> list[NodeWithScore]:
    """
    Return the nodes in the order of `placement`, with its scores.

    Each item is new. Its node is the object that was passed in, because tools and stores look nodes
    up by identity. A node with the passage of an earlier ranking in its metadata is replaced by a
    copy without it. If nothing was ranked, the items keep the retriever's scores.

    Args:
        nodes: The nodes that were ranked.
        placement: The positions and scores of the nodes to return.
        keep_retrieval_score: Return a copy of each ranked node, with the retriever's score in its
            metadata.
    """
    if placement.ranking is None:
        return [nodes[placed.index].model_copy() for placed in placement.order]
    if any(map(_has_passage, nodes)):
        nodes = [*map(_without_passage, nodes)]
    items = [(nodes[placed.index], placed.relevance_score) for placed in placement.order]
    if not keep_retrieval_score:
        return _with_scores(items)
    return [
        item.model_copy(
            update={"score": score, "node": _with_metadata(item.node, RETRIEVAL_SCORE, item.score)}
        )
        for item, score in items
    ]


def add_passages(found: Sequence[NodeWithScore], placement: Placement) -> None:
    """Add the passages of `placement` to the metadata of `found`, in copies of the long nodes."""
    for item, placed in zip(found, placement.order, strict=True):
        if (passage := placement.passages.get(placed.index)) is not None:
            item.node = _with_metadata(item.node, PASSAGE_KEY, passage_metadata(passage))


def own_text(node: BaseNode) -> str | None:
    """Return the text of a node without metadata, or `None` if it fails to give it."""
    text = _text(node, MetadataMode.NONE)
    return text if isinstance(text, str) else None


def _has_passage(item: NodeWithScore) -> bool:
    # Only a usual node is read here: other objects may have no fields, or fields of any type.
    metadata = getattr(item.node, "__dict__", {}).get("metadata")
    return type(metadata) is dict and PASSAGE_KEY in metadata


def _without_passage(item: NodeWithScore) -> NodeWithScore:
    if not _has_passage(item):
        return item
    metadata = {name: value for name, value in item.node.metadata.items() if name != PASSAGE_KEY}
    return item.model_copy(update={"node": item.node.model_copy(update={"metadata": metadata})})


def _with_scores(items: Sequence[tuple[NodeWithScore, float | None]]) -> list[NodeWithScore]:
    kinds = {type(item) for item, _ in items}
    if kinds == {NodeWithScore} and _are_nodes({type(item.node) for item, _ in items}):
        # One validation takes a third of the time of the copies. It would lose fields of derived
        # items, and it refuses a node that is not a `BaseNode`.
        return _NODES.validate_python(
            [{"node": item.node, "score": score} for item, score in items]
        )
    return [item.model_copy(update={"score": score}) for item, score in items]


def _are_nodes(kinds: set[type[object]]) -> bool:
    return all(issubclass(kind, BaseNode) for kind in kinds)


_NODES = TypeAdapter(list[NodeWithScore])


def _with_metadata(node: BaseNode, key: str, value: object) -> BaseNode:
    # A copy, because the node and its metadata belong to the store too. The value is excluded from
    # the metadata that prompts and embeddings see.
    excluded = {
        name: [*(each for each in getattr(node, name) if each != key), key]
        for name in ("excluded_embed_metadata_keys", "excluded_llm_metadata_keys")
    }
    return node.model_copy(update={"metadata": {**node.metadata, key: value}, **excluded})


def _checked_document(document: object, at: int) -> Content:
    if document is None:
        return Unscorable("document_fn found nothing to rank")
    if isinstance(document, str):
        return document
    text, image = _text_and_image(document)
    if isinstance(text, str | None) and (isinstance(image, str | None) or is_bytes(image)):
        return joined(text, image)
    raise InvalidRequestError(
        f"document_fn returned {type(document).__name__} for nodes[{at}], which is not a document: "
        "return a string, a mapping with text and/or image, a RerankDocument, or None"
    )


def joined(text: str | None, image: str | ImageBytes | None) -> Content:
    """
    Return one content of a text and an image, with the image as it can be sent.

    If the bytes are not an image, the text alone is ranked; without a text, the result says why.
    Another image that cannot be sent stays: the core says what is wrong with it.
    """
    found = as_image(image) if image else None
    if isinstance(image, str | None):
        return RerankDocument(text=text, image=found or image)
    if found:
        return RerankDocument(text=text, image=found)
    return _without_image(text, "the bytes are not an image")


def _without_image(text: str | None, reason: str) -> Content:
    return WithoutImage(text=text, reason=reason) if text and text.strip() else Unscorable(reason)


def _text_and_image(document: object) -> tuple[object, object]:
    if isinstance(document, RerankDocument):
        return document.text, document.image
    if is_mapping(document) and document.keys() <= {"text", "image"}:
        return document.get("text"), document.get("image")
    return document, None


def is_mapping(document: object) -> TypeGuard[Mapping[object, object]]:
    """Return `True` if `document` is a mapping."""
    return isinstance(document, Mapping)


def _content(node: BaseNode, metadata_mode: MetadataMode) -> Content:
    fields = image_fields(node)
    if fields is None:
        return _text(node, metadata_mode)
    text = _caption(node, metadata_mode)
    caption = text if isinstance(text, str) and text.strip() else None
    image = fields.image()
    if isinstance(image, LocalImage):
        return LocalImageDocument(text=caption, image=image)
    if image is not None:
        return RerankDocument(text=caption, image=image)
    if isinstance(text, Unscorable):
        return text
    return _without_image(
        caption,
        "the image node has no image: it is gone (storage keeps no image data), or it is neither "
        "an http(s) URL, a data URI nor base64 of an image",
    )


def _caption(node: BaseNode, metadata_mode: MetadataMode) -> str | Unscorable:
    text = _text(node, MetadataMode.NONE)
    if isinstance(text, Unscorable):
        return text
    # Metadata alone is usually a file name, which does not describe the image.
    return _text(node, metadata_mode) if text.strip() else ""


def _text(node: BaseNode, metadata_mode: MetadataMode) -> str | Unscorable:
    try:
        text: object = node.get_content(metadata_mode=metadata_mode)
    except Exception as error:  # noqa: BLE001 - Users' node classes may raise any exception
        raise_if_from_signal(error)
        return _without_content(type(error))
    return text if isinstance(text, str) else _without_content(TypeError)


def _without_content(error: type[Exception]) -> Unscorable:
    return Unscorable(f"the node fails to give its content: {error.__name__}")
