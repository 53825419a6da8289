"""One call: what is sent, what is returned, and what is refused before anything is sent."""

import json

import pytest
from openrouter_rerank import RankedDocument, RerankDocument
from openrouter_rerank.errors import (
    BadRequestError,
    ConfigurationError,
    InvalidRequestError,
    InvalidResponseError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from openrouter_rerank.local.stage import Fault, Reply, Stage, error, results, scores

from tests.clients import OWN_CONNECTIONS

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]
PNG = "data:image/png;base64,iVBORw0KGgo="


def test_documents_are_ranked(make_client):
    """The ranking has every document's position, best first, and the model, provider and cost."""
    ranking = make_client().rerank(QUERY, DOCUMENTS)

    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert ranking.results[0] == RankedDocument(1, 1.0)
    assert (ranking.model, ranking.served_model) == ("cohere/rerank-v3.5", "rerank-v3.5")
    assert (ranking.provider, ranking.attempts) == ("Stage", 1)
    assert ranking.id.startswith("gen-rerank-")
    assert ranking.usage.cost == 0.001


def test_the_default_request_has_three_fields(make_client, stage):
    """Without options the body contains only model, query and documents."""
    make_client().rerank(QUERY, DOCUMENTS)

    (request,) = stage.requests
    assert (request.method, request.path) == ("POST", "/api/v1/rerank")
    assert request.json == {
        "model": "cohere/rerank-v3.5",
        "query": QUERY,
        "documents": DOCUMENTS,
    }


PROVIDER_PREFERENCES = {
    "order": ["cohere", "nvidia"],
    "only": ["cohere"],
    "ignore": ["fireworks"],
    "allow_fallbacks": False,
    "require_parameters": True,
    "data_collection": "deny",
    "zdr": True,
    "enforce_distillable_text": False,
    "quantizations": ["fp8"],
    "sort": {"by": "price", "partition": "none"},
    "max_price": {"prompt": 1, "request": "0.01"},
    "preferred_min_throughput": {"p50": 100},
    "preferred_max_latency": 2.5,
    "options": {"cohere": {"max_tokens_per_doc": 512}},
    "next_months_preference": "anything",
}


def test_every_request_parameter_is_sent(make_client, stage):
    """Every parameter of the service, including unknown ones, is sent unchanged."""
    make_client().rerank(
        QUERY,
        DOCUMENTS,
        model="qwen/qwen3-reranker-8b",
        top_n=2,
        provider=PROVIDER_PREFERENCES,
        session_id="session 1",
        user="user-1",
        trace={"trace_id": "t", "nested": {"a": [1]}},
        extra_body={"next_months_field": {"a": None}},
    )

    (request,) = stage.requests
    assert request.headers["x-session-id"] == "session 1"
    assert request.json == {
        "model": "qwen/qwen3-reranker-8b",
        "query": QUERY,
        "documents": DOCUMENTS,
        "top_n": 2,
        "provider": PROVIDER_PREFERENCES,
        "user": "user-1",
        "trace": {"trace_id": "t", "nested": {"a": [1]}},
        "next_months_field": {"a": None},
    }


def test_documents_of_all_forms_can_be_mixed(make_client, stage):
    """One call can mix texts, images and pairs of both; each is sent as the API defines it."""
    documents = [
        "a",
        {"text": "b"},
        {"image": PNG},
        {"text": "c", "image": "https://host/cat.png"},
        RerankDocument(text="d", image=PNG),
    ]

    ranking = make_client().rerank("q", documents)

    assert stage.requests[0].documents == [
        "a",
        "b",
        {"image": PNG},
        {"text": "c", "image": "https://host/cat.png"},
        {"text": "d", "image": PNG},
    ]
    assert sorted(result.index for result in ranking.results) == [0, 1, 2, 3, 4]


def test_text_is_sent_as_utf8(make_client, stage):
    """Text in any script is sent as UTF-8, and a lone surrogate as U+FFFD."""
    make_client().rerank("東京", ["天気 😀", "\ud83d"])

    body = stage.requests[0].body
    assert "東京".encode() in body
    assert "天気 😀".encode() in body
    assert json.loads(body)["documents"][1] == "\ufffd"


@pytest.mark.parametrize("size", [1000, 262_144, 3_000_000])
def test_a_request_of_any_size_arrives_complete(make_client, stage, size):
    """A body of any size is sent with `Content-Length`, and a response that echoes it is read."""
    text = "x" * size

    ranking = make_client().rerank("q", [text])

    (request,) = stage.requests
    assert request.documents == [text]
    assert request.headers["content-length"] == str(len(request.body))
    assert "transfer-encoding" not in request.headers
    assert len(ranking.results) == 1


