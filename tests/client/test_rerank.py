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

from tests.clients import OWN

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]
PNG = "data:image/png;base64,iVBORw0KGgo="


def test_documents_are_ranked(make):
    """A call returns every document by its position, best first, and tells what it has cost."""
    ranking = make().rerank(QUERY, DOCUMENTS)

    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert ranking.results[0] == RankedDocument(1, 1.0)
    assert (ranking.model, ranking.served_model) == ("cohere/rerank-v3.5", "rerank-v3.5")
    assert (ranking.provider, ranking.attempts) == ("Stage", 1)
    assert ranking.id.startswith("gen-rerank-")
    assert ranking.usage.cost == 0.001


def test_the_default_request_is_the_smallest(make, stage):
    """Without options the body holds model, query and documents only."""
    make().rerank(QUERY, DOCUMENTS)

    (request,) = stage.requests
    assert (request.method, request.path) == ("POST", "/api/v1/rerank")
    assert request.json == {
        "model": "cohere/rerank-v3.5",
        "query": QUERY,
        "documents": DOCUMENTS,
    }


PREFERENCES = {
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


def test_every_request_parameter_reaches_the_wire(make, stage):
    """What the service takes can be asked for, and arrives as it was given."""
    make().rerank(
        QUERY,
        DOCUMENTS,
        model="qwen/qwen3-reranker-8b",
        top_n=2,
        provider=PREFERENCES,
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
        "provider": PREFERENCES,
        "user": "user-1",
        "trace": {"trace_id": "t", "nested": {"a": [1]}},
        "next_months_field": {"a": None},
    }


def test_documents_of_all_forms_in_one_call(make, stage):
    """Strings, texts, images and both go out together, each in the form of the service."""
    documents = [
        "a",
        {"text": "b"},
        {"image": PNG},
        {"text": "c", "image": "https://host/cat.png"},
        RerankDocument(text="d", image=PNG),
    ]

    ranking = make().rerank("q", documents)

    assert stage.requests[0].documents == [
        "a",
        "b",
        {"image": PNG},
        {"text": "c", "image": "https://host/cat.png"},
        {"text": "d", "image": PNG},
    ]
    assert sorted(result.index for result in ranking.results) == [0, 1, 2, 3, 4]


def test_text_goes_out_as_utf8(make, stage):
    """Text of any script goes out as UTF-8, half a surrogate pair as U+FFFD."""
    make().rerank("東京", ["天気 😀", "\ud83d"])

    body = stage.requests[0].body
    assert "東京".encode() in body
    assert "天気 😀".encode() in body
    assert json.loads(body)["documents"][1] == "\ufffd"


@pytest.mark.parametrize("size", [1000, 262_144, 3_000_000])
def test_a_request_of_any_size_arrives_whole(make, stage, size):
    """A large body is sent with its length, in pieces or not, and its echo is read whole."""
    text = "x" * size

    ranking = make().rerank("q", [text])

    (request,) = stage.requests
    assert request.documents == [text]
    assert request.headers["content-length"] == str(len(request.body))
    assert "transfer-encoding" not in request.headers
    assert len(ranking.results) == 1


def test_headers(make, stage):
    """The key, the formats and the attribution go out as OpenRouter documents them."""
    make(app_url="https://me", app_title="My App", app_categories=["a", "b"]).rerank("q", ["a"])

    headers = stage.requests[0].headers
    assert headers["authorization"] == f"Bearer {stage.api_key}"
    assert headers["accept"] == headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["http-referer"] == "https://me"
    assert headers["x-openrouter-title"] == "My App"
    assert headers["x-openrouter-categories"] == "a,b"
    assert headers["user-agent"].startswith("openrouter-rerank/")
    assert "x-title" not in headers


@OWN
def test_attribution_of_the_environment(make, stage, monkeypatch):
    """Where no URL and title are given, those of the environment are sent."""
    monkeypatch.setenv("OPENROUTER_APP_URL", "https://env")
    monkeypatch.setenv("OPENROUTER_APP_TITLE", "Env")

    make().rerank("q", ["a"])
    make(app_url="https://me", app_title="Me").rerank("q", ["a"])

    titles = [request.headers["x-openrouter-title"] for request in stage.requests]
    urls = [request.headers["http-referer"] for request in stage.requests]
    assert (titles, urls) == (["Env", "Me"], ["https://env", "https://me"])


def test_headers_of_the_user_win(make, stage):
    """A header of the user replaces ours, and that of the key too; no key is then needed."""
    caller = make(
        api_key=None,
        default_headers={"authorization": "Bearer mine", "USER-AGENT": "me", "X-A": "1"},
    )

    caller.rerank("q", ["a"])

    headers = stage.requests[0].headers
    assert (headers["authorization"], headers["user-agent"]) == ("Bearer mine", "me")
    assert headers["x-a"] == "1"


def test_a_session_is_sent_once(make, stage):
    """A session in the user's headers and one of the call are not both sent."""
    make(default_headers={"X-Session-Id": "of the client"}).rerank("q", ["a"], session_id="call")

    assert "," not in stage.requests[0].headers["x-session-id"]


@OWN
def test_the_key_is_looked_up_at_each_call(make, stage, monkeypatch):
    """A client without a key asks the environment when it is called, not before."""
    caller = make(api_key=None)

    with pytest.raises(ConfigurationError, match="OPENROUTER_API_KEY"):
        caller.rerank("q", ["a"])
    for key in ("first", "second"):
        monkeypatch.setenv("OPENROUTER_API_KEY", key)
        caller.rerank("q", ["a"])

    keys = [request.headers["authorization"] for request in stage.requests]
    assert keys == ["Bearer first", "Bearer second"]


@OWN
def test_the_base_url_of_the_environment(make, stage, monkeypatch):
    """A client without a base URL goes where the environment says."""
    caller = make(base_url=None)
    monkeypatch.setenv("OPENROUTER_API_BASE", f"{stage.base_url}/rerank/")

    caller.rerank("q", ["a"])

    assert stage.requests[0].path == "/api/v1/rerank"


@OWN
def test_no_documents_need_no_service(client_kind):
    """An empty list is an empty ranking: no request, no key, no connection."""
    ranking = client_kind.client(base_url="https://host.invalid").rerank("q", [], model="m")

    assert (ranking.results, ranking.requests, ranking.attempts) == ((), (), 0)
    assert (ranking.model, ranking.usage.cost) == ("m", None)


@OWN
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
def test_bad_arguments_are_refused_before_anything_is_sent(make, stage, arguments):
    """An argument that cannot be sent is an `InvalidRequestError`; the service hears nothing."""
    caller = make()
    given = {"query": "q", "documents": ["a"]} | arguments

    with pytest.raises(InvalidRequestError):
        caller.rerank(given.pop("query"), given.pop("documents"), **given)

    assert (stage.requests, stage.connections) == ([], 0)


@OWN
@pytest.mark.parametrize(
    "options",
    [
        {"timeout": 0},
        {"timeout": "30"},
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
        {"budget": "5"},
        {"budget": True},
    ],
    ids=str,
)
def test_bad_options_are_refused_when_the_client_is_made(make, options):
    """An option that cannot be used is a `ConfigurationError` that names it."""
    named = next(iter(options)).replace("_", "[_ ]")

    with pytest.raises(ConfigurationError, match=f"(?i){named}") as caught:
        make(**options)

    assert "two words" not in str(caught.value)


def test_results_are_mapped_by_index_and_cut(make, stage):
    """Unsorted results, too many of them and ties come back in order, cut to `top_n`."""
    stage.script(results((0, 0.5), (2, 0.9), (1, 0.5)))

    ranking = make().rerank(QUERY, DOCUMENTS, top_n=2)

    assert ranking.results == (RankedDocument(2, 0.9), RankedDocument(0, 0.5))


@OWN
def test_top_n_beyond_the_list(make, stage):
    """A `top_n` larger than the list asks for all."""
    assert len(make().rerank(QUERY, DOCUMENTS, top_n=99).results) == 3
    assert stage.requests[0].top_n is None


@OWN
@pytest.mark.parametrize(
    ("reply", "kind", "message"),
    [
        (error(401, "No auth"), UnauthorizedError, "No auth (HTTP 401)"),
        (error(400, "bad image", status=200), BadRequestError, "bad image (HTTP 400)"),
        (
            Reply(status=503, body="<title>Down</title>"),
            ServiceUnavailableError,
            "Down (HTTP 503, text/html; charset=UTF-8, 19 bytes) (HTTP 503)",
        ),
        (Reply(body={"results": []}), InvalidResponseError, "the answer ranks 0 of 3 documents"),
        (Reply(status=204), InvalidResponseError, "the answer is no ranking"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_failures(make, stage, reply, kind, message):
    """A failure of the service is raised as its error, after one attempt if that is all allowed."""
    stage.script(reply)

    with pytest.raises(kind) as caught:
        make(max_retries=0).rerank(QUERY, DOCUMENTS)

    assert caught.value.message.startswith(message)
    assert (caught.value.attempts, len(stage.requests)) == (1, 1)


@pytest.mark.parametrize(
    "line",
    [
        error(429, "slow down", retry_after="0.05"),
        error(503, "down"),
        error(529, "overloaded"),
        error(500, "broken"),
        error(502, "broken", status=200),
        Reply(body={"results": []}),
        Fault.reset_after(),
        Fault.close(),
        Fault.truncated(),
    ],
    ids=str,
)
def test_a_failure_that_passes_is_tried_again(make, stage, line):
    """After a failure that may pass, the second attempt answers the call."""
    stage.script(line)

    ranking = make().rerank(QUERY, DOCUMENTS)

    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert ranking.attempts == len(stage.requests) == 2
    assert stage.requests[0].body == stage.requests[1].body


@pytest.mark.parametrize("status", [302, 307, 308])
def test_a_redirect_is_not_followed(make, stage, status):
    """Where a redirect points to, nothing arrives: no request, no key, no connection."""
    with Stage() as elsewhere:
        stage.script(Fault.redirect(f"{elsewhere.base_url}/rerank", status))

        with pytest.raises(InvalidResponseError, match="redirect") as caught:
            make(http_options={"follow_redirects": True}).rerank(QUERY, DOCUMENTS)

        assert (elsewhere.connections, len(stage.requests)) == (0, 1)
        assert elsewhere.base_url not in str(caught.value)


def test_fallback_models(make, stage):
    """When no endpoint serves the model the next is asked, and the ranking names the one."""
    stage.script(error(404, "No endpoints found"))

    ranking = make().rerank(QUERY, DOCUMENTS, model="a/a", fallback_models=["b/b", "c/c"])

    assert [request.model for request in stage.requests] == ["a/a", "b/b"]
    assert (ranking.model, ranking.attempts) == ("b/b", 2)


@OWN
def test_scores_of_the_service_are_kept_exactly(make, stage):
    """A score is neither rounded nor scaled."""
    stage.script(scores(0.1 + 0.2, -3.5, 5e-324))

    ranking = make().rerank(QUERY, DOCUMENTS)

    assert [result.relevance_score for result in ranking.results] == [0.1 + 0.2, 5e-324, -3.5]
