import json

import pytest
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.lexical import LexicalScorer

KEY = {"authorization": "Bearer any"}
REQUEST = {"model": "local/lexical", "query": "q", "documents": ["d"]}


def body_with(**fields):
    """Return the body of a valid request in which these fields are replaced."""
    return json.dumps({**REQUEST, **fields}).encode()


def error_of(response):
    """Return the error of a response, which must have OpenRouter's format and no other content."""
    content = json.loads(response.body)
    assert set(content) == {"error"}
    assert response.headers["content-type"] == "application/json"
    return content["error"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "json_invalid"),
        (b"{", "json_invalid"),
        (b"[]", "object"),
        (b"null", "object"),
        (b'"text"', "object"),
        (b"\xff\xfe", "json_invalid"),
        (b"[" * 100_000, "json_invalid"),
        (b'{"model": "local/lexical", "query": "\\ud800", "documents": ["d"]}', "json_invalid"),
        (b"{}", '"path": ["model"]'),
        (body_with(model=None), '"path": ["model"]'),
        (body_with(model=["local/lexical"]), '"path": ["model"]'),
        (body_with(model="qwen/no-such"), "Model qwen/no-such does not exist"),
        (body_with(model=""), "Model  does not exist"),
        (body_with(query=""), '"path": ["query"]'),
        (body_with(query=" \n"), '"path": ["query"]'),
        (body_with(query=3), '"path": ["query"]'),
        (body_with(documents=[]), "Array must contain at least 1 element(s)"),
        (body_with(documents="d"), '"path": ["documents"]'),
        (body_with(documents=["d", 1]), '"path": ["documents", 1]'),
        (body_with(documents=["d", None]), '"path": ["documents", 1]'),
        (body_with(documents=[{}]), "neither `text` nor `image`"),
        (body_with(documents=[{"content": "d"}]), "neither `text` nor `image`"),
        (body_with(documents=[{"text": None}]), '"path": ["documents", 0, "text"]'),
        (body_with(documents=[{"image": 1}]), '"path": ["documents", 0, "image"]'),
        (body_with(top_n=0), '"path": ["top_n"]'),
        (body_with(top_n=-1), '"path": ["top_n"]'),
        (body_with(top_n="1"), '"path": ["top_n"]'),
        (body_with(top_n=1.5), '"path": ["top_n"]'),
        (body_with(top_n=True), '"path": ["top_n"]'),
        (body_with(provider=[]), '"path": ["provider"'),
        (body_with(provider={"fastest": True}), '"path": ["provider", "fastest"]'),
        (body_with(provider={"zdr": "yes"}), '"path": ["provider", "zdr"]'),
        (body_with(provider={"data_collection": "maybe"}), "data_collection"),
        (body_with(provider={"sort": "cheapest"}), "sort"),
        (body_with(session_id="s" * 257), '"path": ["session_id"]'),
        (body_with(user=1), '"path": ["user"]'),
        (body_with(trace="t"), '"path": ["trace"]'),
        (
            body_with(model="voyageai/rerank-2.5", documents=["d"] * 1_001),
            "takes 1000 documents a request, got 1001",
        ),
    ],
)
def test_an_invalid_request_gets_400_and_the_reason(service, body, message):
    """For any invalid body the status is 400, and the message has the path or the value."""
    response = service.handle("POST", "/api/v1/rerank", KEY, body)

    assert response.status == 400
    assert error_of(response)["code"] == 400
    assert message in error_of(response)["message"]


@pytest.mark.parametrize(
    "fields",
    [
        {"provider": None},
        {"provider": {"order": ["Cohere"], "sort": {"by": "price"}, "max_price": {"prompt": 1}}},
        {"provider": {"preferred_max_latency": {"p90": 2.5}, "quantizations": ["int8"]}},
        {"provider": {"options": {"cohere": {"max_tokens_per_doc": 512}}}},
        {"session_id": "s" * 256, "user": "u", "trace": {"generation_name": "n"}},
        {"return_documents": False, "max_tokens_per_doc": 10, "rank_fields": ["text"]},
        {"top_n": 1_000_000},
        {"top_n": 1.0},
        {"top_n": None},
        {"top_n": 10**30},
        {"documents": [{"text": "d", "title": "ignored"}, ""]},
    ],
)
def test_requests_that_openrouter_accepts_are_accepted(service, fields):
    """Known options are accepted, and unknown ones at the top level are ignored."""
    response = service.handle("POST", "/api/v1/rerank", KEY, body_with(**fields))

    assert response.status == 200
    assert "results" in json.loads(response.body)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": "Bearer  "},
        {"authorization": "Basic YTpi"},
        {"x-api-key": "any"},
    ],
)
def test_a_missing_key_gets_401_before_the_body_is_checked(service, headers):
    """Without a bearer token the status is 401, even if the body is invalid."""
    response = service.handle("POST", "/api/v1/rerank", headers, b"{")

    assert response.status == 401
    assert error_of(response) == {"message": "Missing Authentication header", "code": 401}


