"""The traced documents of a call, and the checks of its arguments."""

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import (
    checked_documents,
    checked_items,
    ranked,
)
from langchain_openrouter_rerank._convert.items import texts_with_scores
from langchain_openrouter_rerank._convert.pillow import PillowDocument, PillowImage
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.ranking import RankedDocument, Ranking
from openrouter_rerank.reranker import LocalImageDocument, Placed, Placement, Unscorable
from PIL import Image

RANKING = Ranking(results=(RankedDocument(0, 0.5),), model="a/b", requests=(), attempts=1)
CONTENTS = [
    Unscorable("blank"),
    "A text",
    RerankDocument(text="A caption", image="https://example.com/cat.png"),
    LocalImageDocument(image=LocalImage("cat.png")),
    PillowDocument(text="A picture", image=PillowImage(Image.new("L", (1, 1)))),
]


def test_traced_documents_have_texts_scores_and_indexes():
    """A traced document has the text of a ranked item, which is empty for an image alone."""
    order = tuple(Placed(index, index / 10 if index else None) for index in (4, 3, 2, 1, 0))

    placement = Placement(order=order, ranking=RANKING)
    documents = texts_with_scores(CONTENTS, placement, score_key="score")

    assert [(document.page_content, document.metadata) for document in documents] == [
        ("A picture", {"index": 4, "score": 0.4}),
        ("", {"index": 3, "score": 0.3}),
        ("A caption", {"index": 2, "score": 0.2}),
        ("A text", {"index": 1, "score": 0.1}),
    ]


@pytest.mark.parametrize("items", [["a"], ("a",), iter(["a"])], ids=["list", "tuple", "iterator"])
def test_any_iterable_of_items_is_accepted(items):
    """Any iterable of items is copied to a new list."""
    checked = checked_items(items, "a question")

    assert checked == ["a"]
    assert checked is not items


@pytest.mark.parametrize("items", ["text", b"text", {"text": "a"}, None, 1])
def test_an_argument_that_is_not_a_list_is_refused(items):
    """The error has the type of an argument that is not a list of documents."""
    with pytest.raises(InvalidRequestError, match=f"type {type(items).__name__}: pass a list"):
        checked_items(items, "a question")


@pytest.mark.parametrize(
    "item", [("a", 0.5), (Document("a"),), (Document("a"), 0.5, "b")], ids=["text", "one", "three"]
)
def test_only_a_document_with_a_score_is_called_one(item):
    """A tuple that no search returns is not said to be from a search."""
    with pytest.raises(InvalidRequestError, match=r"documents\[0\] is of type tuple: wrap it"):
        checked_documents([item])


@pytest.mark.parametrize("query", ["", " \n"])
def test_a_blank_query_is_refused(query):
    """A blank query is an error, because there are no scores without a question."""
    with pytest.raises(InvalidRequestError, match="query is blank"):
        checked_items(["a"], query)


def test_an_item_that_is_not_a_document_is_refused():
    """The error has the position and the type of the first item that is not a document."""
    document = Document("a")

    assert checked_documents([document]) == [document]
    with pytest.raises(InvalidRequestError, match=r"documents\[1\] is of type str: wrap it"):
        checked_documents([document, "b"])


class Named(Document):
    """A document of another class."""


@pytest.mark.parametrize("document_class", [Document, Named])
@pytest.mark.parametrize(
    ("metadata", "score", "expected"),
    [
        ({"score": 0.2}, 0.9, {"score": 0.9, "retrieval_score": 0.2}),
        ({"score": 0}, 0.9, {"score": 0.9, "retrieval_score": 0}),
        ({"score": None}, 0.9, {"score": 0.9}),
        ({}, 0.9, {"score": 0.9}),
        ({"score": 0.2}, None, {"retrieval_score": 0.2}),
        (
            {"score": 0.2, "retrieval_score": 0.1, "_score": 7},
            0.9,
            {"score": 0.9, "retrieval_score": 0.2, "_score": 7},
        ),
    ],
)
def test_the_earlier_score_is_kept_if_wanted(document_class, metadata, score, expected):
    """The score that the new one replaces is kept as `retrieval_score`, and else removed."""
    documents = [document_class("a", metadata=metadata)]
    placement = Placement(order=(Placed(0, score),), ranking=RANKING)

    [kept] = ranked(documents, placement, score_key="score", keep_retrieval_score=True)
    [plain] = ranked(documents, placement, score_key="score")

    assert (kept.metadata, type(kept)) == (expected, document_class)
    assert plain.metadata.get("score") == score
    assert "retrieval_score" not in plain.metadata or "retrieval_score" in metadata


def test_without_a_ranking_scores_stay_where_they_are():
    """If nothing was ranked, the documents themselves are returned, with their scores."""
    documents = [Document("a", metadata={"score": 0.2})]
    placement = Placement(order=(Placed(0, None),))

    found = ranked(documents, placement, score_key="score", keep_retrieval_score=True)

    assert found[0] is documents[0]
