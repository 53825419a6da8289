"""Calls through the proxies of the environment, to a host that only the proxy can reach."""

import asyncio
import json
import ssl
import threading
import warnings
from concurrent.futures import Future
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import trustme
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank._transport import connect
from openrouter_rerank.errors import APIConnectionError
from openrouter_rerank.local.stage import Fault, Stage

from tests.clients import ClientKind
from tests.closed_coroutines import begun

HOST = "gateway.example"


async def by_http(reader, writer):
    """Read an HTTP request for a tunnel; return the host and port that it names."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    return head.split()[1].decode()


async def by_a_liar(reader, writer):
    """Open a tunnel, and send a forged response in clear text before the TLS of the host."""
    await reader.readuntil(b"\r\n\r\n")
    opened = b"HTTP/1.1 200 Connected\r\n\r\n"
    body = json.dumps({"results": [{"index": 0, "relevance_score": 0.999}]}).encode()
    # The response begins after the first 64 KiB, which httpcore reads and drops with the head.
    writer.write(opened + b"x" * (65_536 - len(opened)))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    return f"{HOST}:443"


async def by_socks(reader, writer):
    """Read a SOCKS 5 request (RFC 1928) for a tunnel; return the host and port that it names."""
    await reader.readexactly((await reader.readexactly(2))[1])
    writer.write(b"\x05\x00")
    *_, size = await reader.readexactly(5)
    host, port = await reader.readexactly(size), await reader.readexactly(2)
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
    return f"{host.decode()}:{int.from_bytes(port, 'big')}"


async def pump(reader, writer):
    """Forward bytes until the connection ends."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


@contextmanager
def proxy(handshake, port, tls):
    """A proxy whose tunnels all lead to `port`; the value is its port and the requested targets."""

    async def serve(reader, writer):
        tunnels.append(await handshake(reader, writer))
        onward_reader, onward_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, onward_writer), pump(onward_reader, writer))

    async def run():
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
            listening = server.sockets[0].getsockname()[1]
            ready.set_result((listening, lambda: loop.call_soon_threadsafe(ended.set)))
            await ended.wait()

    tunnels, ready = [], Future()
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    listening, end = ready.result()
    try:
        yield listening, tunnels
    finally:
        end()
        thread.join()


@pytest.fixture(scope="module")
def served():
    """The TLS context of the host and of the proxy; the environment trusts its certificate."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "127.0.0.1").configure_cert(server)
    with authority.cert_pem.tempfile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", file)
        # A process reads its certificates once.
        connect._certificates = connect._Certificates()  # noqa: SLF001 - a separate process would be slow
        yield server
    connect._certificates = connect._Certificates()  # noqa: SLF001


@pytest.fixture
def proxied(monkeypatch):
    """A function that names a proxy for https in the environment."""

    def proxied(url):
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("https_proxy", url)

    return proxied


@pytest.fixture
def call(served, proxied):
    """Makes calls through a proxy, one after another; returns the requested targets."""

    def call(mode, scheme, handshake, *sizes):
        tls = served if scheme == "https" else None
        with (
            Stage(tls=served) as stage,
            proxy(handshake, urlsplit(stage.base_url).port, tls) as (port, tunnels),
            ClientKind(mode, None) as client_kind,
        ):
            proxied(f"{scheme}://127.0.0.1:{port}")
            client = client_kind.client(
                api_key=stage.api_key, base_url=f"https://{HOST}/api/v1", max_retries=0
            )
            for size in sizes:
                ranking = client.rerank("q", ["a" * size])
                assert (len(ranking.results), ranking.attempts) == (1, 1)
        return tunnels

    return call


both = pytest.mark.parametrize("mode", ["sync", "async"])


@both
@pytest.mark.parametrize(
    ("scheme", "handshake"),
    [("http", by_http), ("https", by_http), ("socks5", by_socks), ("socks5h", by_socks)],
)
def test_calls_go_through_the_proxy(call, mode, scheme, handshake):
    """Small and large requests get responses over one tunnel, one after another, within TLS."""
    assert call(mode, scheme, handshake, 1, 3_000_000, 1) == [f"{HOST}:443"]


@both
def test_what_a_proxy_sends_in_clear_text_is_no_response(call, mode):
    """A response that a proxy sends in clear text is not read as the response of the host."""
    with pytest.raises(APIConnectionError):
        call(mode, "http", by_a_liar, 1)


async def test_a_closed_call_closes_its_connection(served, proxied):
    """A coroutine that is closed during a call through a proxy closes its tunnel."""
    with Stage(tls=served) as stage:
        stage.always(Fault.hang())
        with proxy(by_http, urlsplit(stage.base_url).port, None) as (port, tunnels):
            proxied(f"http://127.0.0.1:{port}")
            async with AsyncRerankClient(
                api_key=stage.api_key, base_url=f"https://{HOST}/api/v1", max_retries=0
            ) as client:
                call = client.rerank("q", ["a"])
                await begun(call, lambda: stage.in_flight == 1)

                with warnings.catch_warnings(record=True) as caught:
                    call.close()
                await asyncio.to_thread(stage.wait_until, lambda: stage.open_connections == 0)

    assert caught == []
    assert tunnels == [f"{HOST}:443"]
