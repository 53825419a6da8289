"""The options of one call that replace those of its client."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import (
    AsyncRerankClient,
    ConfigurationError,
    DeadlineExceededError,
    RequestOptions,
    RerankClient,
    ServiceUnavailableError,
)
from openrouter_rerank.local.stage import Fault, error

from tests.clients import OWN_CONNECTIONS
from tests.held_replies import once_calls_have_joined
from tests.secret_walker import HEADER, KEY, secrets_in_frames
from tests.starvation import repeat_if_starved

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]
OF_CLIENT = {
    "app_url": "https://client.example",
    "app_title": "client",
    "app_categories": ["rag"],
    "default_headers": {"X-Tenant": "client", "X-Team": "search"},
}
OF_CALL = {
    "app_url": "https://call.example",
    "app_title": "call",
    "app_categories": ["agents", "search"],
    "extra_headers": {"x-tenant": "call"},
    "session_id": "session-1",
}
SENT_FOR_CLIENT = {
    "http-referer": "https://client.example",
    "x-openrouter-title": "client",
    "x-openrouter-categories": "rag",
    "x-tenant": "client",
    "x-team": "search",
    "x-session-id": None,
}
SENT_FOR_CALL = {
    "http-referer": "https://call.example",
    "x-openrouter-title": "call",
    "x-openrouter-categories": "agents,search",
    "x-tenant": "call",
    "x-team": "search",
    "x-session-id": "session-1",
}


def sent_headers(request):
    """Return the headers of a request that options set; `None` for those that were not sent."""
    return {name: request.headers.get(name) for name in SENT_FOR_CLIENT}


def test_the_headers_of_a_call_are_sent_with_this_call_only(make_client, stage):
    """Headers of a call replace those of the client, and the next call has the client's again."""
    client = make_client(**OF_CLIENT)

    for options in ({}, OF_CALL, dict.fromkeys(OF_CALL)):
        client.rerank(QUERY, DOCUMENTS, **options)

    assert [sent_headers(request) for request in stage.requests] == [
        SENT_FOR_CLIENT,
        SENT_FOR_CALL,
        SENT_FOR_CLIENT,
    ]


@OWN_CONNECTIONS
def test_every_attempt_of_a_call_has_its_headers(make_client, stage):
    """The retry of a request has the headers of its call too."""
    stage.script(error(503, "down", retry_after=0))

    make_client(**OF_CLIENT).rerank(QUERY, DOCUMENTS, **OF_CALL)

    assert [sent_headers(request) for request in stage.requests] == [SENT_FOR_CALL] * 2


@OWN_CONNECTIONS
def test_a_call_can_have_another_key(make_client, stage):
    """A call whose headers have the key is sent with this key only."""
    client = make_client()

    client.rerank(QUERY, DOCUMENTS, extra_headers={"authorization": f"Bearer {KEY}"})
    client.rerank(QUERY, DOCUMENTS)

    assert [request.headers["authorization"] for request in stage.requests] == [
        f"Bearer {KEY}",
        f"Bearer {stage.api_key}",
    ]


@pytest.mark.parametrize(("of_client", "of_call"), [(0, 2), (2, 0), (1, None)])
def test_a_call_can_have_other_retries(make_client, stage, of_client, of_call):
    """`max_retries` of a call replaces that of the client, and `None` does not."""
    stage.always(error(503, "down", retry_after=0))

    with pytest.raises(ServiceUnavailableError) as caught:
        make_client(max_retries=of_client).rerank(QUERY, DOCUMENTS, max_retries=of_call)

    expected = 1 + (of_client if of_call is None else of_call)
    assert caught.value.attempts == len(stage.requests) == expected


@OWN_CONNECTIONS
def test_a_call_can_have_another_timeout(make_client, stage):
    """`timeout` of a call replaces that of the client."""
    stage.always(Fault.hang())

    with pytest.raises(DeadlineExceededError, match=r"within timeout=0\.2 s"):
        make_client(timeout=60).rerank(QUERY, DOCUMENTS, timeout=0.2)


@OWN_CONNECTIONS
@pytest.mark.parametrize(
    "echo",
    [
        lambda status, text: error(status, f"No access for {text}."),
        lambda status, text: error(status, "No access.", metadata={"raw": f'{{"key": "{text}"}}'}),
    ],
    ids=["message", "metadata"],
)
def test_a_header_of_a_call_is_in_no_error(make_client, stage, caplog, echo):
    """A header value that the server echoes is masked, and no frame of the call has it."""
    caplog.set_level("DEBUG")
    client = make_client(default_headers={"X-Client": KEY})
    stage.script(echo(403, HEADER), echo(403, KEY))

    for _ in range(2):
        with pytest.raises(Exception, match="No access") as caught:
            client.rerank(QUERY, DOCUMENTS, extra_headers={"X-Secret": HEADER, "X-Client": "me"})
        shown = f"{caught.value!r} {vars(caught.value)} {caplog.text}"
        assert [secret for secret in (HEADER, KEY) if secret in shown] == []
        assert secrets_in_frames(caught.value) == []


