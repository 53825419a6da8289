"""Calls through a proxy that the environment names, to a host that only the proxy can reach."""

import asyncio
import base64
import json
import threading
import time
import warnings
from urllib.parse import urlsplit

import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank.errors import APIConnectionError, DeadlineExceededError
from openrouter_rerank.local.stage import Fault, Stage

from tests.clients import OWN_CONNECTIONS, ClientKind
from tests.proxies import HOST, http_tunnel, proxy, socks_tunnel, trusted_tls
from tests.starvation import repeat_if_starved
from tests.suspended_coroutine import run_until


async def forging_tunnel(reader, writer):
    """Open a tunnel, and send a forged response in clear text before the TLS of the host."""
    await reader.readuntil(b"\r\n\r\n")
    opened = b"HTTP/1.1 200 Connected\r\n\r\n"
    body = json.dumps({"results": [{"index": 0, "relevance_score": 0.999}]}).encode()
    # The response begins after the first 64 KiB, which httpcore reads and drops with the head.
    writer.write(opened + b"x" * (65_536 - len(opened)))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    return f"{HOST}:443"


@pytest.fixture(scope="module")
def server_tls():
    """The TLS context of the host and the proxy, with a certificate that the clients trust."""
    with trusted_tls() as server:
        yield server


@pytest.fixture
def call(server_tls, use_proxy):
    """A function that makes consecutive calls through a proxy, and returns the targets."""

    def call(mode, scheme, handshake, *sizes):
        tls = server_tls if scheme == "https" else None
        with (
            Stage(tls=server_tls) as stage,
            proxy(handshake, urlsplit(stage.base_url).port, tls) as (port, targets),
            ClientKind(mode, None) as client_kind,
        ):
            use_proxy(f"{scheme}://127.0.0.1:{port}")
            client = client_kind.client(
                api_key=stage.api_key, base_url=f"https://{HOST}/api/v1", max_retries=0
            )
            for size in sizes:
                ranking = client.rerank("q", ["a" * size])
                assert (len(ranking.results), ranking.attempts) == (1, 1)
            assert client.models().is_live
        return targets

    return call


both_modes = pytest.mark.parametrize("mode", ["sync", "async"])


@both_modes
@pytest.mark.parametrize(
    ("scheme", "handshake"),
    [
        ("http", http_tunnel),
        ("https", http_tunnel),
        ("socks5", socks_tunnel),
        ("socks5h", socks_tunnel),
    ],
)
def test_calls_go_through_the_proxy(call, mode, scheme, handshake):
    """Consecutive small and large requests and a listing use one tunnel, with TLS to the host."""
    assert call(mode, scheme, handshake, 1, 3_000_000, 1) == [f"{HOST}:443"]


@both_modes
def test_a_forged_response_of_a_proxy_is_not_accepted(call, mode):
    """A response that the proxy itself sends in clear text is an `APIConnectionError`."""
    with pytest.raises(APIConnectionError):
        call(mode, "http", forging_tunnel, 1)


async def two_responses(connection, _):
    """Send a response that fills a TLS record, and in the same packet a second response."""
    first, second = (
        json.dumps({"results": [{"index": 0, "relevance_score": score}]}) for score in (0.5, 0.999)
    )
    head = "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
    size = 16_384 - len(head % 10_000)
    sent = head % size + first.ljust(size) + head % len(second) + second
    await connection.send(sent.encode())
    await connection.wait(None)


@both_modes
@pytest.mark.parametrize(
    ("scheme", "handshake"),
    [("http", http_tunnel), ("https", http_tunnel), ("socks5", socks_tunnel)],
)
def test_bytes_after_a_response_are_not_the_next_response(
    server_tls, use_proxy, mode, scheme, handshake
):
    """A tunnel on which bytes follow a response is closed, and the next call opens another one."""
    with Stage(tls=server_tls) as stage:
        stage.always(Fault(name="two responses", act=two_responses))
        tls = server_tls if scheme == "https" else None
        port = urlsplit(stage.base_url).port
        with proxy(handshake, port, tls) as (proxy_port, targets), ClientKind(mode, None) as kind:
            use_proxy(f"{scheme}://127.0.0.1:{proxy_port}")
            url = f"https://{HOST}/api/v1"
            client = kind.client(api_key=stage.api_key, base_url=url, max_retries=0)

            scores = [client.rerank("q", ["a"])[0].relevance_score for _ in range(3)]

    assert scores == [0.5] * 3
    assert len(targets) == 3


