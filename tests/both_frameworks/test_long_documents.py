"""Long documents in both frameworks: their best passage decides, and the metadata name it."""

import copy
import logging
import pickle

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llama_index.core.schema import MetadataMode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank.errors import InvalidRequestError

QUERY = "capital of France"
FILLER = "".join(f"Paragraph {number} tells of other things.\n\n" for number in range(500))
ANSWER = "Paris is the capital of France."
LONG = f"{FILLER}{ANSWER}\n\nThe end. "
SHORT = "France has a capital."


def metadata_of(item):
    """Return the metadata of a LangChain document, or of LlamaIndex's node."""
    return item.node.metadata if isinstance(item, NodeWithScore) else item.metadata


async def test_the_passage_is_in_the_metadata_of_a_copy(pipeline):
    """The metadata of a long document name its best passage; the caller's items stay unchanged."""
    items = pipeline.items(SHORT, LONG, "Bread.")
    before = pipeline.dumps(items)

    result = await pipeline.rerank(pipeline.reranker(long_documents="split"), items)

    assert [name for name, _ in pipeline.names_and_scores(result)] == ["1", "0", "2"]
    passage = metadata_of(result[0])["relevance_passage"]
    assert ANSWER in LONG[passage["start"] : passage["end"]]
    assert passage["is_cut"] is False
    assert all("relevance_passage" not in metadata_of(item) for item in result[1:])
    assert pipeline.dumps(items) == before


async def test_the_positions_are_those_of_all_items(pipeline):
    """An item with nothing to rank does not shift the passages of the others."""
    items = pipeline.items("", SHORT, "", LONG)

    result = await pipeline.rerank(pipeline.reranker(long_documents="split"), items)

    passage = metadata_of(result[0])["relevance_passage"]
    assert ANSWER in LONG[passage["start"] : passage["end"]]
    assert "relevance_passage" not in metadata_of(result[1])


async def test_the_error_names_the_position_in_the_list_of_the_caller(pipeline):
    """With `"raise"`, the position in the error counts the items with nothing to rank, too."""
    items = pipeline.items("", SHORT, LONG)

    with pytest.raises(InvalidRequestError, match=r"the longest, documents\[2\], has up to"):
        await pipeline.rerank(pipeline.reranker(long_documents="raise"), items)
    assert pipeline.service.requests == []


async def test_a_reranker_and_its_copies_warn_once(pipeline, caplog):
    """One reranker warns once, also if a copy or another client makes the call."""
    caplog.set_level(logging.DEBUG, "openrouter_rerank")
    reranker = pipeline.reranker()
    items = pipeline.items(SHORT, LONG)

    for each in (reranker, reranker.model_copy(update={"timeout": 9}), copy.deepcopy(reranker)):
        await pipeline.rerank(each, items)

    levels = [each.levelname for each in caplog.records if "may be longer" in each.getMessage()]
    assert levels == ["WARNING", "DEBUG", "WARNING"]


def test_neither_prompts_nor_embeddings_of_llamaindex_see_the_passage(local_openrouter):
    """The key is excluded from what prompts and embeddings read."""
    node = TextNode(text=LONG, metadata={"title": "Cities"})
    reranker = LlamaIndexRerank(base_url=local_openrouter.base_url, long_documents="split")

    [item] = reranker.postprocess_nodes([NodeWithScore(node=node)], query_str=QUERY)

    passage = item.node.metadata["relevance_passage"]
    assert ANSWER in node.text[passage["start"] : passage["end"]]
    for mode in (MetadataMode.LLM, MetadataMode.EMBED):
        assert item.node.get_content(mode) == node.get_content(mode)
    assert "relevance_passage" not in node.metadata


@pytest.mark.parametrize(
    "rank_fields", [(), ("title",), ("title", "author")], ids=["text", "title", "two fields"]
)
def test_the_offsets_are_those_in_the_text_without_ranked_metadata(local_openrouter, rank_fields):
    """Metadata that are ranked before the text do not shift the offsets."""
    metadata = {"title": "Cities", "author": "Anne"}
    reranker = LangChainRerank(
        base_url=local_openrouter.base_url, long_documents="split", rank_fields=rank_fields
    )

    [found] = reranker.compress_documents([Document(LONG, metadata=metadata)], QUERY)
    [first] = reranker.compress_documents([Document(LONG, metadata=metadata)], "Cities Anne")

    passage = found.metadata["relevance_passage"]
    assert LONG[passage["start"] : passage["end"]].endswith(("The end. ", "The end."))
    assert first.metadata["relevance_passage"]["start"] == 0


@pytest.fixture
def with_title(framework, local_openrouter):
    """A function that returns a long item whose title is ranked with it, and the reranker."""
    metadata = {"title": "A report about bridges"}
    options = {"base_url": local_openrouter.base_url, "long_documents": "split"}
    if framework.reranker_class is LangChainRerank:
        return Document(LONG, metadata=metadata), LangChainRerank(rank_fields=["title"], **options)
    return TextNode(text=LONG, metadata=metadata), LlamaIndexRerank(**options)


async def test_scores_alone_have_the_passages(with_title, mode):
    """The ranking of `rerank` names passages by positions in the caller's list and texts."""
    item, reranker = with_title
    documents = ["", SHORT, item, {"text": LONG}, LONG]

    if mode == "sync":
        ranking = reranker.rerank(documents, QUERY)
    else:
        ranking = await reranker.arerank(documents, QUERY)

    assert sorted(ranking.passages) == [2, 3, 4]
    for passage in ranking.passages.values():
        assert ANSWER in LONG[passage.start : passage.end]
    assert pickle.loads(pickle.dumps(ranking)) == ranking  # noqa: S301 - Made in this line
    assert copy.deepcopy(ranking) == ranking


def test_a_passage_in_the_metadata_is_no_part_of_the_text(local_openrouter):
    """If the best passage is in metadata that are ranked with the text, it is empty."""
    summary = f"{FILLER}{ANSWER}"
    reranker = LangChainRerank(
        base_url=local_openrouter.base_url, long_documents="split", rank_fields=["summary"]
    )

    [found] = reranker.compress_documents(
        [Document("Other text.", metadata={"summary": summary})], QUERY
    )

    passage = found.metadata["relevance_passage"]
    assert passage["start"] == passage["end"] == 0


@pytest.mark.parametrize(
    "returned",
    [LONG.upper() + ANSWER, f"TITLE OF THE DOCUMENT\n\n{LONG}"],
    ids=["another text", "a text that ends with that of the document"],
)
def test_the_offsets_of_a_converted_text_are_those_in_what_the_function_returned(
    framework, local_openrouter, returned
):
    """If a function of the user returns what is ranked, the offsets are positions in that."""
    options = {"base_url": local_openrouter.base_url, "long_documents": "split"}
    if framework.reranker_class is LangChainRerank:
        reranker = LangChainRerank(document_converter=lambda _: returned, **options)
        [found] = reranker.compress_documents([Document(LONG)], QUERY)
        ranking = reranker.rerank([Document(LONG)], QUERY)
    else:
        reranker = LlamaIndexRerank(document_fn=lambda _: returned, **options)
        node = NodeWithScore(node=TextNode(text=LONG))
        [found] = reranker.postprocess_nodes([node], query_str=QUERY)
        ranking = reranker.rerank([node], QUERY)

    passage = metadata_of(found)["relevance_passage"]
    assert ANSWER in returned[passage["start"] : passage["end"]]
    assert (ranking.passages[0].start, ranking.passages[0].end) == (
        passage["start"],
        passage["end"],
    )
