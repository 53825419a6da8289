import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.models import MODELS

KEY = {"authorization": "Bearer any"}


class LengthScorer:
    """A scorer with simple scores: 0.1 for each character."""

    name = "test/by-length"

    def scores(self, query, texts):
        """Return a score that depends only on the length."""
        return [len(text) / 10 for text in texts]


def content(response):
    """Return the decoded body of a response that is not an error."""
    assert response.status == 200
    return json.loads(response.body)


def test_the_response_has_openrouters_fields_in_its_order(rerank):
    """The body has the fields of a recorded response, and each document is an object."""
    response = content(rerank(top_n=1))

    assert list(response) == ["id", "model", "results", "usage", "provider"]
    assert re.fullmatch(r"gen-rerank-1795363200-[A-Za-z0-9]{20}", response["id"])
    [best] = response["results"]
    assert list(best) == ["index", "relevance_score", "document"]
    assert best["index"] == 1
    assert best["document"] == {"text": "Paris is the capital of France."}


def test_ids_differ(rerank):
    """Two responses never share an id."""
    assert content(rerank())["id"] != content(rerank())["id"]


@pytest.mark.parametrize("slug", [*MODELS, "nvidia/llama-nemotron-rerank-vl-1b-v2:free"])
def test_the_response_for_a_hosted_model_names_the_local_scorer(rerank, slug):
    """No response states that it comes from the requested hosted model."""
    response = content(rerank(model=slug))

    assert response["model"] == "local/lexical-pairs"
    assert response["provider"] == "local scorer (not OpenRouter)"
    assert response["usage"]["cost"] == 0


def test_the_first_scorer_also_scores_for_hosted_models():
    """The slug of a scorer selects that scorer, and a hosted slug selects the first one."""
    long, short = LengthScorer(), LengthScorer()
    short.name = "test/second"
    service = LocalOpenRouter(scorers={"a/long": long, "b/short": short})

    def served(slug):
        body = {"model": slug, "query": "q", "documents": ["d"]}
        response = service.handle("POST", "/api/v1/rerank", KEY, json.dumps(body).encode())
        return content(response)["model"]

    assert served("cohere/rerank-v3.5") == served("a/long") == "test/by-length"
    assert served("b/short") == "test/second"


@given(
    documents=st.lists(
        st.text("ab ü", max_size=10)
        | st.builds(lambda text: {"text": text}, st.text("ab", max_size=3)),
        min_size=1,
        max_size=12,
    ),
    top_n=st.integers(1, 15),
)
def test_results_are_sorted_and_equal_scores_keep_the_order(documents, top_n):
    """Results are sorted and cut to `top_n`, with the documents as sent; ties keep their order."""
    service = LocalOpenRouter(scorers={"test/by-length": LengthScorer()})
    request = {"model": "test/by-length", "query": "q", "documents": documents, "top_n": top_n}

    results = content(service.handle("POST", "/api/v1/rerank", KEY, json.dumps(request).encode()))[
        "results"
    ]

    texts = [document if isinstance(document, str) else document["text"] for document in documents]
    scores = [len(text) / 10 if text.strip() else 0.0 for text in texts]
    expected = sorted(range(len(texts)), key=lambda index: (-scores[index], index))[:top_n]
    assert [result["index"] for result in results] == expected
    assert [result["relevance_score"] for result in results] == [
        scores[index] for index in expected
    ]
    assert [result["document"] for result in results] == [
        {"text": texts[index]} for index in expected
    ]


def test_repeated_documents_change_no_score(rerank):
    """Repeating a document changes no score, and the copies have equal scores."""
    once = content(rerank(documents=["red apple", "green pear"], query="apple"))
    twice = content(rerank(documents=["red apple", "green pear", "red apple"], query="apple"))

    scores = {result["index"]: result["relevance_score"] for result in twice["results"]}
    assert scores[0] == scores[2] == once["results"][0]["relevance_score"]


@pytest.mark.parametrize(
    ("model", "documents", "units"),
    [
        ("cohere/rerank-v3.5", ["d"], 1),
        ("cohere/rerank-v3.5", [str(number) for number in range(100)], 1),
        ("cohere/rerank-v3.5", [str(number) for number in range(101)], 2),
        ("cohere/rerank-4-fast", ["d" * 2_000] * 100, 1),
        ("cohere/rerank-4-pro", ["d" * 2_001] * 100, 2),
        ("cohere/rerank-5-fast", ["d"], None),
        ("voyageai/rerank-2.5", ["d"], None),
        ("local/lexical", ["d"], None),
    ],
)
def test_search_units_are_counted_for_the_models_that_cohere_bills_by_them(
    rerank, model, documents, units
):
    """Up to v4, Cohere counts a unit for 100 chunks of 500 tokens; other models have no units."""
    assert content(rerank(model=model, documents=documents))["usage"].get("search_units") == units


def test_tokens_are_estimated_from_the_bytes_of_query_and_documents(rerank):
    """Four bytes count as a token, and the query counts once for each document."""
    usage = content(rerank(query="12345678", documents=["1234", "ääää"]))["usage"]

    assert usage["total_tokens"] == 2 + 1 + 2 + 2


def test_the_response_is_utf8_and_not_escaped(rerank):
    """Text that is not ASCII is returned as UTF-8."""
    assert "東京".encode() in rerank(documents=["東京"]).body


@pytest.mark.parametrize("query", ["", "?", "?q=text"])
def test_models_are_listed_without_a_key_and_a_query(service, query):
    """Without `output_modalities` the list is that of the rerank models; it needs no key."""
    listed = service.handle("GET", f"/api/v1/models{query}", {}, b"")
    reranking = service.handle("GET", "/api/v1/models?output_modalities=rerank", {}, b"")

    assert content(listed)["data"][0]["id"] == "local/lexical"
    assert listed == reranking


def test_no_rerank_models_are_listed_if_only_others_are_wanted(service):
    """Without `rerank` in `output_modalities` the list is empty."""
    query = "output_modalities=text,image"
    listed = content(service.handle("GET", f"/api/v1/models?{query}", {}, b""))

    assert listed == {"data": [], "total_count": 0, "links": {"next": None}}


@pytest.mark.parametrize("modalities", ["rerank", "text,rerank", "all"])
def test_every_listed_model_can_be_used(service, rerank, modalities):
    """A request for any model in the list gets a ranking."""
    listed = content(
        service.handle("GET", f"/api/v1/models?output_modalities={modalities}", {}, b"")
    )

    slugs = [model["id"] for model in listed["data"]]
    assert set(slugs) == {"local/lexical", *MODELS}
    assert listed["total_count"] == len(slugs)
    assert all(rerank(model=slug).status == 200 for slug in slugs)