@both_modes
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("step", ["handshake", "response"])
@repeat_if_starved
def test_a_host_that_sends_single_bytes_takes_the_timeout(
    server_tls, use_proxy, mode, scheme, step
):
    """A host that sends its TLS byte by byte through a proxy keeps a call until its timeout."""
    is_slow = threading.Event()

    async def forward_slowly(reader, writer):
        while data := await reader.read(65_536):
            size = 1 if is_slow.is_set() else len(data)
            for start in range(0, len(data), size):
                writer.write(data[start : start + size])
                await asyncio.sleep(0.02 if is_slow.is_set() else 0)

    tls = server_tls if scheme == "https" else None
    with (
        Stage(tls=server_tls) as stage,
        proxy(http_tunnel, urlsplit(stage.base_url).port, tls, send_back=forward_slowly) as (
            port,
            _,
        ),
        ClientKind(mode, None) as kind,
    ):
        use_proxy(f"{scheme}://127.0.0.1:{port}")
        url = f"https://{HOST}/api/v1"
        client = kind.client(api_key=stage.api_key, base_url=url, max_retries=0)
        if step == "response":
            client.rerank("q", ["a"])
        is_slow.set()
        started = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            client.rerank("q", ["a"], timeout=0.3)
        seconds = time.monotonic() - started

    assert 0.25 < seconds < 0.3 + 0.5


@both_modes
@pytest.mark.parametrize("end", ["close", "cut", "damage"])
def test_a_response_that_ends_within_the_tls_of_a_proxy_is_lost(server_tls, use_proxy, mode, end):
    """If the TLS of the host ends early or is damaged within a proxy's, the connection is lost."""
    is_damaged = threading.Event()

    async def forward_or_damage(reader, writer):
        while data := await reader.read(65_536):
            writer.write(b"not TLS" if is_damaged.is_set() else data)
        writer.transport.abort()

    with (
        Stage(tls=server_tls) as stage,
        proxy(
            http_tunnel, urlsplit(stage.base_url).port, server_tls, send_back=forward_or_damage
        ) as (port, _),
        ClientKind(mode, None) as kind,
    ):
        use_proxy(f"https://127.0.0.1:{port}")
        url = f"https://{HOST}/api/v1"
        client = kind.client(api_key=stage.api_key, base_url=url, max_retries=0)
        client.rerank("q", ["a"])
        if end == "damage":
            is_damaged.set()
        else:
            stage.always(Fault.close() if end == "close" else Fault.cut())
        with pytest.raises(APIConnectionError, match="was lost") as caught:
            client.rerank("q", ["a"])

    assert caught.value.retryable


@OWN_CONNECTIONS
def test_a_request_in_plain_http_is_forwarded(client_kind, stage, use_proxy, monkeypatch):
    """An HTTP proxy gets a request to an http URL itself, with the login that it needs."""
    address = stage.base_url.removeprefix("http://").removesuffix("/api/v1")
    use_proxy("")
    monkeypatch.setenv("http_proxy", f"http://user:p%40ss@{address}")
    url = "http://gateway.example/api/v1"
    client = client_kind.client(base_url=url, api_key="k", allow_insecure_http=True)

    for _ in range(2):
        client.rerank("q", ["a"])

    request = stage.requests[1]
    assert (request.method, request.path) == ("POST", "http://gateway.example/api/v1/rerank")
    assert request.headers["host"] == "gateway.example"
    assert request.headers["authorization"] == "Bearer k"
    login = request.headers["proxy-authorization"].removeprefix("Basic ")
    assert base64.b64decode(login) == b"user:p@ss"
    assert stage.connections == 1


async def test_a_closed_call_closes_its_connection(server_tls, use_proxy):
    """Closing the coroutine of a call through a proxy closes the tunnel."""
    with Stage(tls=server_tls) as stage:
        stage.always(Fault.hang())
        with proxy(http_tunnel, urlsplit(stage.base_url).port, None) as (port, targets):
            use_proxy(f"http://127.0.0.1:{port}")
            async with AsyncRerankClient(
                api_key=stage.api_key, base_url=f"https://{HOST}/api/v1", max_retries=0
            ) as client:
                call = client.rerank("q", ["a"])
                await run_until(call, lambda: stage.in_flight == 1)

                with warnings.catch_warnings(record=True) as caught:
                    call.close()
                await asyncio.to_thread(stage.wait_until, lambda: stage.open_connections == 0)

    assert caught == []
    assert targets == [f"{HOST}:443"]
