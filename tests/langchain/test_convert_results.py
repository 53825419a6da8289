"""Conversion of a placement to documents: their order, their scores, and what they keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import ranked
from openrouter_rerank.errors import ServiceUnavailableError
from openrouter_rerank.ranking import Ranking
from openrouter_rerank.reranker import Placed, Placement

from tests.langchain.metadata_values import metadata_values


def placement(*order):
    """Return the placement after a response: pairs of an index and a score, in this order."""
    ranking = Ranking(results=(), model="a/model", requests=())
    return Placement(order=tuple(Placed(*placed) for placed in order), ranking=ranking)


@given(
    st.fixed_dictionaries(
        {"page_content": st.text()},
        optional={
            "id": st.none() | st.text(),
            "metadata": st.dictionaries(st.text() | st.just("relevance_score"), metadata_values),
            "type": st.just("Document"),
        },
    ),
    st.none() | st.floats(allow_nan=False),
)
def test_a_result_equals_the_copy_that_pydantic_makes(fields, score):
    """A result has the complete state of a `model_copy`, and the document stays unchanged."""
    document = Document(**fields)
    before = repr(document.__getstate__())
    metadata = {key: value for key, value in document.metadata.items() if key != "relevance_score"}
    if score is not None:
        metadata["relevance_score"] = score
    expected = document.model_copy(update={"metadata": metadata})

    [copy] = ranked([document], placement((0, score)), score_key="relevance_score")
    state = repr({**copy.__getstate__(), "__pydantic_fields_set__": None})

    assert state == repr({**expected.__getstate__(), "__pydantic_fields_set__": None})
    assert copy.model_fields_set == expected.model_fields_set
    copy.id = "another"
    copy.metadata["another"] = 1
    assert repr(document.__getstate__()) == before


class StatefulDocument(Document):
    """A document with a state, as LangChain's filters make them."""

    state: object = None


def test_a_result_keeps_everything_but_the_score():
    """A result keeps the id, the subclass, its state and the objects in the metadata."""
    lock = object()
    document = StatefulDocument(
        "A text", id="a", metadata={"lock": lock, "n": 1}, state={"vector": [1.0]}
    )

    [result] = ranked([document], placement((0, 0.5)), score_key="relevance_score")

    assert result is not document
    assert type(result) is StatefulDocument
    assert (result.id, result.page_content, result.type) == ("a", "A text", "Document")
    assert result.state is document.state
    assert result.metadata == {"lock": lock, "n": 1, "relevance_score": 0.5}
    assert document.metadata == {"lock": lock, "n": 1}


def test_earlier_scores_are_replaced_or_removed():
    """Results have only the scores of this ranking. The documents keep their earlier scores."""
    documents = [Document("a", metadata={"score": 9.0, "n": 1}) for _ in range(2)]

    results = ranked(documents, placement((1, 0.5), (0, None)), score_key="score")

    assert [result.metadata for result in results] == [{"score": 0.5, "n": 1}, {"n": 1}]
    assert [document.metadata["score"] for document in documents] == [9.0, 9.0]


@pytest.mark.parametrize("error", [None, ServiceUnavailableError("down")])
def test_without_a_ranking_the_documents_themselves_are_returned(error):
    """If no request was sent, or a failure was passed through, the results are the same objects."""
    documents = [Document("a", metadata={"relevance_score": 0.9}), Document("b"), Document("c")]
    unranked = Placement(order=(Placed(0, None), Placed(1, None)), error=error)

    results = ranked(documents, unranked, score_key="relevance_score")

    assert [id(result) for result in results] == [id(document) for document in documents[:2]]
    assert results[0].metadata == {"relevance_score": 0.9}