def test_the_headers_of_a_request(make_client, stage):
    """The headers with key, formats and attribution are those that OpenRouter documents."""
    make_client(app_url="https://me", app_title="My App", app_categories=["a", "b"]).rerank(
        "q", ["a"]
    )

    headers = stage.requests[0].headers
    assert headers["authorization"] == f"Bearer {stage.api_key}"
    assert headers["accept"] == headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["http-referer"] == "https://me"
    assert headers["x-openrouter-title"] == "My App"
    assert headers["x-openrouter-categories"] == "a,b"
    assert headers["user-agent"].startswith("openrouter-rerank/")
    assert "x-title" not in headers


@OWN_CONNECTIONS
def test_attribution_is_read_from_the_environment(make_client, stage, monkeypatch):
    """If no URL and no title are given, the client sends those of the environment."""
    monkeypatch.setenv("OPENROUTER_APP_URL", "https://env")
    monkeypatch.setenv("OPENROUTER_APP_TITLE", "Env")

    make_client().rerank("q", ["a"])
    make_client(app_url="https://me", app_title="Me").rerank("q", ["a"])

    titles = [request.headers["x-openrouter-title"] for request in stage.requests]
    urls = [request.headers["http-referer"] for request in stage.requests]
    assert (titles, urls) == (["Env", "Me"], ["https://env", "https://me"])


def test_default_headers_replace_our_headers(make_client, stage):
    """The user's headers replace ours; with an `Authorization` header no key is needed."""
    caller = make_client(
        api_key=None,
        default_headers={"authorization": "Bearer mine", "USER-AGENT": "me", "X-A": "1"},
    )

    caller.rerank("q", ["a"])

    headers = stage.requests[0].headers
    assert (headers["authorization"], headers["user-agent"]) == ("Bearer mine", "me")
    assert headers["x-a"] == "1"


def test_only_one_session_id_is_sent(make_client, stage):
    """A session in the user's headers and the session of the call are not sent together."""
    make_client(default_headers={"X-Session-Id": "of the client"}).rerank(
        "q", ["a"], session_id="call"
    )

    assert "," not in stage.requests[0].headers["x-session-id"]


@OWN_CONNECTIONS
def test_the_key_is_read_from_the_environment_at_each_call(make_client, stage, monkeypatch):
    """A client without a key reads the environment at each call, not when it is created."""
    caller = make_client(api_key=None)
    monkeypatch.delenv("OPENROUTER_API_KEY")

    with pytest.raises(ConfigurationError, match="OPENROUTER_API_KEY"):
        caller.rerank("q", ["a"])
    for key in ("first", "second"):
        monkeypatch.setenv("OPENROUTER_API_KEY", key)
        caller.rerank("q", ["a"])

    keys = [request.headers["authorization"] for request in stage.requests]
    assert keys == ["Bearer first", "Bearer second"]


@OWN_CONNECTIONS
def test_the_base_url_is_read_from_the_environment(make_client, stage, monkeypatch):
    """A client without a base URL uses the URL in the environment."""
    caller = make_client(base_url=None)
    monkeypatch.setenv("OPENROUTER_API_BASE", f"{stage.base_url}/rerank/")

    caller.rerank("q", ["a"])

    assert stage.requests[0].path == "/api/v1/rerank"


@OWN_CONNECTIONS
def test_a_call_without_documents_sends_nothing(client_kind):
    """An empty list is ranked without a connection and without a request."""
    client = client_kind.client(base_url="https://host.invalid", api_key="sk-any")

    ranking = client.rerank("q", [], model="m")

    assert (ranking.results, ranking.requests, ranking.attempts) == ((), (), 0)
    assert (ranking.model, ranking.usage.cost) == ("m", None)


@OWN_CONNECTIONS
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param({"query": " "}, id="blank query"),
        pytest.param({"documents": [""]}, id="blank document"),
        pytest.param({"documents": [{}]}, id="empty mapping"),
        pytest.param({"documents": [{"content": "a"}]}, id="unknown key"),
        pytest.param({"documents": [1]}, id="number"),
        pytest.param({"documents": "a"}, id="string"),
        pytest.param({"top_n": 0}, id="top_n"),
        pytest.param({"model": ""}, id="model"),
        pytest.param({"session_id": "a\nb"}, id="session"),
        pytest.param({"user": object()}, id="not JSON"),
    ],
)
def test_invalid_arguments_are_refused_before_anything_is_sent(make_client, stage, arguments):
    """An invalid argument is an `InvalidRequestError`, and no connection is opened."""
    caller = make_client()
    call_arguments = {"query": "q", "documents": ["a"]} | arguments

    with pytest.raises(InvalidRequestError):
        caller.rerank(
            call_arguments.pop("query"), call_arguments.pop("documents"), **call_arguments
        )

    assert (stage.requests, stage.connections) == ([], 0)


