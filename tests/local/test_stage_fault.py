import json
import time

import httpx
import pytest
from openrouter_rerank.local.stage import (
    Fault,
    Stage,
    refusing_address,
    unaccepting_address,
)

from tests.local.asking import PAYLOAD, connect, everything, rerank, wire

FAILURES = [
    # The client may be writing still, or reading already.
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
ARRIVALS = {"wrong_length", "huge_body", "gzip_bomb", "redirect"}


@pytest.mark.parametrize(
    ("fault", "problem"), FAILURES, ids=lambda value: getattr(value, "name", "")
)
def test_clients_see_each_fault_as_what_it_is(stage, client, fault, problem):
    """A fault reaches httpx as the exception it stands for, and the next call is served."""
    stage.script(fault)
    silence = 0.3 if problem is httpx.ReadTimeout else 5

    with pytest.raises(problem):
        client.post("/rerank", json=PAYLOAD, timeout=httpx.Timeout(5, read=silence))

    assert rerank(client).status_code == 200


def test_every_names_every_fault_once():
    """The list for parametrizing tests has one fault of each constructor."""
    constructors = {
        name for name, member in vars(Fault).items() if isinstance(member, classmethod)
    } - {"every"}

    assert sorted(map(str, Fault.every())) == sorted(constructors)
    assert constructors == {fault.name for fault, _ in FAILURES} | ARRIVALS


@pytest.mark.parametrize("fault", Fault.every(), ids=str)
def test_only_read_requests_are_recorded(stage, fault):
    """Each request is recorded under any fault but the one that strikes before it is read."""
    stage.script(fault)

    with connect(stage) as plug:
        plug.sendall(wire())
        stage.wait_until(lambda: not stage.unused)
        stage.wait_until(lambda: stage.requests or not stage.open_connections)

    assert len(stage.requests) == (0 if fault.early else 1)
    assert fault.early == (fault.name == "reset_before")


def test_reset_mid_body_comes_after_half_of_it(stage):
    """A client that reads along has the head and half of the body when the reset comes."""
    stage.script(Fault.reset_mid_body())
    received = bytearray()

    with connect(stage) as plug:
        plug.sendall(wire())
        with pytest.raises(ConnectionResetError):
            everything(plug, received)

    head, body = received.split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    announced = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    assert len(body) == announced // 2


def test_wrong_length_leaves_bytes_behind(stage):
    """More comes than was announced, on a connection that stays open."""
    stage.script(Fault.wrong_length())
    with connect(stage) as plug:
        plug.sendall(wire())
        head, body = plug.recv(65_536).split(b"\r\n\r\n")

        assert stage.open_connections == 1
    announced = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
    assert 0 < announced < len(body)
    assert json.loads(body)["results"]


@pytest.mark.parametrize("name", ["drip_head", "drip_body"])
def test_drips_end_in_the_right_answer(stage, client, name):
    """A dripping answer is whole for who waits, and takes the interval for each byte."""
    expected = rerank(client).content
    stage.reset()
    stage.script(getattr(Fault, name)(0.001))
    start = time.monotonic()

    response = rerank(client)

    assert time.monotonic() - start > 0.05
    assert response.content == expected
    assert rerank(client).status_code == 200


def test_late_head_is_the_right_answer_too_late(stage, client):
    """A late answer is whole for who waits."""
    stage.script(Fault.late_head(0.05))
    start = time.monotonic()

    assert rerank(client).json()["results"][0]["index"] == 1
    assert time.monotonic() - start >= 0.05


def test_garbage_goes_out_as_given(stage):
    """A test can choose the bytes that come in place of an answer."""
    stage.script(Fault.garbage(b"SSH-2.0-x\r\n"))
    with connect(stage) as plug:
        plug.sendall(wire())

        assert everything(plug) == b"SSH-2.0-x\r\n"


@pytest.mark.parametrize("size", [1, 65_536, 1_000_000])
def test_huge_bodies_are_the_right_answer_behind_blanks(stage, client, size):
    """A huge body is valid JSON, larger than the right answer by just its size."""
    expected = rerank(client).json()["results"]
    stage.script(Fault.huge_body(size))

    response = rerank(client)

    assert response.content.startswith(b" " * size + b"{")
    assert response.json()["results"] == expected


@pytest.mark.parametrize("size", [1_000_000, 64 * 1024 * 1024])
def test_gzip_bombs_are_small_on_the_wire(stage, client, size):
    """A bomb unpacks to more than five hundred times what was sent, and is valid JSON."""
    stage.script(Fault.gzip_bomb(size))

    with client.stream("POST", "/rerank", json=PAYLOAD) as response:
        unpacked = sum(map(len, response.iter_bytes()))

    assert response.headers["content-encoding"] == "gzip"
    assert unpacked > size
    assert response.num_bytes_downloaded < size / 500


@pytest.mark.parametrize("status", [301, 307, 308])
def test_redirects_point_elsewhere(stage, client, status):
    """A redirect names the other host, and who follows it sends everything there."""
    with Stage() as elsewhere:
        stage.script(*[Fault.redirect(f"{elsewhere.base_url}/rerank", status)] * 2)

        assert rerank(client).status_code == status
        assert elsewhere.requests == []
        client.post("/rerank", json=PAYLOAD, follow_redirects=True)
        assert len(elsewhere.requests) == 1


def test_refusing_addresses_refuse():
    """A refusing address cannot be connected to, at once."""
    with refusing_address() as url, pytest.raises(httpx.ConnectError):
        httpx.post(f"{url}/rerank", json=PAYLOAD, timeout=5)


def test_unaccepting_addresses_neither_accept_nor_refuse():
    """Connecting to an unaccepting address takes as long as the client waits."""
    with unaccepting_address() as url, pytest.raises(httpx.ConnectTimeout):
        httpx.post(f"{url}/rerank", json=PAYLOAD, timeout=0.2)
