import json

import pytest
from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.service import LocalOpenRouter

KEY = {"authorization": "Bearer any"}
REQUEST = {"model": "local/lexical", "query": "q", "documents": ["d"]}


def body_with(**fields):
    """Give a body that can be ranked but for the fields."""
    return json.dumps({**REQUEST, **fields}).encode()


def envelope(answer):
    """Give the error of an answer in OpenRouter's envelope, and nothing else in it."""
    content = json.loads(answer.body)
    assert set(content) == {"error"}
    assert answer.headers["content-type"] == "application/json"
    return content["error"]


@pytest.mark.parametrize(
    ("body", "said"),
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
        (body_with(top_n=None), '"path": ["top_n"]'),
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
def test_a_request_that_cannot_be_ranked_is_400_and_says_why(service, body, said):
    """Whatever is wrong with a body, the answer is 400 and names the place or the value."""
    answer = service.answer("POST", "/api/v1/rerank", KEY, body)

    assert answer.status == 400
    assert envelope(answer)["code"] == 400
    assert said in envelope(answer)["message"]


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
        {"top_n": 10**30},
        {"documents": [{"text": "d", "title": "passed over"}, ""]},
    ],
)
def test_everything_the_description_allows_is_accepted(service, fields):
    """Known options are accepted, and unknown ones at the top are passed over, as by OpenRouter."""
    answer = service.answer("POST", "/api/v1/rerank", KEY, body_with(**fields))

    assert answer.status == 200
    assert "results" in json.loads(answer.body)


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
def test_a_missing_key_is_401_before_anything_else(service, headers):
    """Without a bearer token the answer is 401, also for a body that could not be read."""
    answer = service.answer("POST", "/api/v1/rerank", headers, b"{")

    assert answer.status == 401
    assert envelope(answer) == {"message": "Missing Authentication header", "code": 401}


@pytest.mark.parametrize(
    "headers", [KEY, {"Authorization": "bearer any"}, {"AUTHORIZATION": "Bearer a b"}]
)
def test_any_key_will_do(service, headers):
    """Every bearer token is accepted, whatever the case of the header's name and of the scheme."""
    assert service.answer("POST", "/api/v1/rerank", headers, body_with()).status == 200


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
def test_what_is_not_there_is_404_and_what_is_not_done_405(service, method, path, status, allow):
    """Unknown paths are 404, known ones with another method 405, which names the allowed one."""
    answer = service.answer(method, path, KEY, body_with())

    assert answer.status == status
    assert envelope(answer)["code"] == status
    assert answer.headers.get("allow") == allow


def test_a_body_that_is_too_large_is_413():
    """A body above the limit is refused unread, one of just that size is read."""
    least = len(body_with())
    service = LocalOpenRouter(scorers={"local/lexical": LexicalScorer()}, max_body_bytes=least)

    assert service.answer("POST", "/api/v1/rerank", KEY, body_with()).status == 200
    answer = service.answer("POST", "/api/v1/rerank", KEY, body_with() + b" ")
    assert answer.status == 413
    assert envelope(answer)["code"] == 413


def test_a_scorer_that_is_not_installed_is_404_and_names_the_extra(service):
    """Asked for the embedding model where it is missing, the answer says what to install."""
    answer = service.answer("POST", "/api/v1/rerank", KEY, body_with(model="local/minilm"))

    assert answer.status == 404
    assert "openrouter-rerank[local-minilm]" in envelope(answer)["message"]
