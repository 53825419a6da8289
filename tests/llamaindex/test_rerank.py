"""What only LlamaIndex's class promises; what both classes promise is in `test_same_promises`."""

import asyncio
import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import (
    Document,
    ImageDocument,
    ImageNode,
    MediaResource,
    MetadataMode,
    Node,
    NodeWithScore,
    QueryBundle,
    TextNode,
)
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.local.stage import Fault, scores
from PIL import Image

TEXTS = ("Bread is baked.", "Paris is the capital of France.", "Rome is a capital.")
QUERY = "capital of France"
VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)
SECRET = "sk-or-v1-stage"


def nodes_of(*texts):
    """Make a node with a score of each text."""
    return [
        NodeWithScore(node=TextNode(text=text, metadata={"at": at}), score=at / 10)
        for at, text in enumerate(texts)
    ]


@pytest.fixture
def reranker(local_openrouter):
    """Return a function that makes a reranker which calls the stage."""

    def make(**options):
        options = {"api_key": SECRET, "base_url": local_openrouter.base_url} | options
        return OpenRouterRerank(**options)

    return make


@pytest.fixture(params=["sync", "async"])
def postprocess(request):
    """Return a coroutine function that postprocesses in each mode."""

    async def run(reranker, nodes, *args, **query):
        if request.param == "sync":
            return reranker.postprocess_nodes(nodes, *args, **query)
        return await reranker.apostprocess_nodes(nodes, *args, **query)

    return run


def test_it_is_a_postprocessor():
    """LlamaIndex takes the class for what it is and writes it under its name."""
    assert issubclass(OpenRouterRerank, BaseNodePostprocessor)
    assert OpenRouterRerank.class_name() == OpenRouterRerank.__name__


async def test_the_very_nodes_come_back_in_new_items(reranker, postprocess):
    """Nodes keep their identity, items are new, and scores are Python's own floats."""
    nodes = nodes_of(*TEXTS)

    result = await postprocess(reranker(), nodes, query_str=QUERY)

    assert [item.node for item in result] == [nodes[at].node for at in (1, 2, 0)]
    assert all(item.node is nodes[at].node for item, at in zip(result, (1, 2, 0), strict=True))
    assert not {id(item) for item in result} & {id(item) for item in nodes}
    assert [type(item.score) for item in result] == [float] * 3


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(
    texts=st.lists(st.sampled_from(["", " ", "capital", "capital of France", "bread"]), max_size=8),
    top_n=st.none() | st.integers(1, 9),
    metadata=st.dictionaries(st.text(), st.text() | st.integers(), max_size=3),
)
async def test_nothing_that_was_passed_in_changes(reranker, postprocess, texts, top_n, metadata):
    """Whatever the nodes: list, items, scores, metadata and hashes are as they were before."""
    nodes = [
        NodeWithScore(node=TextNode(text=text, metadata=dict(metadata)), score=at / 7)
        for at, text in enumerate(texts)
    ]
    items, dumps = list(nodes), copy.deepcopy([item.to_dict() for item in nodes])
    hashes = [item.node.hash for item in nodes]

    result = await postprocess(reranker(top_n=top_n), nodes, query_str=QUERY)

    assert len({id(item.node) for item in result}) == min(len(texts), top_n or len(texts))
    assert {id(item.node) for item in result} <= {id(item.node) for item in nodes}
    assert all(now is then for now, then in zip(nodes, items, strict=True))
    assert [item.to_dict() for item in nodes] == dumps
    assert [item.node.hash for item in nodes] == hashes


async def test_the_list_may_change_while_the_answer_is_awaited(reranker, local_openrouter):
    """Scores belong to the nodes that were passed in, whatever becomes of their list meanwhile."""
    local_openrouter.script(Fault.hang())
    nodes = nodes_of(*TEXTS)
    expected = nodes[1].node

    task = asyncio.create_task(reranker(top_n=1).apostprocess_nodes(nodes, query_str=QUERY))
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 1)
    nodes.clear()
    local_openrouter.release()

    assert [item.node for item in await task] == [expected]


@pytest.mark.parametrize(
    ("args", "query"),
    [
        ([], {"query_str": f"\n{QUERY}\n"}),
        ([], {"query_bundle": QueryBundle(QUERY)}),
        ([QueryBundle(f" {QUERY} ")], {}),
        ([QUERY], {}),
        ([QueryBundle(QUERY, custom_embedding_strs=["a made-up answer"])], {}),
    ],
)
async def test_the_question_is_what_is_asked(reranker, postprocess, local_openrouter, args, query):
    """However the query is passed: its text is sent, stripped, and nothing else of it."""
    await postprocess(reranker(), nodes_of(*TEXTS), *args, **query)

    (request,) = local_openrouter.requests
    assert request.query == QUERY
    assert request.json.keys() == {"model", "query", "documents"}


async def test_the_image_of_a_query_is_ignored_aloud(reranker, postprocess, local_openrouter):
    """Rerank models are asked in words: the image is neither read nor sent, and a warning tells."""
    query = QueryBundle(QUERY, image_path="/etc/passwd")

    with pytest.warns(UserWarning, match="image_path of the query is ignored"):
        await postprocess(reranker(), nodes_of(*TEXTS), query)

    (request,) = local_openrouter.requests
    assert request.query == QUERY
    assert request.json.keys() == {"model", "query", "documents"}


async def test_no_query_is_a_mistake(reranker, postprocess, local_openrouter):
    """Without any query nothing can be ranked, and the error says what to pass."""
    with pytest.raises(InvalidRequestError, match="pass query_str or query_bundle"):
        await postprocess(reranker(), nodes_of(*TEXTS))

    assert local_openrouter.requests == []