@OWN_CONNECTIONS
@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": "half a minute"},
        {"max_retries": -1},
        {"max_retries": 1.5},
        {"max_retries": True},
        {"max_concurrency": 0},
        {"max_concurrency": None},
        {"budget": -1},
        {"base_url": "http://host.example"},
        {"api_key": "two words"},
        {"app_title": "a\nb"},
        {"app_categories": ["a", "b", "c"]},
        {"default_headers": {"Host": "a"}},
        {"api_key": b"sk-or-v1-bytes"},
        {"api_key": 5},
        {"base_url": 5},
        {"budget": "5 dollars"},
        {"budget": True},
    ],
    ids=str,
)
def test_invalid_options_are_refused_when_the_client_is_created(make_client, options):
    """An invalid option is a `ConfigurationError` that names the option."""
    named = next(iter(options)).replace("_", "[_ ]")

    with pytest.raises(ConfigurationError, match=f"(?i){named}") as caught:
        make_client(**options)

    assert "two words" not in str(caught.value)


def test_results_are_sorted_and_limited_to_top_n(make_client, stage):
    """Unsorted and superfluous results and ties are sorted, and limited to `top_n`."""
    stage.script(results((0, 0.5), (2, 0.9), (1, 0.5)))

    ranking = make_client().rerank(QUERY, DOCUMENTS, top_n=2)

    assert ranking.results == (RankedDocument(2, 0.9), RankedDocument(0, 0.5))


@OWN_CONNECTIONS
def test_top_n_larger_than_the_list(make_client, stage):
    """A `top_n` larger than the list returns all documents and is not sent."""
    assert len(make_client().rerank(QUERY, DOCUMENTS, top_n=99).results) == 3
    assert stage.requests[0].top_n is None


@OWN_CONNECTIONS
@pytest.mark.parametrize(
    ("reply", "error_class", "message"),
    [
        (error(401, "No auth"), UnauthorizedError, "No auth (HTTP 401 from 127.0.0.1:"),
        (
            error(400, "bad image", status=200),
            BadRequestError,
            "bad image (HTTP 200 with code 400 from ",
        ),
        (
            Reply(status=503, body="<title>Down</title>"),
            ServiceUnavailableError,
            "Down (HTTP 503 from ",
        ),
        (Reply(body={"results": []}), InvalidResponseError, "the response ranks 0 of 3 documents"),
        (Reply(status=204), InvalidResponseError, "the response is not a ranking"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_failure_is_raised_as_its_error_class(make_client, stage, reply, error_class, message):
    """With `max_retries=0`, the first failure is raised as the error class that fits it."""
    stage.script(reply)

    with pytest.raises(error_class) as caught:
        make_client(max_retries=0).rerank(QUERY, DOCUMENTS)

    assert caught.value.message.startswith(message)
    assert (caught.value.attempts, len(stage.requests)) == (1, 1)


@pytest.mark.parametrize(
    "reply",
    [
        error(429, "slow down", retry_after="0.05"),
        error(503, "down"),
        error(529, "overloaded"),
        error(500, "broken"),
        error(502, "broken", status=200),
        Fault.reset_after(),
        Fault.close(),
        Fault.truncated(),
    ],
    ids=str,
)
def test_a_temporary_failure_is_retried(make_client, stage, reply):
    """After a temporary failure the call sends the request again and succeeds."""
    stage.script(reply)

    ranking = make_client().rerank(QUERY, DOCUMENTS)

    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert ranking.attempts == len(stage.requests) == 2
    assert stage.requests[0].body == stage.requests[1].body


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_is_not_followed(make_client, stage, status):
    """The client opens no connection to the target of a redirect, and raises an error."""
    with Stage() as other_stage:
        stage.script(Fault.redirect(f"{other_stage.base_url}/rerank", status))

        with pytest.raises(InvalidResponseError, match="redirect") as caught:
            make_client(http_options={"follow_redirects": True}).rerank(QUERY, DOCUMENTS)

        assert (other_stage.connections, len(stage.requests)) == (0, 1)
        assert f"a redirect to {other_stage.base_url}/rerank" in str(caught.value)


def test_a_fallback_model_replaces_an_unavailable_model(make_client, stage):
    """If no endpoint serves the model, the call uses the next one, and the ranking names it."""
    stage.script(error(404, "No endpoints found"))

    ranking = make_client().rerank(QUERY, DOCUMENTS, model="a/a", fallback_models=["b/b", "c/c"])

    assert [request.model for request in stage.requests] == ["a/a", "b/b"]
    assert (ranking.model, ranking.attempts) == ("b/b", 2)


@OWN_CONNECTIONS
def test_scores_are_not_changed(make_client, stage):
    """A score is neither rounded nor scaled."""
    stage.script(scores(0.1 + 0.2, -3.5, 5e-324))

    ranking = make_client().rerank(QUERY, DOCUMENTS)

    assert [result.relevance_score for result in ranking.results] == [0.1 + 0.2, 5e-324, -3.5]
