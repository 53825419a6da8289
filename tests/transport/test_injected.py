"""Calls over injected clients whose transports were written by users."""

import httpx
import httpx2
import pytest

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
