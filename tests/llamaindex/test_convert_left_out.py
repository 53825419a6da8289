"""Images of nodes that cannot be sent: the text stays, and the reason is known."""

import base64

import pytest
from llama_index.core.schema import (
    ImageDocument,
    ImageNode,
    MediaResource,
    MetadataMode,
    Node,
    NodeWithScore,
    TextNode,
)
from llamaindex_openrouter_rerank._convert.nodes import contents
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.reranker import WithoutImage

from tests.signal_handlers import raise_as_handler

JPEG = b"\xff\xd8\xff\xe0" + b"\xfb\xef\xbe" * 9 + b"\xff\xd9"
URI = f"data:image/jpeg;base64,{base64.b64encode(JPEG).decode()}"


def content_of(node, **options):
    """Return what of `node` is ranked."""
    item = NodeWithScore(node=node)
    return contents([item], **{"metadata_mode": MetadataMode.EMBED} | options)[0]


@pytest.mark.parametrize(
    "node",
    [
        ImageNode(text="A cat", image="no image"),
        ImageNode(text="A cat", image_url="ftp://host/cat.png"),
        ImageDocument(text="A cat"),
        Node(
            text_resource=MediaResource(text="A cat"),
            image_resource=MediaResource(url="file:///etc/passwd"),
        ),
    ],
    ids=lambda node: type(node).__name__,
)
def test_a_node_with_an_unusable_image_keeps_its_text(node):
    """The text of the node is ranked, and the reason does not quote the image."""
    content = content_of(node)

    assert (type(content), content.text) == (WithoutImage, "A cat")
    assert content.reason.startswith("the image node has no image: it is gone")
    assert "passwd" not in content.reason


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_bytes_of_every_type_are_images(wrap):
    """An image may be in `bytes`, a `bytearray` or a `memoryview`."""
    resource = MediaResource.model_construct(data=wrap(base64.b64encode(JPEG)))
    nodes = [
        ImageNode.model_construct(image=wrap(JPEG), image_resource=None),
        Node(image_resource=MediaResource(data=JPEG)),
        Node.model_construct(image_resource=resource),
    ]

    assert [content_of(node).image for node in nodes] == [URI] * 3


@pytest.mark.parametrize(
    "image",
    [
        base64.b64encode(JPEG).decode(),
        base64.b64encode(JPEG).decode().rstrip("="),
        base64.urlsafe_b64encode(JPEG).decode(),
        base64.urlsafe_b64encode(JPEG).decode().rstrip("="),
        JPEG,
        bytearray(JPEG),
        memoryview(JPEG),
    ],
)
def test_an_image_of_document_fn_may_have_any_form(image):
    """The image that `document_fn` returns may be base64 of any kind, or bytes of any type."""
    for document in ({"image": image}, RerankDocument(image=image)):
        found = content_of(TextNode(text="a"), document_fn=lambda _, given=document: given)
        assert found == RerankDocument(image=URI)


class Interrupted(ImageNode):
    """A node with an image, which a signal interrupts while it is read."""

    def __getattribute__(self, name):
        """Raise the error of the signal handler for the field of the image."""
        if name == "image_url":
            raise_as_handler()
        return super().__getattribute__(name)


class InterruptedText(TextNode):
    """A node that a signal interrupts while it gives its content."""

    def get_content(self, metadata_mode=None):
        """Raise the error of the signal handler."""
        raise_as_handler()


@pytest.mark.parametrize("node", [Interrupted(text="A cat"), InterruptedText(text="A cat")])
def test_a_signal_that_comes_while_a_node_is_read_is_not_taken_for_an_empty_field(node):
    """The error of a signal handler reaches the user."""
    with pytest.raises(TimeoutError, match="of the signal handler"):
        content_of(node)