@pytest.mark.parametrize(
    "headers", [KEY, {"Authorization": "bearer any"}, {"AUTHORIZATION": "Bearer a b"}]
)
def test_any_key_is_accepted(service, headers):
    """Any bearer token is accepted, and the header's name and scheme are case-insensitive."""
    assert service.handle("POST", "/api/v1/rerank", headers, body_with()).status == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("POST", "/", 404, None),
        ("POST", "/rerank", 404, None),
        ("POST", "/api/v1/rerank/", 404, None),
        ("GET", "/api/v1", 404, None),
        ("GET", "/api/v1/rerank", 405, "POST"),
        ("BREW", "/api/v1/rerank?x=y", 405, "POST"),
        ("POST", "/api/v1/models", 405, "GET"),
    ],
)
def test_unknown_paths_get_404_and_other_methods_405(service, method, path, status, allow):
    """An unknown path gets 404. Another method gets 405, with the allowed one in `allow`."""
    response = service.handle(method, path, KEY, body_with())

    assert response.status == status
    assert error_of(response)["code"] == status
    assert response.headers.get("allow") == allow


def test_the_error_of_a_chat_request_says_that_there_is_no_chat_model(service):
    """A request to a chat model gets 404, and its message says that none is here."""
    response = service.handle("POST", "/api/v1/chat/completions", KEY, b"{}")

    assert response.status == 404
    assert "no chat models" in error_of(response)["message"]


def test_a_body_that_is_too_large_gets_413():
    """A body above the limit is rejected, and a body of exactly the limit is accepted."""
    size = len(body_with())
    service = LocalOpenRouter(scorers={"local/lexical": LexicalScorer()}, max_body_bytes=size)

    assert service.handle("POST", "/api/v1/rerank", KEY, body_with()).status == 200
    response = service.handle("POST", "/api/v1/rerank", KEY, body_with() + b" ")
    assert response.status == 413
    assert error_of(response)["code"] == 413


@pytest.mark.parametrize("base_path", ["", "/api", "/api/v1"])
@pytest.mark.parametrize("model", ["rerank-v3.5", "cohere/rerank-v3.5", "local/lexical"])
def test_coheres_clients_are_answered(service, base_path, model):
    """Cohere's path is accepted below any base URL, and its models without their author."""
    body = body_with(model=model, documents=["q", "d"], top_n=1, max_tokens_per_doc=4096)

    response = service.handle("POST", f"{base_path}/v2/rerank", KEY, body)

    assert response.status == 200
    (result,) = json.loads(response.body)["results"]
    assert result["index"] == 0


class FailingScorer:
    """A scorer that fails, with a document in its error."""

    name = "failing"

    def scores(self, query, texts):
        """Raise an error."""
        raise MemoryError(query, texts)


def test_a_scorer_that_fails_gets_500_and_the_error_in_the_log(caplog):
    """The response is JSON, names the kind of the error, and does not quote a document."""
    service = LocalOpenRouter(scorers={"local/lexical": FailingScorer()})

    response = service.handle("POST", "/api/v1/rerank", KEY, body_with())

    assert response.status == 500
    assert error_of(response) == {"message": "The local scorer failed: MemoryError", "code": 500}
    assert [record.message for record in caplog.records] == ["the local scorer failed"]


def test_a_scorer_that_is_not_installed_gets_404_and_the_extra(service):
    """If the embedding model is not installed, the message names the extra to install."""
    response = service.handle("POST", "/api/v1/rerank", KEY, body_with(model="local/minilm"))

    assert response.status == 404
    assert "openrouter-rerank[local-minilm]" in error_of(response)["message"]
