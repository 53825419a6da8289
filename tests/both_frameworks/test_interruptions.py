"""Errors of signal handlers that are raised while a framework's documents are converted."""

import signal

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from PIL import Image

from tests.signal_handlers import handler_raising, needs_signals

pytestmark = needs_signals


class SlowNode(TextNode):
    """A node during whose conversion a signal arrives."""

    def get_content(self, *_, **__):
        """Receive a signal."""
        signal.raise_signal(signal.SIGALRM)


class SlowValue:
    """A value of metadata during whose conversion a signal arrives."""

    def __str__(self):
        """Receive a signal."""
        signal.raise_signal(signal.SIGALRM)
        return ""


class SlowList(list):
    """A list during whose conversion a signal arrives."""

    def __iter__(self):
        """Receive a signal."""
        signal.raise_signal(signal.SIGALRM)
        return super().__iter__()


def rerank_image():
    """Rerank a document of LangChain with an image of PIL."""
    image = Image.new("RGB", (8, 4))
    image.save = lambda *_, **__: signal.raise_signal(signal.SIGALRM)
    documents = [Document("a", metadata={"photo": image}), Document("b")]
    LangChainRerank(image_key="photo", image_mode="always").compress_documents(documents, "q")


def rerank_node():
    """Rerank nodes of LlamaIndex, one of them of a class of the user."""
    nodes = [NodeWithScore(node=SlowNode(text="a")), NodeWithScore(node=TextNode(text="b"))]
    LlamaIndexRerank().postprocess_nodes(nodes, query_str="q")


def rerank_metadata():
    """Rerank nodes of LlamaIndex, one of them with a value of the user in its metadata."""
    node = TextNode(text="a", metadata={"value": SlowValue()})
    nodes = [NodeWithScore(node=node), NodeWithScore(node=TextNode(text="b"))]
    LlamaIndexRerank().postprocess_nodes(nodes, query_str="q")


def rerank_field():
    """Rerank documents of LangChain, one of them with a list of the user in a ranked field."""
    document = Document("a", metadata={"values": SlowList([1])})
    LangChainRerank(rank_fields=["values"]).compress_documents([document, Document("b")], "q")


@pytest.mark.parametrize("rerank", [rerank_image, rerank_node, rerank_metadata, rerank_field])
def test_the_error_of_a_signal_handler_ends_a_conversion(
    local_openrouter, key_in_environment, rerank
):
    """An error that a signal handler raises during a conversion leaves the call unchanged."""
    with handler_raising(TimeoutError) as raised, pytest.raises(TimeoutError) as caught:
        rerank()

    assert caught.value is raised[0]
    assert local_openrouter.requests == []
