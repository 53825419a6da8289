"""Scores and traces of a placement, and the checks of the arguments of a call."""

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import checked_documents, checked_items
from langchain_openrouter_rerank._convert.items import scores, texts_with_scores
from langchain_openrouter_rerank._convert.pillow import PillowDocument, PillowImage
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.ranking import RankedDocument, Ranking
from openrouter_rerank.reranker import LocalImageDocument, Placed, Placement, Unscorable
from PIL import Image

ANSWERED = Ranking(results=(RankedDocument(0, 0.5),), model="a/b", requests=(), attempts=1)
CONTENTS = [
    Unscorable("blank"),
    "A text",
    RerankDocument(text="A caption", image="https://example.com/cat.png"),
    LocalImageDocument(image=LocalImage("cat.png")),
    PillowDocument(text="A picture", image=PillowImage(Image.new("L", (1, 1)))),
]


def test_scores_name_the_documents_of_the_caller():
    """Indexes refer to the list of the caller, and documents that were not ranked are left out."""
    placement = Placement(order=(Placed(2, 0.5), Placed(1, None)), ranking=ANSWERED)

    found = scores(placement, model="c/d")

    assert found.results == (RankedDocument(2, 0.5),)
    assert (found.model, found.attempts) == ("a/b", 1)


def test_nothing_ranked_is_an_empty_ranking():
    """If no request was sent, the ranking is empty and names the model of the call."""
    found = scores(Placement(order=(Placed(0, None),)), model="c/d")

    assert found == Ranking(results=(), model="c/d", requests=())


def test_traces_show_texts_with_scores_and_indexes():
    """Each ranked item is shown by its text, which is blank for an image alone."""
    order = tuple(Placed(at, at / 10 if at else None) for at in (4, 3, 2, 1, 0))

    placement = Placement(order=order, ranking=ANSWERED)
    found = texts_with_scores(CONTENTS, placement, score_key="score")

    assert [(each.page_content, each.metadata) for each in found] == [
        ("A picture", {"index": 4, "score": 0.4}),
        ("", {"index": 3, "score": 0.3}),
        ("A caption", {"index": 2, "score": 0.2}),
        ("A text", {"index": 1, "score": 0.1}),
    ]


@pytest.mark.parametrize("given", [["a"], ("a",), iter(["a"])], ids=["list", "tuple", "iterator"])
def test_any_list_is_taken(given):
    """Any iterable of items is copied to a new list."""
    taken = checked_items(given, "a question")

    assert taken == ["a"]
    assert taken is not given


@pytest.mark.parametrize("given", ["text", b"text", {"text": "a"}, None, 1])
def test_what_is_no_list_is_refused(given):
    """The error names the type of an argument that is not a list of documents."""
    with pytest.raises(InvalidRequestError, match=f"type {type(given).__name__}: pass a list"):
        checked_items(given, "a question")


@pytest.mark.parametrize("query", ["", " \n"])
def test_a_blank_query_is_refused(query):
    """Scores need a question."""
    with pytest.raises(InvalidRequestError, match="query is blank"):
        checked_items(["a"], query)


def test_only_documents_are_compressed():
    """The error names the position and the type of the first item that is not a document."""
    document = Document("a")

    assert checked_documents([document]) == [document]
    with pytest.raises(InvalidRequestError, match=r"documents\[1\] is of type str: wrap it"):
        checked_documents([document, "b"])
