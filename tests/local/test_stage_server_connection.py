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
from openrouter_rerank.local.stage.server_connection import ServerConnection

from tests.rerank_requests import KEY, PAYLOAD, connect, raw_request, read_to_end, rerank


def test_connections_are_kept_alive(stage, client):
    """Sequential requests of one client use the same connection."""
    for _ in range(3):
        rerank(client)

    assert (stage.connections, stage.open_connections) == (1, 1)
    client.close()
    stage.wait_until(lambda: stage.open_connections == 0)


def test_clients_can_request_to_close_the_connection(stage):
    """A request with `Connection: close` is the last of its connection."""
    with connect(stage) as connection:
        connection.sendall(raw_request().replace(b"host:", b"connection: close\r\nhost:"))

        assert read_to_end(connection).startswith(b"HTTP/1.1 200")
    stage.wait_until(lambda: stage.open_connections == 0)


def test_pipelined_requests_get_responses_in_order(stage):
    """Two requests in one packet get two responses."""
    with connect(stage) as connection:
        connection.sendall(
            raw_request() + raw_request().replace(b"host:", b"connection: close\r\nhost:")
        )

        assert read_to_end(connection).count(b"HTTP/1.1 200") == 2


def test_requests_may_be_sent_in_pieces(stage):
    """A request gets its response after its last byte, however it was split."""
    with connect(stage) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in raw_request()[:-1]:
            connection.send(bytes([byte]))
        assert stage.requests == []
        connection.sendall(raw_request()[-1:])

        assert connection.recv(12) == b"HTTP/1.1 200"


def test_clients_that_expect_100_continue_get_it(stage):
    """A client that sends `Expect: 100-continue` gets status 100 before it sends the body."""
    head, body = raw_request().split(b"\r\n\r\n")
    with connect(stage) as connection:
        connection.sendall(head + b"\r\nexpect: 100-continue\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100")
        connection.sendall(body)

        assert connection.recv(12) == b"HTTP/1.1 200"


def test_bytes_that_are_not_http_get_400(stage):
    """Bytes that are not HTTP get a response with status 400, and are not recorded."""
    with connect(stage) as connection:
        connection.sendall(b"\x16\x03\x01 not HTTP\r\n\r\n")

        assert read_to_end(connection).startswith(b"HTTP/1.1 400")
    assert stage.requests == []


def test_a_reply_that_http_does_not_allow_is_logged(stage, caplog):
    """A stage is not a proxy: after a successful CONNECT it sends nothing, and the log says why."""
    stage.script(Reply(status=200))
    with connect(stage) as connection:
        connection.sendall(b"CONNECT host:443 HTTP/1.1\r\nhost: host\r\n\r\n")

        assert read_to_end(connection) == b""
    assert "the stage failed" in caplog.text
    assert "LocalProtocolError" in caplog.text


def test_unfinished_requests_are_not_recorded(stage):
    """If a client closes the connection within a request, the request is not recorded."""
    with connect(stage) as connection:
        connection.sendall(raw_request()[:-1])
    stage.wait_until(lambda: (stage.connections, stage.open_connections) == (1, 0))

    assert stage.requests == []


def test_head_requests_get_no_body(stage, client):
    """A response to HEAD has no body, and the connection stays usable."""
    assert client.head("/rerank").status_code == 405
    assert rerank(client).status_code == 200
    assert stage.connections == 1


def test_sequential_requests_are_never_in_flight_together(stage, client):
    """Sequential requests never count as two in flight, even over new connections."""
    for _ in range(100):
        client.post("/rerank", json=PAYLOAD, headers={"Connection": "close"})

    assert (stage.connections, stage.in_flight_peak) == (100, 1)


async def test_held_requests_are_counted_and_released(stage):
    """Requests that hang are counted as in flight, and `release` sends their responses."""
    stage.always(lambda request: Fault.hang() if request.number <= 4 else scores(1, 2, 3))
    async with httpx.AsyncClient(base_url=stage.base_url, headers=KEY) as client:
        calls = [asyncio.create_task(rerank(client)) for _ in range(4)]
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 4)
        stage.release()
        responses = await asyncio.gather(*calls)

    assert [response.status_code for response in responses] == [200] * 4
    assert (stage.in_flight, stage.in_flight_peak) == (0, 4)


async def test_cancelled_calls_are_noticed(stage):
    """A request that the client cancels is no longer in flight, with any scripted reply."""
    stage.script(Fault.hang(), Reply(delay=60), Fault.drip_body(60))
    async with httpx.AsyncClient(base_url=stage.base_url, headers=KEY) as client:
        calls = [asyncio.create_task(rerank(client)) for _ in range(3)]
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 3)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 0)

    assert len(stage.requests) == 3


def test_many_threads_get_responses(stage):
    """Each request of many threads gets the response with its own scores."""
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


def test_wait_until_raises_an_error_after_its_timeout(stage):
    """If the condition stays false, `wait_until` raises an error that shows the stage."""
    with pytest.raises(TimeoutError, match=r"not within 0\.01 s; the stage is <Stage: 0 requests"):
        stage.wait_until(lambda: False, timeout=0.01)


async def test_resetting_a_closed_connection_does_nothing():
    """Resetting a connection that is already closed raises no error."""
    reset = asyncio.get_running_loop().create_future()

    async def serve(reader, writer):
        connection = ServerConnection(reader, writer)
        connection.abort()
        await writer.wait_closed()
        connection.reset()
        reset.set_result(True)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await asyncio.wait_for(reset, timeout=5)
        writer.close()