@pytest.mark.parametrize("item", [TextNode(text="bare"), "text", Document(text="d"), None, {}])
async def test_what_is_no_item_of_a_retriever_is_refused(reranker, postprocess, item):
    """Bare nodes and texts are a mistake, named with its place and its cure."""
    with pytest.raises(TypeError, match=rf"nodes\[1\] is of type {type(item).__name__}.*wrap it"):
        await postprocess(reranker(), [*nodes_of("one"), item], query_str=QUERY)


async def test_unranked_nodes_have_no_score(reranker, postprocess):
    """A node with nothing to rank follows the ranked ones, and its old score does not stay."""
    nodes = [NodeWithScore(node=Node(), score=0.99), *nodes_of(*TEXTS)]

    result = await postprocess(reranker(), nodes, query_str=QUERY)

    assert [item.score for item in result] == [1.0, pytest.approx(1 / 3), 0.0, None]
    assert result[-1].node is nodes[0].node


async def test_text_and_images_are_ranked_in_one_request(
    reranker, postprocess, local_openrouter, tmp_path
):
    """A mixed list, as multimodal retrievers return it, is one ranking with one scale."""
    path = tmp_path / "fox.png"
    Image.new("RGB", (2, 2)).save(path)
    url = "https://example.com/fox.png"
    nodes = [
        TextNode(text="a text"),
        ImageNode(image_url=url, text="a caption"),
        ImageNode(image_path=str(path)),
        Node(image_resource=MediaResource(data=PNG)),
        ImageDocument(image_path=str(path), text="a document"),
        Node(image_resource=MediaResource(mimetype="image/png")),
    ]
    local_openrouter.script(scores(0.1, 0.2, 0.3, 0.4, 0.5))

    result = await postprocess(
        reranker(model=VISION_MODEL, image_root=tmp_path),
        [NodeWithScore(node=node) for node in nodes],
        query_str="a fox",
    )

    assert [nodes.index(item.node) for item in result] == [4, 3, 2, 1, 0, 5]
    (request,) = local_openrouter.requests
    text, linked, local, inline, document = request.documents
    assert text == "a text"
    assert linked == {"text": "a caption", "image": url}
    assert set(local) == set(inline) == {"image"}
    assert local["image"].startswith("data:image/png;base64,")
    assert inline["image"].startswith("data:image/png;base64,")
    assert document == {"text": "a document", "image": local["image"]}


async def test_a_text_model_ranks_captions(reranker, postprocess, local_openrouter):
    """A model that takes no images is sent the captions, and never a file name for one."""
    hidden = {"file_path": "/home/someone/secret.png"}
    nodes = [
        ImageNode(image_url="https://example.com/fox.png", text="a fox"),
        ImageNode(image_url="https://example.com/cat.png", metadata=hidden),
    ]

    result = await postprocess(
        reranker(), [NodeWithScore(node=node) for node in nodes], query_str="a fox"
    )

    assert local_openrouter.requests[0].documents == ["a fox"]
    assert [item.score for item in result] == [1.0, None]


@pytest.mark.parametrize(
    ("mode", "document"),
    [(MetadataMode.EMBED, "page: 3\n\na fox"), (MetadataMode.NONE, "a fox"), ("none", "a fox")],
)
async def test_the_metadata_mode_is_what_is_sent(
    reranker, postprocess, local_openrouter, mode, document
):
    """Metadata stand beside the text unless the user chooses otherwise."""
    nodes = [NodeWithScore(node=TextNode(text="a fox", metadata={"page": 3}))]

    await postprocess(reranker(metadata_mode=mode), nodes, query_str="a fox")

    assert local_openrouter.requests[0].documents == [document]


async def test_a_function_chooses_what_is_sent(reranker, postprocess, local_openrouter):
    """With `document_fn`, nothing else of a node is sent, and `None` keeps it behind the others."""
    nodes = nodes_of("hidden", *TEXTS)
    titles = {nodes[1].node_id: "bread", nodes[2].node_id: {"text": QUERY}}

    result = await postprocess(
        reranker(document_fn=lambda item: titles.get(item.node_id)), nodes, query_str=QUERY
    )

    assert local_openrouter.requests[0].documents == ["bread", QUERY]
    assert [item.score for item in result] == [1.0, 0.0, None, None]
    assert [item.node for item in result] == [nodes[at].node for at in (2, 1, 0, 3)]


async def test_a_mistake_in_the_users_function_is_theirs_to_see(reranker, postprocess):
    """Its exception is raised as it is: a ranking without it would be a wrong one."""

    def document_fn(item):
        return item.node.metadata["titel"]

    with pytest.raises(KeyError, match="titel"):
        await postprocess(reranker(document_fn=document_fn), nodes_of("a"), query_str="a")


async def test_synchronous_calls_work_inside_a_running_loop(reranker):
    """LlamaIndex itself calls the synchronous method from coroutines."""
    result = reranker().postprocess_nodes(nodes_of(*TEXTS), query_str=QUERY)

    assert result[0].node.text == TEXTS[1]


def test_one_instance_serves_a_loop_per_call(reranker):
    """Engines that make a new event loop for each question can share one reranker."""
    shared = reranker(top_n=1)

    for _ in range(3):
        (item,) = asyncio.run(shared.apostprocess_nodes(nodes_of(*TEXTS), query_str=QUERY))
        assert item.node.text == TEXTS[1]


async def test_a_cancelled_call_stops(reranker, local_openrouter):
    """Cancelling the task ends the request, and the reranker works on."""
    local_openrouter.script(Fault.hang())
    shared = reranker()

    task = asyncio.create_task(shared.apostprocess_nodes(nodes_of("a"), query_str="a"))
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
    )
    (item,) = await shared.apostprocess_nodes(nodes_of("a"), query_str="a")
    assert item.score == 1.0
