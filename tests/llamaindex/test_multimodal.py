"""Indices and engines with images and texts, which are ranked together in one request."""

import base64
import io

import pytest
from llama_index.core import MockEmbedding, StorageContext, load_index_from_storage
from llama_index.core.embeddings import MultiModalEmbedding
from llama_index.core.indices import MultiModalVectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine, SimpleMultiModalQueryEngine
from llama_index.core.schema import ImageNode, QueryBundle, TextNode
from openrouter_rerank.local.stage import results, scores
from PIL import Image

VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
# The index warns that its engines have moved.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


class EqualEmbeddings(MultiModalEmbedding):
    """Gives every text and every image the same embedding, so that only reranking orders them."""

    def _get_query_embedding(self, query):
        return [0.5, 0.5]

    _get_text_embedding = _get_image_embedding = _get_query_embedding

    async def _aget_query_embedding(self, query):
        return [0.5, 0.5]

    _aget_image_embedding = _aget_query_embedding


def base64_png(colour):
    """Return a picture of one colour as base64."""
    file = io.BytesIO()
    Image.new("RGB", (2, 2), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


FOX, CAT = base64_png("orange"), base64_png("black")


@pytest.fixture
def multimodal_index():
    """Return an index of two texts and two images: one with a caption, one with its file name."""
    nodes = [
        TextNode(id_="bread", text="Bread is baked."),
        TextNode(id_="rome", text="Rome is old."),
        ImageNode(id_="fox", image=FOX, text="A fox"),
        ImageNode(id_="cat", image=CAT, metadata={"file_name": "cat.png"}),
    ]
    return MultiModalVectorStoreIndex(
        nodes,
        embed_model=MockEmbedding(embed_dim=2),
        image_embed_model=EqualEmbeddings(),
    )


def data_uri(image):
    """Return base64 as a data URI."""
    return f"data:image/png;base64,{image}"


async def test_texts_and_images_of_an_index_are_ranked_in_one_request(
    multimodal_index, make_reranker, mode, local_openrouter
):
    """The texts and images of a multimodal engine are ranked in one request, which orders both."""
    engine = SimpleMultiModalQueryEngine(
        multimodal_index.as_retriever(similarity_top_k=3, image_similarity_top_k=2),
        multi_modal_llm=MockLLM(),
        node_postprocessors=[make_reranker(model=VISION_MODEL)],
    )
    retrieved = [item.node_id for item in engine._retriever.retrieve("a cat")]  # noqa: SLF001
    documents = {
        "bread": "Bread is baked.",
        "rome": "Rome is old.",
        "fox": {"text": "A fox", "image": data_uri(FOX)},
        "cat": {"image": data_uri(CAT)},
    }
    local_openrouter.script(prefer_images_without_text)

    bundle = QueryBundle("a cat")
    if mode == "async":
        nodes = await engine.aretrieve(bundle)
    else:
        nodes = engine.retrieve(bundle)

    (request,) = local_openrouter.requests
    unique_ids = list(dict.fromkeys(retrieved))
    assert request.documents == [documents[node_id] for node_id in unique_ids]
    assert {*unique_ids} == {*documents}
    assert nodes[0].node_id == "cat"
    assert sorted(item.node_id for item in nodes) == sorted(retrieved)


def prefer_images_without_text(request):
    """Rank images without a text first."""
    pairs = [
        (position, 0.9 if isinstance(document, dict) and "text" not in document else 0.1)
        for position, document in enumerate(request.documents)
    ]
    return results(*sorted(pairs, key=lambda pair: -pair[1]))(request)


async def test_texts_and_images_of_any_retriever_are_ranked_in_one_request(
    make_reranker, make_retriever, mode, local_openrouter
):
    """The texts, images and captions of a plain query engine are ranked in one request."""
    nodes = [
        TextNode(text="a text"),
        ImageNode(image=FOX, text="a caption"),
        ImageNode(image=CAT),
    ]
    local_openrouter.script(scores(0.1, 0.2, 0.3))
    engine = RetrieverQueryEngine.from_args(
        make_retriever(nodes),
        llm=MockLLM(),
        node_postprocessors=[make_reranker(image_mode="always")],
    )

    reranked = await engine.aretrieve("q") if mode == "async" else engine.retrieve("q")

    assert [item.node for item in reranked] == nodes[::-1]
    assert local_openrouter.requests[0].documents == [
        "a text",
        {"text": "a caption", "image": data_uri(FOX)},
        {"image": data_uri(CAT)},
    ]


def test_images_of_a_loaded_index_are_ranked(
    multimodal_index, make_reranker, local_openrouter, tmp_path
):
    """An image node keeps its image when its index is stored, so it is ranked after loading."""
    multimodal_index.storage_context.persist(tmp_path)
    loaded = load_index_from_storage(
        StorageContext.from_defaults(persist_dir=tmp_path),
        embed_model=MockEmbedding(embed_dim=2),
        image_embed_model=EqualEmbeddings(),
    )

    nodes = loaded.as_retriever(similarity_top_k=3, image_similarity_top_k=2).retrieve("a cat")
    make_reranker(model=VISION_MODEL).postprocess_nodes(nodes, query_str="a cat")

    assert {"image": data_uri(CAT)} in local_openrouter.requests[0].documents
