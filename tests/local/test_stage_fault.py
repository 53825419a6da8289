import json
import ssl
import time
from contextlib import nullcontext

import httpx
import pytest
from openrouter_rerank.local.stage import (
    Fault,
    Stage,
    refusing_address,
    unaccepting_address,
)

from tests.certificates import authority_and_server_context, trusted
from tests.rerank_requests import PAYLOAD, connect, raw_request, read_to_end, rerank

FAILURES = [
    # The client may still be sending the request, or already be reading the response.
    (Fault.reset_before(), (httpx.NetworkError, httpx.RemoteProtocolError)),
    (Fault.reset_after(), httpx.ReadError),
    (Fault.reset_mid_body(), httpx.ReadError),
    (Fault.close(), httpx.RemoteProtocolError),
    (Fault.truncated(), httpx.RemoteProtocolError),
    (Fault.cut(), httpx.RemoteProtocolError),
    (Fault.bad_chunk(), httpx.RemoteProtocolError),
    (Fault.garbage(), httpx.RemoteProtocolError),
    (Fault.late_head(60), httpx.ReadTimeout),
    (Fault.drip_head(60), httpx.ReadTimeout),
    (Fault.drip_body(60), httpx.ReadTimeout),
    (Fault.hang(), httpx.ReadTimeout),
]
COMPLETE_RESPONSES = {"wrong_length", "huge_body", "gzip_bomb", "redirect"}


@pytest.mark.parametrize(
    ("fault", "problem"), FAILURES, ids=lambda value: getattr(value, "name", "")
)
def test_each_fault_raises_its_exception_in_the_client(stage, client, fault, problem):
    """Each fault makes httpx raise its exception, and the next request gets a response."""
    stage.script(fault)
    read_timeout = 0.3 if problem is httpx.ReadTimeout else 5

    with pytest.raises(problem):
        client.post("/rerank", json=PAYLOAD, timeout=httpx.Timeout(5, read=read_timeout))

    assert rerank(client).status_code == 200


def test_every_returns_each_fault_once():
    """`Fault.every()`, for parametrized tests, has one fault of each constructor."""
    constructors = {
        name for name, member in vars(Fault).items() if isinstance(member, classmethod)
    } - {"every"}

    assert sorted(map(str, Fault.every())) == sorted(constructors)
    assert constructors == {fault.name for fault, _ in FAILURES} | COMPLETE_RESPONSES


@pytest.mark.parametrize("fault", Fault.every(), ids=str)
def test_only_requests_that_were_read_are_recorded(stage, fault):
    """A request is recorded with every fault except the one that happens before it is read."""
    stage.script(fault)

    with connect(stage) as connection:
        connection.sendall(raw_request())
        stage.wait_until(lambda: not stage.unused)
        stage.wait_until(lambda: stage.requests or not stage.open_connections)

    assert len(stage.requests) == (0 if fault.early else 1)
    assert fault.early == (fault.name == "reset_before")


def test_reset_mid_body_comes_after_half_of_the_body(stage):
    """A client has received the head and half of the body when the connection is reset."""
    stage.script(Fault.reset_mid_body())
    received = bytearray()

    with connect(stage) as connection:
        connection.sendall(raw_request())
        with pytest.raises(ConnectionResetError):
            read_to_end(connection, received)

    head, body = received.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    declared = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    assert len(body) == declared // 2


@pytest.mark.parametrize(
    ("fault", "end"),
    [(Fault.truncated(), nullcontext()), (Fault.cut(), pytest.raises(ssl.SSLEOFError))],
    ids=["truncated", "cut"],
)
def test_only_cut_ends_a_tls_connection_without_close_notify(fault, end):
    """Within TLS, `cut` ends the connection without the message that `truncated` sends."""
    authority, server_context = authority_and_server_context()
    with trusted(authority) as context, Stage(tls=server_context) as stage:
        stage.script(fault)
        with context.wrap_socket(
            connect(stage), server_hostname="127.0.0.1", suppress_ragged_eofs=False
        ) as connection:
            connection.sendall(raw_request())
            with end:
                read_to_end(connection)


def test_wrong_length_sends_more_than_declared(stage):
    """The body is longer than its declared length, and the connection stays open."""
    stage.script(Fault.wrong_length())
    with connect(stage) as connection:
        connection.sendall(raw_request())
        head, body = connection.recv(65_536).split(b"\r\n\r\n")

        assert stage.open_connections == 1
    declared = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < declared < len(body)
    assert json.loads(body)["results"]


@pytest.mark.parametrize("name", ["drip_head", "drip_body"])
def test_slow_responses_are_correct(stage, client, name):
    """A response sent byte by byte is complete in the end, and takes the interval for each byte."""
    expected = rerank(client).content
    stage.reset()
    stage.script(getattr(Fault, name)(0.001))
    start = time.monotonic()

    response = rerank(client)

    assert time.monotonic() - start > 0.05
    assert response.content == expected
    assert rerank(client).status_code == 200


def test_late_responses_are_correct(stage, client):
    """A late response is complete for a client that waits."""
    stage.script(Fault.late_head(0.05))
    start = time.monotonic()

    assert rerank(client).json()["results"][0]["index"] == 1
    assert time.monotonic() - start >= 0.05


def test_garbage_is_sent_as_given(stage):
    """A test can choose the bytes that are sent instead of a response."""
    stage.script(Fault.garbage(b"SSH-2.0-x\r\n"))
    with connect(stage) as connection:
        connection.sendall(raw_request())

        assert read_to_end(connection) == b"SSH-2.0-x\r\n"


@pytest.mark.parametrize("size", [1, 65_536, 1_000_000])
def test_huge_bodies_are_correct_responses_after_spaces(stage, client, size):
    """A huge body is valid JSON: the correct response after `size` spaces."""
    expected = rerank(client).json()["results"]
    stage.script(Fault.huge_body(size))

    response = rerank(client)

    assert response.content.startswith(b" " * size + b"{")
    assert response.json()["results"] == expected


@pytest.mark.parametrize("size", [1_000_000, 64 * 1024 * 1024])
def test_gzip_bombs_are_small_before_decompression(stage, client, size):
    """Decompressed, the body is more than 500 times larger than the bytes that were sent."""
    stage.script(Fault.gzip_bomb(size))

    with client.stream("POST", "/rerank", json=PAYLOAD) as response:
        decompressed_size = sum(map(len, response.iter_bytes()))

    assert response.headers["content-encoding"] == "gzip"
    assert decompressed_size > size
    assert response.num_bytes_downloaded < size / 500


@pytest.mark.parametrize("status", [301, 307, 308])
def test_redirects_lead_to_another_host(stage, client, status):
    """A redirect names the other host, and a client that follows it sends a request there."""
    with Stage() as other_stage:
        stage.script(*[Fault.redirect(f"{other_stage.base_url}/rerank", status)] * 2)

        assert rerank(client).status_code == status
        assert other_stage.requests == []
        client.post("/rerank", json=PAYLOAD, follow_redirects=True)
        assert len(other_stage.requests) == 1


def test_refusing_addresses_refuse():
    """Connecting to a refusing address fails immediately."""
    with refusing_address() as url, pytest.raises(httpx.ConnectError):
        httpx.post(f"{url}/rerank", json=PAYLOAD, timeout=5)


def test_unaccepting_addresses_time_out():
    """Connecting to an unaccepting address lasts until the timeout of the client."""
    with unaccepting_address() as url, pytest.raises(httpx.ConnectTimeout):
        httpx.post(f"{url}/rerank", json=PAYLOAD, timeout=0.2)
