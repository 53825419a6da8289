"""Calls over injected clients whose transports were written by users."""

import httpx
import httpx2
import pytest

from tests.clients import KINDS, NAMES, ClientKind

FOUND = {"results": [{"index": 0, "relevance_score": 1}]}
INJECTED = [(kind, name) for kind, name in zip(KINDS, NAMES, strict=True) if kind[1] is not None]


@pytest.fixture(params=[kind for kind, _ in INJECTED], ids=[name for _, name in INJECTED])
def over(request):
    """A function that makes a client of ours over a transport that calls `handler(request)`."""
    mode, library = request.param
    with ClientKind(mode, library) as client_kind:

        def client(handler, **options):
            return client_kind.client(
                http_options={"transport": library.MockTransport(handler)},
                **{"api_key": "k", "base_url": "https://gateway.example/v1"} | options,
            )

        yield client


def response_to(request, **content):
    """A response of the library that made `request`."""
    library = httpx if isinstance(request, httpx.Request) else httpx2
    return library.Response(200, **content)


def test_a_response_that_was_read_before_is_used(over):
    """Mock transports return responses whose body has been read; the body is not read again."""
    ranking = over(lambda request: response_to(request, json=FOUND)).rerank("q", ["a"])

    assert [result.relevance_score for result in ranking.results] == [1]


def test_a_transport_can_copy_the_timeouts(over):
    """The timeouts of a request are a mapping that transports can copy, and look other names up."""
    seen = []

    def handler(request):
        timeouts = request.extensions["timeout"]
        seen.append((dict(timeouts), len(timeouts), timeouts.get("total")))
        return response_to(request, json=FOUND)

    over(handler, timeout=30).rerank("q", ["a"])

    ((copy, size, total),) = seen
    assert (set(copy), size, total) == ({"connect", "read", "write", "pool"}, 4, None)
    assert 0 < copy.pop("connect") <= 5
    assert all(29 < seconds <= 30 for seconds in copy.values())
    assert httpx.Timeout(**copy, connect=1).read == copy["read"]


def test_an_error_that_is_not_about_the_exchange_is_not_hidden(over):
    """A programming error in a user's transport reaches the caller unchanged."""

    def handler(request):
        raise ZeroDivisionError("in the handler")

    with pytest.raises(ZeroDivisionError, match="in the handler"):
        over(handler).rerank("q", ["a"])
