"""Indices and engines that hold images beside texts: one list, one request, one scale."""

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
# The index announces that its engines have moved.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


class SameForAll(MultiModalEmbedding):
    """Knows nothing of texts and images, so that every order is the reranker's."""

    def _get_query_embedding(self, query):
        return [0.5, 0.5]

    _get_text_embedding = _get_image_embedding = _get_query_embedding

    async def _aget_query_embedding(self, query):
        return [0.5, 0.5]

    _aget_image_embedding = _aget_query_embedding


def png(mode):
    """Draw a picture, as base64."""
    file = io.BytesIO()
    Image.new("RGB", (2, 2), mode).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


FOX, CAT = png("orange"), png("black")


@pytest.fixture
def index():
    """Two texts and two pictures, one with a caption and one as a file reader leaves it."""
    nodes = [
        TextNode(id_="bread", text="Bread is baked."),
        TextNode(id_="rome", text="Rome is old."),
        ImageNode(id_="fox", image=FOX, text="A fox"),
        ImageNode(id_="cat", image=CAT, metadata={"file_name": "cat.png"}),
    ]
    return MultiModalVectorStoreIndex(
        nodes,
        embed_model=MockEmbedding(embed_dim=2),
        image_embed_model=SameForAll(),
    )


def uri(image):
    """Write base64 as a data URI."""
    return f"data:image/png;base64,{image}"


async def test_texts_and_images_of_an_index_are_ranked_in_one_request(
    index, reranker, mode, local_openrouter
):
    """What comes from the two stores becomes one mixed list, and the sources follow its order."""
    engine = SimpleMultiModalQueryEngine(
        index.as_retriever(similarity_top_k=3, image_similarity_top_k=2),
        multi_modal_llm=MockLLM(),
        node_postprocessors=[reranker(model=VISION_MODEL)],
    )
    found = [item.node_id for item in engine._retriever.retrieve("a cat")]  # noqa: SLF001
    documents = {
        "bread": "Bread is baked.",
        "rome": "Rome is old.",
        "fox": {"text": "A fox", "image": uri(FOX)},
        "cat": {"image": uri(CAT)},
    }
    local_openrouter.script(rank_by_kind)

    bundle = QueryBundle("a cat")
    if mode == "async":
        nodes = await engine.aretrieve(bundle)
    else:
        nodes = engine.retrieve(bundle)

    (request,) = local_openrouter.requests
    different = list(dict.fromkeys(found))
    assert request.documents == [documents[name] for name in different]
    assert {*different} == {*documents}
    assert nodes[0].node_id == "cat"
    assert sorted(item.node_id for item in nodes) == sorted(found)


def rank_by_kind(request):
    """Prefer pictures without words."""
    wordless = [
        (at, 0.9 if isinstance(document, dict) and "text" not in document else 0.1)
        for at, document in enumerate(request.documents)
    ]
    return results(*sorted(wordless, key=lambda pair: -pair[1]))(request)


async def test_mixed_nodes_of_any_retriever_are_ranked_together(
    reranker, retriever_of, mode, local_openrouter
):
    """Captions, pictures and texts of a plain engine are one request as well."""
    nodes = [
        TextNode(text="a text"),
        ImageNode(image=FOX, text="a caption"),
        ImageNode(image=CAT),
    ]
    local_openrouter.script(scores(0.1, 0.2, 0.3))
    engine = RetrieverQueryEngine.from_args(
        retriever_of(nodes), llm=MockLLM(), node_postprocessors=[reranker(image_mode="always")]
    )

    found = await engine.aretrieve("q") if mode == "async" else engine.retrieve("q")

    assert [item.node for item in found] == nodes[::-1]
    assert local_openrouter.requests[0].documents == [
        "a text",
        {"text": "a caption", "image": uri(FOX)},
        {"image": uri(CAT)},
    ]


def test_images_survive_an_index_that_was_stored(index, reranker, local_openrouter, tmp_path):
    """An image node keeps its picture in the store, and it is ranked after loading too."""
    index.storage_context.persist(tmp_path)
    loaded = load_index_from_storage(
        StorageContext.from_defaults(persist_dir=tmp_path),
        embed_model=MockEmbedding(embed_dim=2),
        image_embed_model=SameForAll(),
    )

    nodes = loaded.as_retriever(similarity_top_k=3, image_similarity_top_k=2).retrieve("a cat")
    reranker(model=VISION_MODEL).postprocess_nodes(nodes, query_str="a cat")

    assert {"image": uri(CAT)} in local_openrouter.requests[0].documents
