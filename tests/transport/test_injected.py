"""Calls over injected clients whose transports were written by users."""

import asyncio
import gc

import httpx
import httpx2
import pytest
from openrouter_rerank import (
    APIConnectionError,
    AsyncRerankClient,
    InvalidResponseError,
    TooManyRequestsError,
    UnauthorizedError,
)
from openrouter_rerank.local.stage import Fault, error, scores

from tests.clients import CLIENT_KIND_IDS, CLIENT_KINDS, ClientKind

RESPONSE = {"results": [{"index": 0, "relevance_score": 1}]}
INJECTED = [
    (kind, name)
    for kind, name in zip(CLIENT_KINDS, CLIENT_KIND_IDS, strict=True)
    if kind[1] is not None
]


@pytest.fixture(params=[kind for kind, _ in INJECTED], ids=[name for _, name in INJECTED])
def client_over(request):
    """A function that makes a client whose injected transport calls `handler(request)`."""
    mode, library = request.param
    with ClientKind(mode, library) as client_kind:

        def client(handler, **options):
            return client_kind.client(
                http_options={"transport": library.MockTransport(handler)},
                **{"api_key": "k", "base_url": "https://gateway.example/v1"} | options,
            )

        yield client


def response_to(request, **content):
    """Return a 200 response of the library that made `request`."""
    library = httpx if isinstance(request, httpx.Request) else httpx2
    return library.Response(200, **content)


def test_a_response_that_is_already_read_is_used(client_over):
    """A response whose body a mock transport has already read is not read again."""
    ranking = client_over(lambda request: response_to(request, json=RESPONSE)).rerank("q", ["a"])

    assert [result.relevance_score for result in ranking.results] == [1]


def test_a_transport_can_copy_the_timeouts(client_over):
    """A transport can copy the mapping of timeouts, and look up names that it does not contain."""
    seen = []

    def handler(request):
        timeouts = request.extensions["timeout"]
        seen.append((dict(timeouts), len(timeouts), timeouts.get("total")))
        return response_to(request, json=RESPONSE)

    client_over(handler, timeout=30).rerank("q", ["a"])

    ((copy, size, total),) = seen
    assert (set(copy), size, total) == ({"connect", "read", "write", "pool"}, 4, None)
    assert 0 < copy.pop("connect") <= 5
    assert all(29 < seconds <= 30 for seconds in copy.values())
    assert httpx.Timeout(**copy, connect=1).read == copy["read"]


def test_a_programming_error_in_a_transport_is_raised_unchanged(client_over):
    """A programming error in a user's transport reaches the caller unchanged."""

    def handler(request):
        raise ZeroDivisionError("in the handler")

    with pytest.raises(ZeroDivisionError, match="in the handler"):
        client_over(handler).rerank("q", ["a"])


def test_an_error_that_is_its_own_cause_is_typed(client_over):
    """An error of a user's transport that is its own cause ends in one of our errors."""

    def handler(request):
        library = httpx if isinstance(request, httpx.Request) else httpx2
        error = library.ReadError("the tunnel has collapsed")
        error.__cause__ = error
        raise error

    with pytest.raises(APIConnectionError, match="was lost: the tunnel has collapsed"):
        client_over(handler, max_retries=0).rerank("q", ["a"])


@pytest.fixture(params=[kind for kind, _ in INJECTED], ids=[name for _, name in INJECTED])
def client_with(request, stage):
    """A function that makes a client with options of its injected client, and with a hook."""
    mode, library = request.param

    def client(hook=None, **http_options):
        def check(response):
            hook(library, response)

        async def acheck(response):
            # A hook of an asynchronous client reads in another way, but all else is the same.
            if hook is read_and_raise:
                await response.aread()
                return response.raise_for_status()
            return hook(library, response)

        if hook is not None:
            http_options["event_hooks"] = {"response": [check if mode == "sync" else acheck]}
        return client_kind.client(
            base_url=stage.base_url, api_key="k", max_retries=1, http_options=http_options
        )

    with ClientKind(mode, library) as client_kind:
        yield client


def raise_for_status(_, response):
    """Raise the error of the status."""
    response.raise_for_status()


def read_and_raise(_, response):
    """Read the body, and raise the error of the status."""
    response.read()
    response.raise_for_status()


