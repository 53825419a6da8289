import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from openrouter_rerank.local.stage import (
    Fault,
    Reply,
    scores,
)
from openrouter_rerank.local.stage.connection import Connection

from tests.local.asking import KEY, PAYLOAD, connect, everything, rerank, wire


def test_connections_are_kept_alive(stage, client):
    """Requests of one client in sequence share a connection."""
    for _ in range(3):
        rerank(client)

    assert (stage.connections, stage.open_connections) == (1, 1)
    client.close()
    stage.wait_until(lambda: stage.open_connections == 0)


def test_clients_may_ask_to_close(stage):
    """A request that says so is the last of its connection."""
    with connect(stage) as plug:
        plug.sendall(wire().replace(b"host:", b"connection: close\r\nhost:"))

        assert everything(plug).startswith(b"HTTP/1.1 200")
    stage.wait_until(lambda: stage.open_connections == 0)


def test_pipelined_requests_are_answered_in_turn(stage):
    """Two requests in one packet get two answers."""
    with connect(stage) as plug:
        plug.sendall(wire() + wire().replace(b"host:", b"connection: close\r\nhost:"))

        assert everything(plug).count(b"HTTP/1.1 200") == 2


def test_requests_may_come_in_pieces(stage):
    """A request is answered when its last byte is there, however it was cut."""
    with connect(stage) as plug:
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in wire()[:-1]:
            plug.send(bytes([byte]))
        assert stage.requests == []
        plug.sendall(wire()[-1:])

        assert plug.recv(12) == b"HTTP/1.1 200"


def test_waiting_clients_are_told_to_continue(stage):
    """A client that asks first is told to send its body."""
    head, body = wire().split(b"\r\n\r\n")
    with connect(stage) as plug:
        plug.sendall(head + b"\r\nexpect: 100-continue\r\n\r\n")
        assert plug.recv(65_536).startswith(b"HTTP/1.1 100")
        plug.sendall(body)

        assert plug.recv(12) == b"HTTP/1.1 200"


def test_what_is_no_http_is_refused(stage):
    """Bytes that are no HTTP are answered with 400 and recorded nowhere."""
    with connect(stage) as plug:
        plug.sendall(b"\x16\x03\x01 not HTTP\r\n\r\n")

        assert everything(plug).startswith(b"HTTP/1.1 400")
    assert stage.requests == []


def test_unfinished_requests_are_not_recorded(stage):
    """A client that goes away in the middle of its request leaves nothing behind."""
    with connect(stage) as plug:
        plug.sendall(wire()[:-1])
    stage.wait_until(lambda: (stage.connections, stage.open_connections) == (1, 0))

    assert stage.requests == []


def test_head_requests_get_no_body(stage, client):
    """An answer to HEAD has no body, and the connection stays good."""
    assert client.head("/rerank").status_code == 405
    assert rerank(client).status_code == 200
    assert stage.connections == 1


def test_flights_of_one_client_never_overlap(stage, client):
    """One request after the other is never counted as two, even on new connections."""
    for _ in range(100):
        client.post("/rerank", json=PAYLOAD, headers={"Connection": "close"})

    assert (stage.connections, stage.in_flight_peak) == (100, 1)


async def test_held_requests_are_counted_and_released(stage):
    """Requests can be held to see how many are in flight, and then all be answered."""
    stage.always(lambda request: Fault.hang() if request.number <= 4 else scores(1, 2, 3))
    async with httpx.AsyncClient(base_url=stage.base_url, headers=KEY) as client:
        calls = [asyncio.create_task(rerank(client)) for _ in range(4)]
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 4)
        stage.release()
        responses = await asyncio.gather(*calls)

    assert [response.status_code for response in responses] == [200] * 4
    assert (stage.in_flight, stage.in_flight_peak) == (0, 4)


async def test_cancelled_calls_are_noticed(stage):
    """A client that gives up is no longer in flight, whatever the script says."""
    stage.script(Fault.hang(), Reply(delay=60), Fault.drip_body(60))
    async with httpx.AsyncClient(base_url=stage.base_url, headers=KEY) as client:
        calls = [asyncio.create_task(rerank(client)) for _ in range(3)]
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 3)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 0)

    assert len(stage.requests) == 3


def test_many_threads_are_served(stage):
    """Requests of many threads are all answered, each with its own scores."""
    with (
        httpx.Client(base_url=stage.base_url, headers=KEY) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        queries = [f"w{number}" for number in range(100)]
        responses = list(
            threads.map(lambda word: rerank(client, query=word, documents=[word, "x"]), queries)
        )

    assert all(r.json()["results"][0]["relevance_score"] == 1 for r in responses)
    assert sorted(request.number for request in stage.requests) == list(range(1, 101))
    assert sorted(request.query for request in stage.requests) == sorted(queries)


def test_waiting_ends_with_an_error(stage):
    """Waiting for what does not happen ends in time, and shows the stage."""
    with pytest.raises(TimeoutError, match=r"not within 0\.01 s; the stage is <Stage: 0 requests"):
        stage.wait_until(lambda: False, timeout=0.01)


async def test_a_client_that_has_gone_needs_no_reset():
    """Resetting a connection that is closed already does nothing."""
    reset = asyncio.get_running_loop().create_future()

    async def attend(reader, writer):
        connection = Connection(reader, writer)
        connection.abort()
        await writer.wait_closed()
        connection.reset()
        reset.set_result(True)

    server = await asyncio.start_server(attend, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(reset, timeout=5)
        writer.close()