@OWN_CONNECTIONS
@pytest.mark.parametrize(
    "wrong",
    [{"query": ""}, {"top_n": 0}, {"extra_headers": {"X-A": f"{HEADER}\n"}}, {"unknown": HEADER}],
    ids=["query", "top_n", "header", "unknown"],
)
def test_a_refused_argument_shows_no_header(make_client, stage, wrong):
    """If an argument is refused, neither the error nor its frames have a header value."""
    arguments = {"query": QUERY, "documents": DOCUMENTS, "extra_headers": {"X-A": HEADER}} | wrong

    with pytest.raises((ValueError, TypeError)) as caught:
        make_client().rerank(**arguments)

    assert HEADER not in str(caught.value)
    assert secrets_in_frames(caught.value) == []
    assert stage.requests == []


@OWN_CONNECTIONS
def test_the_base_url_is_no_option_of_a_call(make_client, stage):
    """A call is sent to the URL of its client, because its key must not go to another host."""
    for name in ("base_url", "server_url"):
        with pytest.raises(TypeError, match="when you create the client"):
            make_client().rerank(QUERY, DOCUMENTS, **{name: "https://elsewhere.example"})
    assert stage.requests == []


def test_the_documentation_of_a_call_names_every_option():
    """The docstring of `rerank` names each option of a call, or says where they are named."""
    text = RerankClient.rerank.__doc__

    assert [name for name in RequestOptions.__annotations__ if f"`{name}`" not in text] == []
    assert "as `RerankClient.rerank` does" in AsyncRerankClient.rerank.__doc__


@OWN_CONNECTIONS
def test_calls_with_other_headers_share_their_scores(make_client, stage):
    """A score does not depend on the headers of a call, so an equal call sends nothing."""
    client = make_client(score_store=InMemoryByteStore())

    client.rerank(QUERY, DOCUMENTS, user="a", session_id="a", app_title="a")
    client.rerank(QUERY, DOCUMENTS, user="b", session_id="b", extra_headers={"X-Tenant": "b"})

    assert len(stage.requests) == 1


@pytest.mark.parametrize(
    ("first", "second", "requests"),
    [
        ({"session_id": "a"}, {"session_id": "b", "app_title": "b"}, 1),
        ({"extra_headers": {"X-A": "1"}}, {"extra_headers": {"X-A": "1"}}, 1),
        ({"extra_headers": {"X-A": "1"}}, {"extra_headers": {"X-A": "2"}}, 2),
        ({}, {"extra_headers": {"Authorization": "Bearer other"}}, 2),
        ({}, {"max_retries": 1}, 3),
        ({"max_retries": 1}, {}, 2),
    ],
    ids=["sessions", "equal headers", "other headers", "other key", "more retries", "fewer"],
)
def test_a_failure_is_shared_unless_a_call_may_do_better(stage, first, second, requests):
    """Of two identical calls in flight, one with another key or more retries is sent itself."""
    stage.script(once_calls_have_joined(2, error(503, "down", retry_after=0)))
    stage.always(error(503, "down", retry_after=0))
    options = {"base_url": stage.base_url, "api_key": stage.api_key, "max_retries": 0}

    with (
        RerankClient(score_store=InMemoryByteStore(), **options) as client,
        ThreadPoolExecutor(1) as pool,
    ):
        earlier = pool.submit(client.rerank, QUERY, DOCUMENTS, **first)
        stage.wait_until(lambda: stage.in_flight == 1)
        with pytest.raises(ServiceUnavailableError):
            client.rerank(QUERY, DOCUMENTS, **second)

    assert isinstance(earlier.exception(), ServiceUnavailableError)
    assert len(stage.requests) == requests


def test_every_option_of_a_call_that_a_client_has_is_checked_alike(stage):
    """A value that a client refuses is refused in a call, with the same text."""
    with RerankClient(base_url=stage.base_url, api_key=stage.api_key) as client:
        for option, value in [
            *(("timeout", value) for value in (0, "soon", True)),
            *(("max_retries", value) for value in (-1, 1.0, True, "x")),
            *(("app_url", value) for value in (5, "a\nb", "")),
            *(("app_title", value) for value in (5, "a\nb", "")),
            *(("app_categories", value) for value in (["a", "b", "c"], ["a", 2], 5, {"a": 1})),
            *(("extra_headers", value) for value in ("x", {"Host": "a"}, {"X-A": 1}, {"X A": "a"})),
        ]:
            of_client = option.replace("extra", "default")
            with pytest.raises(ConfigurationError) as in_client:
                RerankClient(api_key="k", **{of_client: value})
            with pytest.raises(ConfigurationError) as in_call:
                client.rerank(QUERY, DOCUMENTS, **{option: value})
            assert str(in_call.value).replace("extra_headers", "default_headers") == str(
                in_client.value
            )
    assert stage.requests == []


@repeat_if_starved
def test_a_timeout_of_one_call(make_client, stage):
    """The `timeout` of a call replaces the client's timeout, and the error names it."""
    stage.script(Fault.hang())

    with pytest.raises(DeadlineExceededError) as caught:
        make_client(timeout=60).rerank("q", ["a"], timeout=0.1)

    note, _ = caught.value.__notes__
    seconds = re.fullmatch(r"1 attempt in (\d+\.\d) s, timeout 0\.1 s", note)
    assert float(seconds[1]) >= 0.1
