"""
Promise: the results are a permutation of a subset of the documents.

They are mapped by index, never by the echoed text, and the documents are not changed.
"""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter_rerank import Ranking, RerankDocument
from openrouter_rerank._attempt import Request, Response
from openrouter_rerank._wire.request import encode
from openrouter_rerank._wire.response import decode
from openrouter_rerank.documents import checked_documents
from openrouter_rerank.errors import InvalidResponseError
from openrouter_rerank.local.stage import Reply

from tests.repetitions import repetitions

IMAGES = st.sampled_from(
    ["https://host/a.png", "http://[::1]/東京.jpg", "data:image/png;base64,iVBORw0KGgo="]
)
TEXTS = st.text(min_size=1).filter(str.strip)
DOCUMENTS = st.lists(
    TEXTS
    | st.fixed_dictionaries({"text": TEXTS})
    | st.fixed_dictionaries({"image": IMAGES}, optional={"text": st.text() | st.none()})
    | st.builds(RerankDocument, text=TEXTS, image=IMAGES | st.none()),
    max_size=8,
)
SCORES = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, 0.5, 0.5])


@given(DOCUMENTS, st.text(), st.none() | st.integers(1, 10))
def test_an_encoded_request_contains_the_documents_unchanged(documents, query, top_n):
    """A server that parses the request gets the documents, the query and `top_n` unchanged."""
    before = copy.deepcopy(documents)
    checked = checked_documents(documents)

    request = encode("m", query, checked, top_n=top_n)
    body = json.loads(b"".join(request.body))

    assert body["query"] == query
    assert [
        item if isinstance(item, str) else RerankDocument(**item) for item in body["documents"]
    ] == [*checked]
    assert body.get("top_n", len(documents)) == min(top_n or len(documents), len(documents))
    assert documents == before


@given(st.data())
@settings(max_examples=repetitions(local=60, ci=300))
def test_a_valid_response_returns_the_best_documents_in_order(data):
    """A valid response in any order gives the best documents, each once; ties keep input order."""
    sent = data.draw(st.integers(1, 12))
    top_n = data.draw(st.integers(1, sent))
    scores = data.draw(st.lists(SCORES, min_size=sent, max_size=sent))
    best = sorted(range(sent), key=lambda index: (-scores[index], index))
    returned = data.draw(st.permutations(best[: data.draw(st.integers(top_n, sent))]))
    rows = [{"index": index, "relevance_score": scores[index]} for index in returned]

    ranking = decode(
        Response(status=200, headers={}, body=json.dumps({"results": rows}).encode()),
        Request(body=b"", model="m", documents=sent, results=top_n),
    )

    assert [result.index for result in ranking.results] == best[:top_n]
    assert [result.relevance_score for result in ranking.results] == [
        scores[index] for index in best[:top_n]
    ]


@given(
    st.lists(st.tuples(st.integers(-2, 5), SCORES), max_size=6),
    st.integers(1, 4).flatmap(lambda sent: st.tuples(st.just(sent), st.integers(1, sent))),
)
@settings(max_examples=repetitions(local=60, ci=300))
def test_an_invalid_response_is_refused(rows, shape):
    """A response that repeats, invents or omits a document is an `InvalidResponseError`."""
    sent, top_n = shape
    body = {"results": [{"index": index, "relevance_score": score} for index, score in rows]}
    indexes = [index for index, _ in rows]
    is_valid = len(set(indexes)) == len(indexes) >= top_n and set(indexes) <= set(range(sent))

    outcome = decode(
        Response(status=200, headers={}, body=json.dumps(body).encode()),
        Request(body=b"", model="m", documents=sent, results=top_n),
    )

    assert isinstance(outcome, Ranking if is_valid else InvalidResponseError)


def test_echoed_texts_are_ignored(make_client, stage):
    """A response with wrong echoed texts does not change which documents the results refer to."""
    documents = ["the first", "the second"]
    stage.script(
        Reply(
            body={
                "results": [
                    {"index": 1, "relevance_score": 0.9, "document": {"text": "the first"}},
                    {"index": 0, "relevance_score": 0.1, "document": {"text": "invented"}},
                ]
            }
        )
    )

    ranking = make_client().rerank("q", documents)

    assert [documents[result.index] for result in ranking.results] == ["the second", "the first"]


@pytest.mark.parametrize("top_n", [None, 1, 2, 3, 4, 9])
def test_equal_documents_are_ranked_separately(make_client, top_n):
    """Documents with equal texts are all returned, in input order."""
    documents = ["Paris", "Berlin", "Paris", {"text": "Berlin"}]
    before = copy.deepcopy(documents)

    ranking = make_client().rerank("Paris", documents, top_n=top_n)

    assert [result.index for result in ranking.results] == [0, 2, 1, 3][:top_n]
    assert documents == before
