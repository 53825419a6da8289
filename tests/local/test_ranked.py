import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.local.service import LocalOpenRouter
from openrouter_rerank.models import MODELS

KEY = {"authorization": "Bearer any"}


class ByLength:
    """A scorer whose scores are plain to see: a tenth for each character."""

    name = "test/by-length"

    def scores(self, query, texts):
        """Score by length alone."""
        return [len(text) / 10 for text in texts]


def ranking(answer):
    """Give the body of an answer that is no error."""
    assert answer.status == 200
    return json.loads(answer.body)


def test_the_response_has_openrouters_fields_in_its_order(rerank):
    """The body has the recorded fields, and documents are echoed as objects."""
    response = ranking(rerank(top_n=1))

    assert list(response) == ["id", "model", "results", "usage", "provider"]
    assert re.fullmatch(r"gen-rerank-1795363200-[A-Za-z0-9]{20}", response["id"])
    [best] = response["results"]
    assert list(best) == ["index", "relevance_score", "document"]
    assert best["index"] == 1
    assert best["document"] == {"text": "Paris is the capital of France."}


def test_ids_differ(rerank):
    """Two responses never share an id."""
    assert ranking(rerank())["id"] != ranking(rerank())["id"]


@pytest.mark.parametrize("slug", [*MODELS, "nvidia/llama-nemotron-rerank-vl-1b-v2:free"])
def test_a_hosted_model_is_answered_by_the_local_scorer_which_says_so(rerank, slug):
    """No response pretends to come from the hosted model that was asked for."""
    response = ranking(rerank(model=slug))

    assert response["model"] == "local/bm25-lexical"
    assert response["provider"] == "local scorer (not OpenRouter)"
    assert response["usage"]["cost"] == 0


def test_the_first_scorer_answers_for_hosted_models_and_each_for_itself():
    """A slug of a scorer gets that scorer, and a hosted slug the first one."""
    long, short = ByLength(), ByLength()
    short.name = "test/second"
    service = LocalOpenRouter(scorers={"a/long": long, "b/short": short})

    def served(slug):
        body = {"model": slug, "query": "q", "documents": ["d"]}
        answer = service.answer("POST", "/api/v1/rerank", KEY, json.dumps(body).encode())
        return ranking(answer)["model"]

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
def test_results_are_the_best_first_and_ties_keep_the_input_order(documents, top_n):
    """Results are sorted, cut to `top_n`, echo what came, and keep the order of equal ones."""
    service = LocalOpenRouter(scorers={"test/by-length": ByLength()})
    request = {"model": "test/by-length", "query": "q", "documents": documents, "top_n": top_n}

    results = ranking(service.answer("POST", "/api/v1/rerank", KEY, json.dumps(request).encode()))[
        "results"
    ]

    texts = [document if isinstance(document, str) else document["text"] for document in documents]
    scores = [len(text) / 10 if text.strip() else 0.0 for text in texts]
    expected = sorted(range(len(texts)), key=lambda place: (-scores[place], place))[:top_n]
    assert [result["index"] for result in results] == expected
    assert [result["relevance_score"] for result in results] == [
        scores[place] for place in expected
    ]
    assert [result["document"] for result in results] == [
        {"text": texts[place]} for place in expected
    ]


def test_a_document_sent_twice_counts_once(rerank):
    """Repeating a document changes no score, and the copies score the same."""
    once = ranking(rerank(documents=["red apple", "green pear"], query="apple"))
    twice = ranking(rerank(documents=["red apple", "green pear", "red apple"], query="apple"))

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
def test_search_units_are_counted_where_cohere_would(rerank, model, documents, units):
    """Up to v4 Cohere counts a unit for 100 chunks of 500 tokens; nobody else counts units."""
    assert ranking(rerank(model=model, documents=documents))["usage"].get("search_units") == units


def test_tokens_are_estimated_from_the_bytes_of_query_and_documents(rerank):
    """Four bytes are a token, and the query is read once with every document."""
    usage = ranking(rerank(query="12345678", documents=["1234", "ääää"]))["usage"]

    assert usage["total_tokens"] == 2 + 1 + 2 + 2


def test_the_response_is_utf8_and_not_escaped(rerank):
    """Text that is not ASCII comes back as UTF-8."""
    assert "東京".encode() in rerank(documents=["東京"]).body


@pytest.mark.parametrize("query", ["", "output_modalities=text", "q=rerank"])
def test_rerank_models_are_not_listed_unless_asked_for(service, query):
    """Without `output_modalities` the listing shows no rerank model, and needs no key."""
    listed = ranking(service.answer("GET", f"/api/v1/models?{query}", {}, b""))

    assert listed == {"data": [], "total_count": 0, "links": {"next": None}}


@pytest.mark.parametrize("modalities", ["rerank", "text,rerank", "all"])
def test_every_listed_model_answers(service, rerank, modalities):
    """What the listing names can be asked for."""
    listed = ranking(
        service.answer("GET", f"/api/v1/models?output_modalities={modalities}", {}, b"")
    )

    slugs = [model["id"] for model in listed["data"]]
    assert set(slugs) == {"local/lexical", *MODELS}
    assert listed["total_count"] == len(slugs)
    assert all(rerank(model=slug).status == 200 for slug in slugs)
