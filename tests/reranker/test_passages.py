"""Passages of long documents: by which position, and where in the text of a document."""

import pickle

import pytest
from openrouter_rerank import RerankDocument
from openrouter_rerank.ranking import Passage, RankedDocument, Ranking
from openrouter_rerank.reranker import Placed, Placement, Unscorable, in_texts
from openrouter_rerank.reranker.passages import PASSAGE_KEY, RETRIEVAL_SCORE, passage_metadata
from openrouter_rerank.reranker.placement import ImagePolicy, sendable

WITH_IMAGE = RerankDocument(text="title: long\nthe text", image="https://host/cat.png")
RESULTS = (RankedDocument(1, 0.9), RankedDocument(0, 0.1))
RANKING = Ranking(results=RESULTS, model="a/b", requests=(), passages={1: Passage(3, 5)})


def no_images():
    """Return a policy by which no image is sent."""
    return ImagePolicy(
        refusal="no images", is_refused_by_user=False, max_bytes=1, formats=(), read=lambda _: ""
    )


def test_passages_are_by_the_positions_of_the_caller():
    """Documents with nothing to rank do not shift the positions of passages."""
    sent = sendable(["", "a", Unscorable("no"), "b"], no_images, "keep", score_threshold=None)

    placement = sent.placed(RANKING, top_n=None, score_threshold=None)

    assert placement.passages == {3: Passage(3, 5)}
    assert placement.ranking is RANKING
    ranking = placement.scores(model="a/b")
    assert ranking.passages == {3: Passage(3, 5)}
    assert pickle.loads(pickle.dumps(ranking)) == ranking  # noqa: S301 - Made in this line


@pytest.mark.parametrize(
    ("ranked", "text", "span", "expected"),
    [
        pytest.param("the text", "the text", (4, 8), (4, 8), id="the text alone"),
        pytest.param("title: x\nthe text", "the text", (13, 17), (4, 8), id="metadata before"),
        pytest.param(("title: x\n\n", "the text"), "the text", (14, 18), (4, 8), id="headed"),
        pytest.param(WITH_IMAGE, "the text", (16, 20), (4, 8), id="with an image"),
        pytest.param("the text\n\npage: 1", "the text", (4, 8), (4, 8), id="metadata behind"),
        pytest.param("<d>page: 1\nthe text</d>", "the text", (15, 23), (4, 8), id="between"),
        pytest.param("title: x\nthe text", "  the text\n", (13, 17), (6, 10), id="stripped"),
        pytest.param("the text", "\n the text", (0, 3), (2, 5), id="stripped at the start"),
        pytest.param("text: a\n\na", "a", (9, 10), (0, 1), id="metadata with the same words"),
        pytest.param("title: x\nthe text", "the text", (0, 8), (0, 0), id="only metadata before"),
        pytest.param(
            "the text\n\npage: 1", "the text", (10, 17), (8, 8), id="only metadata behind"
        ),
        pytest.param("another text", "the text", (3, 7), (3, 7), id="another text"),
        pytest.param("THE TEXT the text", None, (0, 8), (0, 8), id="of a function"),
        pytest.param(Unscorable("no"), "", (0, 0), (0, 0), id="nothing"),
    ],
)
def test_passages_have_positions_in_the_text_of_the_document(ranked, text, span, expected):
    """Metadata around a text do not shift the positions; what is only in them is not part of it."""
    placement = Placement(order=(Placed(0, 0.5),), passages={0: Passage(*span, is_cut=True)})

    found = in_texts(placement, [ranked], lambda at: [text][at])

    assert found.passages == {0: Passage(*expected, is_cut=True)}
    assert found.order == placement.order


def test_the_metadata_of_a_passage():
    """Users read a passage and an earlier score under these names."""
    assert (PASSAGE_KEY, RETRIEVAL_SCORE) == ("relevance_passage", "retrieval_score")
    assert passage_metadata(Passage(1, 2, is_cut=True)) == {"start": 1, "end": 2, "is_cut": True}
