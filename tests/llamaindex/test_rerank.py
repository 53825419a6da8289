"""Behaviour of the LlamaIndex class; that of both classes is in `test_same_promises`."""

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

from tests.passages import QUERY, TEXTS

VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


class QueryOfUser(QueryBundle):
    """A query as an application defines it, with what it knows about the user."""

    user = "anonymous"


def nodes_with_metadata(*texts):
    """Return a node for each text, with its position as metadata and a tenth of it as score."""
    return [
        NodeWithScore(
            node=TextNode(text=text, metadata={"position": position}), score=position / 10
        )
        for position, text in enumerate(texts)
    ]


def test_the_class_is_a_postprocessor():
    """The class is a node postprocessor of LlamaIndex, and its dumps contain its name."""
    assert issubclass(OpenRouterRerank, BaseNodePostprocessor)
    assert OpenRouterRerank.class_name() == OpenRouterRerank.__name__


async def test_the_result_has_the_same_nodes_in_new_items(make_reranker, postprocess):
    """The result contains the node objects that were passed in, in new items with float scores."""
    nodes = nodes_with_metadata(*TEXTS)

    result = await postprocess(make_reranker(), nodes, query_str=QUERY)

    order = (1, 2, 0)
    assert [item.node for item in result] == [nodes[position].node for position in order]
    assert all(
        item.node is nodes[position].node for item, position in zip(result, order, strict=True)
    )
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
async def test_a_call_does_not_change_its_arguments(
    make_reranker, postprocess, texts, top_n, metadata
):
    """A call changes neither the list nor an item, a score, metadata or the hash of a node."""
    nodes = [
        NodeWithScore(node=TextNode(text=text, metadata=dict(metadata)), score=position / 7)
        for position, text in enumerate(texts)
    ]
    items, dumps = list(nodes), copy.deepcopy([item.to_dict() for item in nodes])
    hashes = [item.node.hash for item in nodes]

    result = await postprocess(make_reranker(top_n=top_n), nodes, query_str=QUERY)

    assert len({id(item.node) for item in result}) == min(len(texts), top_n or len(texts))
    assert {id(item.node) for item in result} <= {id(item.node) for item in nodes}
    assert all(after is before for after, before in zip(nodes, items, strict=True))
    assert [item.to_dict() for item in nodes] == dumps
    assert [item.node.hash for item in nodes] == hashes


async def test_the_list_may_change_during_an_async_call(make_reranker, local_openrouter):
    """An async call ranks the nodes that were passed in, even if their list changes meanwhile."""
    local_openrouter.script(Fault.hang())
    nodes = nodes_with_metadata(*TEXTS)
    expected = nodes[1].node

    task = asyncio.create_task(make_reranker(top_n=1).apostprocess_nodes(nodes, query_str=QUERY))
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
        ([QueryBundle(QUERY, custom_embedding_strs=["a hypothetical answer"])], {}),
        ([QueryOfUser(QUERY)], {}),
    ],
    ids=["query_str", "query_bundle", "positional bundle", "positional string", "HyDE", "subclass"],
)
async def test_the_text_of_the_query_is_sent(
    make_reranker, postprocess, local_openrouter, args, query
):
    """The text of a query is sent without outer whitespace, for each form of query."""
    await postprocess(make_reranker(), nodes_with_metadata(*TEXTS), *args, **query)

    (request,) = local_openrouter.requests
    assert request.query == QUERY
    assert request.json.keys() == {"model", "query", "documents"}


async def test_the_image_of_a_query_is_ignored_with_a_warning(
    make_reranker, postprocess, local_openrouter
):
    """The image of a query is not sent, and a warning says so, because queries are texts."""
    query = QueryBundle(QUERY, image_path="/etc/passwd")

    with pytest.warns(UserWarning, match="image_path of the query is ignored"):
        await postprocess(make_reranker(), nodes_with_metadata(*TEXTS), query)

    (request,) = local_openrouter.requests
    assert request.query == QUERY
    assert request.json.keys() == {"model", "query", "documents"}


async def test_a_call_without_a_query_is_refused(make_reranker, postprocess, local_openrouter):
    """A call without a query sends nothing and raises an error that names the arguments to pass."""
    with pytest.raises(InvalidRequestError, match="pass query_str or query_bundle"):
        await postprocess(make_reranker(), nodes_with_metadata(*TEXTS))

    assert local_openrouter.requests == []


@pytest.mark.parametrize(
    "item",
    [TextNode(text="bare"), "text", Document(text="d"), None, {}],
    ids=["node", "string", "document", "None", "dictionary"],
)
async def test_an_item_that_is_no_node_with_score_is_refused(make_reranker, postprocess, item):
    """An item of another type raises a `TypeError` with its position, its type and the fix."""
    with pytest.raises(
        InvalidRequestError, match=rf"nodes\[1\] is of type {type(item).__name__}.*wrap it"
    ):
        await postprocess(make_reranker(), [*nodes_with_metadata("one"), item], query_str=QUERY)


