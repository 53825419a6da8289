"""The passages in the metadata of documents."""

from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import add_passages, ranked
from openrouter_rerank.ranking import Passage, RankedDocument, Ranking
from openrouter_rerank.reranker import Placed, Placement

OLD = {"relevance_passage": {"start": 3, "end": 5, "is_cut": False}, "page": 1}
RANKING = Ranking(results=(RankedDocument(0, 0.5),), model="a/b", requests=(), attempts=1)
PLACEMENT = Placement(order=(Placed(1, 0.9), Placed(0, None)), ranking=RANKING)
DOCUMENTS = [Document("a b", metadata=OLD), Document("b", metadata=OLD)]


def test_an_earlier_passage_is_removed():
    """The copies have no passage of an earlier ranking; the documents keep theirs."""
    found = ranked(DOCUMENTS, PLACEMENT, score_key="score")

    assert [each.metadata for each in found] == [{"page": 1, "score": 0.9}, {"page": 1}]
    assert [each.metadata for each in DOCUMENTS] == [OLD] * 2


def test_a_passage_replaces_an_earlier_one():
    """Only a document with a passage has it."""
    placement = PLACEMENT._replace(passages={1: Passage(0, 1)})

    found = ranked(DOCUMENTS, placement, score_key="score")
    add_passages(found, placement)

    passage = {"start": 0, "end": 1, "is_cut": False}
    assert found[0].metadata == {"page": 1, "score": 0.9, "relevance_passage": passage}
    assert "relevance_passage" not in found[1].metadata
