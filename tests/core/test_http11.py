"""What is said on a connection: requests as bytes, and answers from bytes, however they are cut."""

import math
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._attempt import Attempt
from openrouter_rerank._transport.bounds import Body, Watch
from openrouter_rerank._transport.http11 import Dialogue
from openrouter_rerank._wire.headers import EncodedHeaders
from openrouter_rerank._wire.request import encode

HEADERS = EncodedHeaders([(b"Host", b"a.example"), (b"Content-Length", b"5")])
PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer"


def asked():
    """A dialogue whose request was sent, and what is to hold the answer."""
    dialogue = Dialogue()
    attempt = Attempt(request=encode("m", "q", ("a",)), timeout=1.0)
    b"".join(dialogue.request(b"/rerank", HEADERS, [b"12", b"345"]))
    return dialogue, Body(attempt, Watch(math.inf))


def test_a_request_is_its_head_and_then_its_body():
    """The head and each piece of the body are apart, so that none of them is copied."""
    pieces = list(Dialogue().request(b"/rerank", HEADERS, [b"12", b"345"]))

    assert pieces == [
        b"POST /rerank HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\n",
        b"12",
        b"345",
    ]


@pytest.mark.parametrize(
    ("said", "goes_on"),
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
            id="after words in between",
        ),
        pytest.param(
            PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), False, id="the last one"
        ),
        pytest.param(PLAIN.replace(b"1.1", b"1.0"), False, id="of an old server"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nanswer", False, id="until the end"),
    ],
)
@given(cuts=st.lists(st.integers(0, 200)))
def test_an_answer_is_the_same_however_it_is_cut(said, goes_on, cuts):
    """The status and the body come out of any pieces; what may follow on the line is known."""
    dialogue, answer = asked()
    places = [0, *sorted(cuts), len(said)]
    pieces = [said[start:end] for start, end in pairwise(places) if start < end]

    # Nothing is what is read at the end of the connection.
    complete = any(dialogue.receive(piece, answer) for piece in [*pieces, b""])

    whole = answer.whole()
    assert (complete, whole.status, whole.body) == (True, 200, b"answer")
    assert answer.watch.answered
    assert dialogue.goes_on() == goes_on


def test_a_switch_that_was_asked_for_is_no_answer():
    """Headers of the user can ask for another protocol; a server that agrees has not answered."""
    dialogue, answer = Dialogue(), asked()[1]
    headers = EncodedHeaders([*HEADERS, (b"Upgrade", b"x"), (b"Connection", b"Upgrade")])
    b"".join(dialogue.request(b"/rerank", headers, [b"12345"]))

    with pytest.raises(h11.RemoteProtocolError, match="another protocol"):
        dialogue.receive(b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", answer)


def test_one_request_follows_the_other():
    """On a connection that goes on, the next request has an answer of its own."""
    dialogue, first = asked()
    assert dialogue.receive(PLAIN, first)
    assert dialogue.goes_on()

    _, second = asked()
    b"".join(dialogue.request(b"/rerank", HEADERS, [b"12345"]))

    assert dialogue.receive(PLAIN.replace(b"answer", b"second"), second)
    assert second.whole().body == b"second"


def test_what_comes_behind_an_answer_is_no_answer():
    """A connection on which more came than the answer is not used again."""
    dialogue, answer = asked()

    assert dialogue.receive(PLAIN + PLAIN, answer)
    assert not dialogue.goes_on()


def test_an_early_answer_is_the_last_one():
    """A server that answers before it has the whole request gets no other on this connection."""
    dialogue, answer = Dialogue(), asked()[1]
    next(dialogue.request(b"/rerank", HEADERS, [b"12345"]))

    assert dialogue.receive(PLAIN.replace(b"200 OK", b"413 Too Large"), answer)
    assert answer.whole().status == 413
    assert not dialogue.goes_on()


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
def test_what_is_no_answer_is_refused(said):
    """What HTTP does not allow, or ends too early, is an error, and the connection is done with."""
    dialogue, answer = asked()

    with pytest.raises(h11.RemoteProtocolError):
        any(dialogue.receive(piece, answer) for piece in (said, b""))

    assert not dialogue.goes_on()
