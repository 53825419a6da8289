"""One request to a chat model: what is sent, what is read, and when it is repeated."""

import asyncio

import pytest
from openrouter_rerank import AsyncRerankClient, Budget, RerankClient
from openrouter_rerank.errors import (
    APIConnectionError,
    BadRequestError,
    BudgetExceededError,
    InternalServerError,
    InvalidResponseError,
    ServiceUnavailableError,
    TooManyRequestsError,
    UnauthorizedError,
)
from openrouter_rerank.evaluation.asking.chat import achat, chat
from openrouter_rerank.local.stage import Fault, Reply, error

from tests.evaluation.chat_replies import COST, said

BODY = {"model": "maker/judge", "messages": [{"role": "user", "content": "a \ud800 b"}]}


@pytest.fixture
def ask(stage, mode):
    """Ask the chat model of the scripted service, with a sync or an async client."""

    def ask(**options):
        given = {
            "base_url": stage.base_url,
            "api_key": stage.api_key,
            "default_headers": {"x-team": "search"},
            **options,
        }
        if mode == "sync":
            return chat(RerankClient(**given), BODY)
        return asyncio.run(achat(AsyncRerankClient(**given), BODY))

    return ask


def test_the_request_has_the_key_and_the_headers_of_the_client(ask, stage):
    """The body is sent with POST to `chat/completions`, with what the client sends always."""
    stage.script(said("hello"))
    reply = ask()

    assert (reply.text, reply.cost) == ("hello", COST)
    [request] = stage.requests
    assert (request.method, request.path) == ("POST", "/api/v1/chat/completions")
    assert request.headers["authorization"] == f"Bearer {stage.api_key}"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-team"] == "search"
    assert request.json == {
        "model": "maker/judge",
        "messages": [{"role": "user", "content": "a \ufffd b"}],
    }


@pytest.mark.parametrize(
    "first", [error(503, "overloaded"), Fault.reset_after(), error(500, "failed")]
)
def test_a_failed_attempt_is_repeated(ask, stage, first):
    """What may succeed at the second attempt is sent again."""
    stage.script(first, said("hello"))

    assert ask().text == "hello"
    assert len(stage.requests) <= 2


def test_no_retries_are_made_if_the_client_has_none(ask, stage):
    """`max_retries=0` of the client counts for chat models too."""
    stage.script(error(503, "overloaded"))
    with pytest.raises(ServiceUnavailableError, match=r"overloaded .* Retry later\.$"):
        ask(max_retries=0)

    assert len(stage.requests) == 1


def test_an_attempt_that_may_be_billed_is_repeated_once(ask, stage):
    """Two failures that may have been paid for are the last."""
    stage.always(error(500, "failed"))
    with pytest.raises(InternalServerError):
        ask(max_retries=5)

    assert len(stage.requests) == 2


FINAL = [
    (error(401, "User not found"), UnauthorizedError),
    (error(400, "maker/judge is not a valid model ID"), BadRequestError),
    (Reply(status=302, headers={"location": "https://example.org"}), InvalidResponseError),
]


@pytest.mark.parametrize(("reply", "kind"), FINAL)
def test_a_refusal_is_not_repeated(ask, stage, reply, kind):
    """A wrong key, a wrong model and a redirect are final, and the error names the model."""
    stage.script(reply)
    with pytest.raises(kind) as failed:
        ask()

    assert failed.value.model == "maker/judge"
    assert stage.api_key not in failed.value.message
    assert len(stage.requests) == 1


def test_the_failure_of_a_provider_in_a_success_is_an_error(ask, stage):
    """OpenRouter reports it in the choice, with the status 200."""
    failed = {"choices": [{"error": {"code": 502, "message": "provider failed"}, "message": {}}]}
    stage.script(Reply(body=failed), said("hello"))

    assert ask().text == "hello"
    assert len(stage.requests) == 2


def test_nothing_is_sent_if_the_budget_is_spent(ask, stage):
    """The budget of the client is charged for each reply, and checked before each attempt."""
    budget = Budget(COST)
    stage.always(said("hello"))
    ask(budget=budget)
    assert budget.spent == COST
    with pytest.raises(BudgetExceededError):
        ask(budget=budget)

    assert len(stage.requests) == 1


def test_a_wait_that_the_server_asks_for_ends_at_the_deadline(ask, stage):
    """A wait that is longer than the timeout is not waited for."""
    stage.script(error(429, "slow down", retry_after=100))
    with pytest.raises(TooManyRequestsError):
        ask(timeout=20)

    assert len(stage.requests) == 1


TEXTS = [
    {"choices": [{"message": {"content": None}}]},
    {"choices": [{"message": {"content": [{"type": "text", "text": "2"}]}}]},
    {"choices": [{"message": "2"}]},
    {"choices": [None]},
    {"choices": ["2", "3"], "usage": "free"},
    {"choices": [{"message": {"content": 3}}], "usage": {"cost": "much"}},
]


@pytest.mark.parametrize("body", TEXTS)
def test_a_reply_without_a_text_is_empty(ask, stage, body):
    """A reply of another shape counts as an empty text, and its cost as unknown."""
    stage.script(Reply(body=body))
    reply = ask()

    assert (reply.text, reply.cost) == ("", None)
    assert len(stage.requests) == 1


NO_REPLIES = [
    Reply(body={}),
    Reply(body={"choices": []}),
    Reply(body={"choices": {"0": 1}}),
    Reply(body=b""),
    Reply(body=b"<html><title>Portal</title></html>", headers={"content-type": "text/html"}),
    Reply(body=b"[" * 100_000),
    Reply(body=b'{"choices":' + b"[" * 5_000 + b"]" * 5_000 + b"}"),
    Reply(body=b'{"choices":[' + b"[]," * 20_000 + b"[]]}"),
    Reply(body=b"\xff\xfe\x00"),
    Reply(body=b'{"choices":' + b"9" * 10_000 + b"}"),
]


@pytest.mark.parametrize("reply", NO_REPLIES)
def test_what_is_no_reply_of_a_chat_model_is_an_error(ask, stage, reply):
    """Pages, deep and long JSON and other bytes are errors that name the URL to check."""
    stage.script(reply)
    with pytest.raises(InvalidResponseError, match="Check base_url") as failed:
        ask(max_retries=0)

    assert len(failed.value.message) < 400


def test_a_reply_without_end_is_cut(ask, stage):
    """A reply that is larger than a valid one can be is not read to its end."""
    stage.script(said("x" * 2_000_000))
    with pytest.raises(InvalidResponseError, match="is larger than"):
        ask(max_retries=0)


def test_a_server_that_does_not_exist(ask):
    """The error of a connection is that of the client."""
    with pytest.raises(APIConnectionError, match="could not connect"):
        ask(base_url="http://127.0.0.1:1/api/v1", max_retries=0)


def test_an_injected_http_client_is_used(stage):
    """The requests go through the HTTP client of the user."""
    httpx = pytest.importorskip("httpx")
    seen = []
    stage.script(said("hello"))
    with httpx.Client(event_hooks={"request": [seen.append]}) as http_client:
        client = RerankClient(
            base_url=stage.base_url, api_key=stage.api_key, http_client=http_client
        )
        assert chat(client, BODY).text == "hello"

    assert [request.url.path for request in seen] == ["/api/v1/chat/completions"]