def status_error_of_another_request(library, _):
    """Raise the error of a request that the hook has made itself."""
    request = library.Request("GET", "https://login.example")
    library.Response(401, request=request).raise_for_status()


def read_without_reading(_, response):
    """Use the body before it is read."""
    response.json()


def other_error(library, response):
    """Raise an error of the library that is not about the connection."""
    raise library.TooManyRedirects("", request=response.request)


def test_raise_for_status_in_a_hook_is_the_error_of_the_status(client_with, stage):
    """A hook that calls `raise_for_status` gives the same class of error as without it."""
    stage.always(error(401, "User not found."))
    with pytest.raises(UnauthorizedError) as caught:
        client_with(raise_for_status).rerank("q", ["a"])
    assert caught.value.status_code == 401

    with pytest.raises(UnauthorizedError, match=r"^User not found"):
        client_with(read_and_raise).rerank("q", ["a"])


def test_a_status_that_a_hook_raises_is_retried(client_with, stage):
    """A temporary failure is retried after `Retry-After`, although a hook has raised its status."""
    stage.script(error(429, "slow", retry_after=0), scores(0.5))
    assert client_with(raise_for_status).rerank("q", ["a"]).attempts == 2

    stage.always(error(429, "slow", retry_after=60))
    with pytest.raises(TooManyRequestsError) as caught:
        client_with(read_and_raise).rerank("q", ["a"])
    assert (caught.value.retry_after, caught.value.attempts) == (60, 1)


@pytest.mark.parametrize(
    ("hook", "name"),
    [
        (status_error_of_another_request, "HTTPStatusError"),
        (read_without_reading, "ResponseNotRead"),
        (other_error, "TooManyRedirects"),
    ],
)
def test_an_error_of_the_library_in_a_hook_is_typed(client_with, stage, hook, name):
    """An error of httpx that a hook raises is an `APIConnectionError` that says where to look."""
    with pytest.raises(APIConnectionError) as caught:
        client_with(hook).rerank("q", ["a"])

    assert caught.value.message == (
        f"http_client failed: {name}. Check its event hooks and its transport."
    )
    assert (caught.value.retryable, len(stage.requests)) == (False, 1)


def test_a_header_that_cannot_be_sent_is_not_shown(client_with, stage):
    """If a header of an injected client is not valid in HTTP, the error does not show its value."""
    with pytest.raises(APIConnectionError) as caught:
        client_with(headers={"X-Token": "secret\n"}).rerank("q", ["a"])

    assert "could not be sent: LocalProtocolError" in caught.value.message
    assert "secret" not in caught.value.message
    assert (caught.value.retryable, stage.requests) == (False, [])


@pytest.mark.parametrize("kind", [LookupError, RuntimeError])
def test_an_error_of_a_hook_itself_is_raised_unchanged(client_with, kind):
    """An error of the user's own hook reaches the caller unchanged, with any text."""

    def hook(_, response):
        raise kind("the database is closed")

    with pytest.raises(kind, match=r"^the database is closed$"):
        client_with(hook).rerank("q", ["a"])


def text_after_a_closed_loop(stage, client):
    """Make calls over `client` in two event loops; return the text of the second call's error."""

    async def call():
        options = {"base_url": stage.base_url, "api_key": "k", "http_client": client}
        return await AsyncRerankClient(**options).rerank("q", ["a"])

    assert len(asyncio.run(call())) == 1
    with pytest.raises(APIConnectionError) as caught:
        asyncio.run(call())
    return caught.value.message


@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_client_of_a_closed_event_loop_is_a_typed_error(stage, library):
    """A call over a connection whose event loop is closed ends in one of our errors."""
    text = text_after_a_closed_loop(stage, library.AsyncClient())
    # The socket that httpx has left open warns when it is collected.
    gc.collect()

    assert "could not be sent: http_client is closed. Check http_client" in text


def test_a_redirect_is_not_followed(client_with, stage):
    """A redirect is an error, also if the injected client follows redirects: it has the key."""
    stage.always(Fault.redirect(f"{stage.base_url}/elsewhere"))

    with pytest.raises(InvalidResponseError):
        client_with(follow_redirects=True).rerank("q", ["a"])
    assert [request.path for request in stage.requests] == ["/api/v1/rerank"]
