"""Conversion of nodes of every class: what of each is ranked."""

import pytest
from llama_index.core.schema import (
    ImageDocument,
    ImageNode,
    IndexNode,
    MetadataMode,
    NodeWithScore,
    TextNode,
)
from llamaindex_openrouter_rerank._convert.nodes import contents, have_images
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import LocalImageDocument, Unscorable, WithoutImage
from PIL import Image

from tests.llamaindex.converted_nodes import (
    ALL_IDS,
    ALL_NODES,
    IMAGE_NODES,
    LOCAL_IMAGES,
    NOTHING_TO_RANK,
    PNG_BASE64,
    PNG_URI,
    TEXT_NODES,
)
from tests.llamaindex.custom_nodes import CustomNode


def without_image(text):
    """Return the content of a node whose image cannot be used."""
    reason = (
        "the image node has no image: it is gone (storage keeps no image data), or it is "
        "neither an http(s) URL, a data URI nor base64 of an image"
    )
    return WithoutImage(text=text, reason=reason)


class ArrayNode(CustomNode):
    """A user's node whose image is an object without a truth value, as arrays are."""

    class _Array:
        def __bool__(self):
            message = "The truth value of an array is ambiguous"
            raise ValueError(message)

    image: object = _Array()


def write_png(folder):
    """Write a valid image file, because LlamaIndex opens it, and return its path."""
    path = folder / "fox.png"
    Image.new("RGB", (2, 2)).save(path)
    return path


def content_of(node, metadata_mode=MetadataMode.EMBED):
    """Convert one node; a heading and its text are returned as one string."""
    (content,) = contents([NodeWithScore(node=node)], metadata_mode=metadata_mode)
    return "".join(content) if isinstance(content, tuple) else content


@pytest.mark.parametrize(("node", "text"), TEXT_NODES.values(), ids=TEXT_NODES)
def test_a_node_without_image_is_ranked_by_its_text(node, text):
    """A node without an image is converted to its text with metadata, even if it is blank."""
    assert content_of(node) == text


@pytest.mark.parametrize(("node", "text", "image"), IMAGE_NODES.values(), ids=IMAGE_NODES)
def test_an_image_is_found_in_every_field_of_a_node(node, text, image):
    """The image of a node becomes a data URI or stays a URL, and is ranked with its caption."""
    assert content_of(node) == RerankDocument(text=text, image=image)


@pytest.mark.parametrize(("node", "text", "path"), LOCAL_IMAGES.values(), ids=LOCAL_IMAGES)
def test_the_path_of_an_image_is_passed_on(node, text, path):
    """The path of an image is passed on, because the core decides which files may be read."""
    assert content_of(node) == LocalImageDocument(text=text, image=LocalImage(path))


@pytest.mark.parametrize(("node", "reason"), NOTHING_TO_RANK.values(), ids=NOTHING_TO_RANK)
def test_a_node_with_nothing_to_rank_has_a_reason(node, reason):
    """A node with nothing to rank is `Unscorable`, with a reason that does not quote the node."""
    content = content_of(node)

    assert isinstance(content, Unscorable)
    assert reason in content.reason
    assert "secret" not in content.reason


def test_an_image_field_with_an_array_is_left_out():
    """An image field with an array is left out, although an array has no truth value."""
    assert content_of(ArrayNode()) == without_image("custom")


@pytest.mark.parametrize(
    ("mode", "text"),
    [
        (MetadataMode.ALL, "a: 1\nb: 2\n\nfox"),
        (MetadataMode.EMBED, "b: 2\n\nfox"),
        (MetadataMode.LLM, "a: 1\n\nfox"),
        (MetadataMode.NONE, "fox"),
    ],
    ids=["all", "embed", "llm", "none"],
)
@pytest.mark.parametrize("image", [None, PNG_BASE64], ids=["text", "image"])
def test_the_metadata_mode_selects_the_ranked_metadata(mode, text, image):
    """The metadata mode selects the metadata ranked with a text or with the caption of an image."""
    node = ImageNode(
        text="fox",
        image=image,
        metadata={"a": 1, "b": 2},
        excluded_embed_metadata_keys=["a"],
        excluded_llm_metadata_keys=["b"],
    )

    content = content_of(node, mode)

    with_image = RerankDocument(text=text, image=PNG_URI)
    assert content == (without_image(text) if image is None else with_image)


def test_the_file_of_an_image_document_is_not_read(tmp_path):
    """The path of an image document is passed on, even if there is no file any more."""
    path = write_png(tmp_path)
    node = ImageDocument(image_path=str(path), text="a fox")
    path.unlink()

    assert content_of(node) == LocalImageDocument(text="a fox", image=LocalImage(str(path)))


@pytest.mark.parametrize("node", ALL_NODES, ids=ALL_IDS)
def test_nodes_with_image_fields_are_found_without_conversion(node):
    """`have_images` is `True` for all nodes with images, and `False` for text nodes."""
    content, items = content_of(node), [NodeWithScore(node=node)]

    if isinstance(content, RerankDocument | LocalImageDocument):
        assert have_images(items)
    if type(node) in {TextNode, IndexNode}:
        assert not have_images(items)
