"""In which thread an async call converts what it ranks."""

import threading

import pytest
from llama_index.core.schema import ImageNode, MetadataMode, NodeWithScore, TextNode
from openrouter_rerank.documents import RerankDocument
from pydantic import Field

URL = "https://example.com/a.png"


class RecordingNode(TextNode):
    """A node that records the threads in which its text is read."""

    threads: list = Field(default_factory=list)

    def get_content(self, metadata_mode=MetadataMode.NONE):
        """Record the thread, and return the text."""
        self.threads.append(threading.current_thread())
        return super().get_content(metadata_mode)


@pytest.mark.parametrize(
    ("others", "in_thread"),
    [
        pytest.param([], False, id="nothing"),
        pytest.param(["a text"], False, id="a text"),
        pytest.param(
            [{"text": "a"}, RerankDocument(text="b"), TextNode(text="c")],
            False,
            id="texts of each kind",
        ),
        pytest.param([{"text": "a", "image": None}], False, id="no image"),
        pytest.param([{"text": "a", "image": URL}], True, id="a mapping"),
        pytest.param([RerankDocument(image=URL)], True, id="a document"),
        pytest.param([ImageNode(image_url=URL)], True, id="a node"),
        pytest.param(
            [NodeWithScore(node=ImageNode(image_url=URL))], True, id="a node with a score"
        ),
    ],
)
@pytest.mark.parametrize("wrap", [lambda node: node, lambda node: NodeWithScore(node=node)])
async def test_scores_are_found_with_a_thread_only_if_there_is_an_image(
    make_reranker, others, in_thread, wrap
):
    """`arank` checks images in another thread, and converts all else in that of the loop."""
    node = RecordingNode(text="a fox")

    await make_reranker(image_mode="always").arerank([wrap(node), *others], "a fox")

    assert [thread is not threading.main_thread() for thread in node.threads] == [in_thread]


@pytest.mark.parametrize(
    ("method", "query"), [("arerank", "query"), ("apostprocess_nodes", "query_str")]
)
async def test_document_fn_runs_in_the_thread_of_the_event_loop(make_reranker, method, query):
    """`document_fn` may use what belongs to the event loop, so it never runs in another thread."""
    threads = []

    def document_fn(item):
        threads.append(threading.current_thread())
        return item.node.text or URL

    items = [NodeWithScore(node=TextNode(text="a")), NodeWithScore(node=ImageNode(image_url=URL))]

    await getattr(make_reranker(document_fn=document_fn), method)(items, **{query: "a fox"})

    assert threads == [threading.main_thread()] * 2
