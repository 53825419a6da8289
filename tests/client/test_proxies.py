"""Calls through proxies, as the environment names them, to a host that only the proxy can reach."""

import asyncio
import json
import ssl
import threading
from concurrent.futures import Future
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
import trustme
from openrouter_rerank._transport import connect
from openrouter_rerank.errors import APIConnectionError
from openrouter_rerank.local.stage import Stage

from tests.client.shells import Shell

HOST = "gateway.example"


async def by_http(reader, writer):
    """Read the request for a tunnel, as HTTP has it; return whom it leads to."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    return head.split()[1].decode()


async def by_a_liar(reader, writer):
    """Open a tunnel, and say in clear text what is to be taken for the answer from its end."""
    await reader.readuntil(b"\r\n\r\n")
    opened = b"HTTP/1.1 200 Connected\r\n\r\n"
    body = json.dumps({"results": [{"index": 0, "relevance_score": 0.999}]}).encode()
    # As much as is read at a time stands before it, or it would be dropped with what was read.
    writer.write(opened + b"x" * (65_536 - len(opened)))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    return f"{HOST}:443"


async def by_socks(reader, writer):
    """Read the request for a tunnel, as SOCKS 5 has it (RFC 1928); return whom it leads to."""
    await reader.readexactly((await reader.readexactly(2))[1])
    writer.write(b"\x05\x00")
    *_, size = await reader.readexactly(5)
    host, port = await reader.readexactly(size), await reader.readexactly(2)
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
    return f"{host.decode()}:{int.from_bytes(port, 'big')}"


async def pump(reader, writer):
    """Pass on what comes, until the end."""
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
    """A proxy all of whose tunnels lead to `port`: its own port, and whom they were to lead to."""

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
    """The TLS context of the host and of the proxy, both of whom the environment trusts."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "127.0.0.1").configure_cert(server)
    with authority.cert_pem.tempfile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", file)
        # A process reads its certificates once.
        connect._certificates = connect._Certificates()  # noqa: SLF001 - a process of its own would cost
        yield server
    connect._certificates = connect._Certificates()  # noqa: SLF001


@pytest.fixture
def call(served, monkeypatch):
    """Makes calls through a proxy, after each other; the value is to whom it was to lead."""

    def call(colour, scheme, handshake, *sizes):
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        tls = served if scheme == "https" else None
        with (
            Stage(tls=served) as stage,
            proxy(handshake, urlsplit(stage.base_url).port, tls) as (port, tunnels),
            Shell(colour, None) as shell,
        ):
            monkeypatch.setenv("https_proxy", f"{scheme}://127.0.0.1:{port}")
            client = shell.client(
                api_key=stage.api_key, base_url=f"https://{HOST}/api/v1", max_retries=0
            )
            for size in sizes:
                ranking = client.rerank("q", ["a" * size])
                assert (len(ranking.results), ranking.attempts) == (1, 1)
        return tunnels

    return call


both = pytest.mark.parametrize("colour", ["sync", "async"])


@both
@pytest.mark.parametrize(
    ("scheme", "handshake"),
    [("http", by_http), ("https", by_http), ("socks5", by_socks), ("socks5h", by_socks)],
)
def test_calls_go_through_the_proxy(call, colour, scheme, handshake):
    """Small and large requests are answered, one after the other over one tunnel, within TLS."""
    assert call(colour, scheme, handshake, 1, 3_000_000, 1) == [f"{HOST}:443"]


@both
def test_what_a_proxy_says_in_clear_text_is_no_answer(call, colour):
    """A proxy cannot put an answer of its own before the TLS of the host, whose answer it is."""
    with pytest.raises(APIConnectionError):
        call(colour, "http", by_a_liar, 1)
