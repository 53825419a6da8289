"""HTTP/1.1 without I/O: requests as bytes, and responses from bytes, in pieces of any size."""

import math
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._attempt import Attempt
from openrouter_rerank._transport.bounds import Bounds, ResponseBuilder
from openrouter_rerank._transport.http11 import HTTP11
from openrouter_rerank._wire.headers import EncodedHeaders
from openrouter_rerank._wire.request import encode

HEADERS = EncodedHeaders([(b"Host", b"a.example"), (b"Content-Length", b"5")])
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"


def asked():
    """A state whose request has been sent, and the builder of its response."""
    http = HTTP11()
    attempt = Attempt(request=encode("m", "q", ("a",)), timeout=1.0)
    b"".join(http.request(b"/rerank", HEADERS, [b"12", b"345"]))
    return http, ResponseBuilder(attempt, Bounds(math.inf))


def test_a_request_is_its_head_and_then_its_body():
    """The head and each piece of the body are separate, so that no piece is copied."""
    pieces = list(HTTP11().request(b"/rerank", HEADERS, [b"12", b"345"]))

    assert pieces == [
        b"POST /rerank HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n",
        b"12",
        b"345",
    ]


@pytest.mark.parametrize(
    ("said", "starts_next"),
    [
        pytest.param(PLAIN, True, id="with its length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nan\r\n4;x=y\r\nswer\r\n0\r\nTrailer: t\r\n\r\n",
            True,
            id="in chunks",
        ),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + PLAIN,
            True,
            id="after informational responses",
        ),
        pytest.param(
            PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), False, id="the last one"
        ),
        pytest.param(PLAIN.replace(b"1.1", b"1.0"), False, id="of HTTP/1.0"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nanswer", False, id="until the end"),
    ],
)
@given(cuts=st.lists(st.integers(0, 200)))
def test_a_response_is_the_same_however_it_is_cut(said, starts_next, cuts):
    """Pieces of any size give the same status and body; it is known if an exchange may follow."""
    http, response = asked()
    places = [0, *sorted(cuts), len(said)]
    pieces = [said[start:end] for start, end in pairwise(places) if start < end]

    # Empty bytes are what is read at the end of the connection.
    complete = any(http.receive(piece, response) for piece in [*pieces, b""])

    whole = response.build()
    assert (complete, whole.status, whole.body) == (True, 200, b"answer")
    assert response.bounds.has_response
    assert http.start_next() == starts_next


def test_a_switch_that_was_asked_for_is_no_response():
    """A user's headers can ask for another protocol; a server that agrees causes an error."""
    http, response = HTTP11(), asked()[1]
    headers = EncodedHeaders([*HEADERS, (b"Upgrade", b"x"), (b"Connection", b"Upgrade")])
    b"".join(http.request(b"/rerank", headers, [b"12345"]))

    with pytest.raises(h11.RemoteProtocolError, match="another protocol"):
        http.receive(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", response)


def test_one_request_follows_the_other():
    """The second request on a connection gets its own response."""
    http, first = asked()
    assert http.receive(PLAIN, first)
    assert http.start_next()

    _, second = asked()
    b"".join(http.request(b"/rerank", HEADERS, [b"12345"]))

    assert http.receive(PLAIN.replace(b"answer", b"second"), second)
    assert second.build().body == b"second"


def test_what_comes_behind_a_response_is_no_response():
    """A connection on which bytes follow the response is not used again."""
    http, response = asked()

    assert http.receive(PLAIN + PLAIN, response)
    assert not http.start_next()


def test_an_early_response_is_the_last_one():
    """A connection is not used again if the response came before the whole request was sent."""
    http, response = HTTP11(), asked()[1]
    next(http.request(b"/rerank", HEADERS, [b"12345"]))

    assert http.receive(PLAIN.replace(b"200 OK", b"413 Too Large"), response)
    assert response.build().status == 413
    assert not http.start_next()


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConte", id="half a head"),
        pytest.param(PLAIN[:-1], id="all but the last byte"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", id="a switch"),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 200_000, id="a head without end"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
            id="of two lengths",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", id="no chunk"),
    ],
)
def test_what_is_no_response_is_refused(said):
    """Bytes that HTTP does not allow, or that end too early, raise; no exchange may follow."""
    http, response = asked()

    with pytest.raises(h11.RemoteProtocolError):
        any(http.receive(piece, response) for piece in (said, b""))

    assert not http.start_next()