async def test_unranked_nodes_have_no_score(make_reranker, postprocess):
    """A node with nothing to rank follows the ranked nodes and loses its old score."""
    nodes = [NodeWithScore(node=Node(), score=0.99), *nodes_with_metadata(*TEXTS)]

    result = await postprocess(make_reranker(), nodes, query_str=QUERY)

    assert [item.score for item in result] == [1.0, pytest.approx(1 / 3), 0.0, None]
    assert result[-1].node is nodes[0].node


async def test_texts_and_images_are_ranked_in_one_request(
    make_reranker, postprocess, local_openrouter, tmp_path
):
    """Texts and images, as multimodal retrievers return them, are ranked in one request."""
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
        make_reranker(model=VISION_MODEL, image_root=tmp_path),
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


async def test_a_text_model_ranks_captions(make_reranker, postprocess, local_openrouter):
    """A model without image input gets the captions of images, and no file name as a caption."""
    metadata = {"file_path": "/home/someone/secret.png"}
    nodes = [
        ImageNode(image_url="https://example.com/fox.png", text="a fox"),
        ImageNode(image_url="https://example.com/cat.png", metadata=metadata),
    ]

    result = await postprocess(
        make_reranker(), [NodeWithScore(node=node) for node in nodes], query_str="a fox"
    )

    assert local_openrouter.requests[0].documents == ["a fox"]
    assert [item.score for item in result] == [1.0, None]


@pytest.mark.parametrize(
    ("metadata_mode", "document"),
    [(MetadataMode.EMBED, "page: 3\n\na fox"), (MetadataMode.NONE, "a fox"), ("none", "a fox")],
    ids=["embed", "none", "none as string"],
)
async def test_the_metadata_mode_selects_the_metadata_to_send(
    make_reranker, postprocess, local_openrouter, metadata_mode, document
):
    """The metadata of a node are sent with its text, except with the metadata mode `none`."""
    nodes = [NodeWithScore(node=TextNode(text="a fox", metadata={"page": 3}))]

    await postprocess(make_reranker(metadata_mode=metadata_mode), nodes, query_str="a fox")

    assert local_openrouter.requests[0].documents == [document]


async def test_document_fn_chooses_what_is_sent(make_reranker, postprocess, local_openrouter):
    """Only the result of `document_fn` is sent of a node, and `None` leaves the node unranked."""
    nodes = nodes_with_metadata("hidden", *TEXTS)
    titles = {nodes[1].node_id: "bread", nodes[2].node_id: {"text": QUERY}}

    result = await postprocess(
        make_reranker(document_fn=lambda item: titles.get(item.node_id)), nodes, query_str=QUERY
    )

    assert local_openrouter.requests[0].documents == ["bread", QUERY]
    assert [item.score for item in result] == [1.0, 0.0, None, None]
    assert [item.node for item in result] == [nodes[position].node for position in (2, 1, 0, 3)]


async def test_an_exception_of_document_fn_is_raised(make_reranker, postprocess):
    """An exception of `document_fn` is raised unchanged, because the ranking would be wrong."""

    def document_fn(item):
        return item.node.metadata["titel"]

    with pytest.raises(KeyError, match="titel"):
        await postprocess(
            make_reranker(document_fn=document_fn), nodes_with_metadata("a"), query_str="a"
        )


async def test_a_sync_call_works_in_a_running_event_loop(make_reranker):
    """A sync call works in a coroutine, where LlamaIndex itself makes such calls."""
    result = make_reranker().postprocess_nodes(nodes_with_metadata(*TEXTS), query_str=QUERY)

    assert result[0].node.text == TEXTS[1]


def test_one_reranker_works_in_a_new_event_loop_for_each_call(make_reranker):
    """One reranker works in several event loops, as engines make one for each query."""
    shared = make_reranker(top_n=1)

    for _ in range(3):
        (item,) = asyncio.run(
            shared.apostprocess_nodes(nodes_with_metadata(*TEXTS), query_str=QUERY)
        )
        assert item.node.text == TEXTS[1]


async def test_a_cancelled_call_closes_its_connection(make_reranker, local_openrouter):
    """Cancelling an async call closes its connection, and the next call works."""
    local_openrouter.script(Fault.hang())
    shared = make_reranker()

    task = asyncio.create_task(shared.apostprocess_nodes(nodes_with_metadata("a"), query_str="a"))
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
    )
    (item,) = await shared.apostprocess_nodes(nodes_with_metadata("a"), query_str="a")
    assert item.score == 1.0
