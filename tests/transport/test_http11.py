"""HTTP/1.1 without I/O: requests as bytes, and responses from bytes, in pieces of any size."""

import math
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._attempt import Attempt, Step
from openrouter_rerank._transport.bounds import Bounds, ResponseBuilder
from openrouter_rerank._transport.http11 import HTTP11
from openrouter_rerank._wire.endpoint import EncodedHeaders
from openrouter_rerank._wire.request import encode

HEADERS = EncodedHeaders([(b"Host", b"a.example"), (b"Content-Length", b"5")])
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"


def request_sent():
    """Return an `HTTP11` that has sent a request, and a builder for the response."""
    http = HTTP11()
    attempt = Attempt(request=encode("m", "q", ("a",)), timeout=1.0)
    b"".join(http.request(b"/rerank", HEADERS, [b"12", b"345"]))
    return http, ResponseBuilder(attempt, Bounds(0.0, math.inf, "", str))


def receive(http, data, response):
    """Receive `data`; return `True` if the response is complete."""
    for _ in http.receive(data, response):
        pass
    return http.is_complete


def test_a_request_is_a_head_and_the_pieces_of_its_body():
    """The head and the pieces of the body are separate, so that no piece is copied."""
    pieces = list(HTTP11().request(b"/rerank", HEADERS, [b"12", b"345"]))

    assert pieces == [
        b"POST /rerank HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n",
        b"12",
        b"345",
    ]


def test_a_request_without_a_body_is_only_a_head():
    """A GET request has no body and no length."""
    headers = EncodedHeaders([(b"Host", b"a.example")])

    pieces = list(HTTP11().request(b"/models?a=b", headers, [], method="GET"))

    assert pieces == [b"GET /models?a=b HTTP/1.1\r\nHost: a.example\r\n\r\n"]


@pytest.mark.parametrize(
    ("received", "starts_next"),
    [
        pytest.param(PLAIN, True, id="content length"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"2\r\nan\r\n4;x=y\r\nswer\r\n0\r\nTrailer: t\r\n\r\n",
            True,
            id="chunked",
        ),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + PLAIN,
            True,
            id="informational responses",
        ),
        pytest.param(
            PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
            False,
            id="connection: close",
        ),
        pytest.param(PLAIN.replace(b"1.1", b"1.0"), False, id="HTTP/1.0"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nanswer", False, id="until the connection ends"),
    ],
)
@given(cuts=st.lists(st.integers(0, 200)))
def test_a_response_in_pieces_of_any_size(received, starts_next, cuts):
    """Pieces of any size give the status, the body, and if another exchange may follow."""
    http, response = request_sent()
    edges = [0, *sorted(cuts), len(received)]
    pieces = [received[start:end] for start, end in pairwise(edges) if start < end]

    # The end of the connection is received as empty bytes.
    complete = any(receive(http, piece, response) for piece in [*pieces, b""])

    built = response.build()
    assert (complete, built.status, built.body) == (True, 200, b"answer")
    assert response.bounds.step is Step.BODY
    assert http.start_next() == starts_next


def test_a_requested_protocol_switch_is_refused():
    """If a user's headers request another protocol and the server agrees, an error is raised."""
    http, response = HTTP11(), request_sent()[1]
    headers = EncodedHeaders([*HEADERS, (b"Upgrade", b"x"), (b"Connection", b"Upgrade")])
    b"".join(http.request(b"/rerank", headers, [b"12345"]))

    with pytest.raises(h11.RemoteProtocolError, match="another protocol"):
        receive(http, b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", response)


def test_a_second_request_gets_its_own_response():
    """The second request on a connection gets its own response."""
    http, first = request_sent()
    assert receive(http, PLAIN, first)
    assert http.start_next()

    _, second = request_sent()
    b"".join(http.request(b"/rerank", HEADERS, [b"12345"]))

    assert receive(http, PLAIN.replace(b"answer", b"second"), second)
    assert second.build().body == b"second"


def test_bytes_after_a_response_end_the_connection():
    """A connection on which bytes follow the response is not used again."""
    http, response = request_sent()

    assert receive(http, PLAIN + PLAIN, response)
    assert not http.start_next()


def test_an_early_response_ends_the_connection():
    """A connection is not used again if the response came before the whole request was sent."""
    http, response = HTTP11(), request_sent()[1]
    next(http.request(b"/rerank", HEADERS, [b"12345"]))

    assert receive(http, PLAIN.replace(b"200 OK", b"413 Too Large"), response)
    assert response.build().status == 413
    assert not http.start_next()


@pytest.mark.parametrize("pieces", [1, 20], ids=["in one piece", "in many pieces"])
def test_many_informational_responses_are_refused(pieces):
    """A server may send twenty informational responses, however it sends them, and not one more."""
    http, response = request_sent()
    early = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * (20 // pieces)

    assert not any(receive(http, early, response) for _ in range(pieces))
    with pytest.raises(h11.RemoteProtocolError, match="too many informational responses"):
        receive(http, early, response)


def test_the_head_of_a_response_has_a_limit():
    """A head may have 100 KiB, which is the limit of httpcore, and not one byte more."""
    http, response = request_sent()
    head = b"HTTP/1.1 200 OK\r\nX: "

    assert not receive(http, head + b"a" * (102_400 - len(head)), response)
    with pytest.raises(h11.RemoteProtocolError):
        receive(http, b"a", response)


@pytest.mark.parametrize(("pieces", "turns"), [(98, 0), (99, 1), (198, 1), (199, 2)])
def test_a_turn_has_a_hundred_events(pieces, turns):
    """The head and 99 pieces are a hundred events, after which other code gets a turn."""
    http, response = request_sent()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    given = list(http.receive(head + b"1\r\na\r\n" * pieces, response))

    assert len(given) == turns


def test_informational_responses_are_counted_for_each_exchange():
    """Each exchange of a connection may have twenty informational responses."""
    http, _ = request_sent()
    for _ in range(3):
        _, response = request_sent()
        assert receive(http, b"HTTP/1.1 103 Early Hints\r\n\r\n" * 20 + PLAIN, response)
        assert http.start_next()
        b"".join(http.request(b"/rerank", HEADERS, [b"12345"]))


@pytest.mark.parametrize(
    ("received", "turns"),
    [
        pytest.param(PLAIN, 0, id="an ordinary response"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 7 + PLAIN, 7, id="informational"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
            + b"1\r\na\r\n" * 999
            + b"0\r\n\r\n",
            10,
            id="small chunks",
        ),
    ],
)
def test_a_response_of_many_events_is_read_in_turns(received, turns):
    """After an informational response, and after a hundred events, the caller gets its turn."""
    http, response = request_sent()

    assert len([*http.receive(received, response)]) == turns
    assert http.is_complete


@pytest.mark.parametrize(
    "received",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"HTTP/1.1 200 OK\r\nConte", id="incomplete head"),
        pytest.param(PLAIN[:-1], id="last byte missing"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n\r\n", id="another protocol"),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", id="protocol switch"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"b" * 200_000, id="endless head"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
            id="two lengths",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nz\r\n", id="invalid chunk"
        ),
    ],
)
def test_invalid_responses_are_refused(received):
    """Invalid or incomplete responses raise an error, and no exchange may follow."""
    http, response = request_sent()

    with pytest.raises(h11.RemoteProtocolError):
        any(receive(http, piece, response) for piece in (received, b""))

    assert not http.start_next()
