"""Calls through a proxy that the environment names, to a host that only the proxy can reach."""

import asyncio
import json
import warnings
from urllib.parse import urlsplit

import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank.errors import APIConnectionError
from openrouter_rerank.local.stage import Fault, Stage

from tests.clients import ClientKind
from tests.proxies import HOST, http_tunnel, proxy, socks_tunnel, trusted_tls
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
def use_proxy(monkeypatch):
    """A function that sets the `https_proxy` variable, and clears `no_proxy`."""

    def use_proxy(url):
        monkeypatch.setenv("NO_PROXY", "")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("https_proxy", url)

    return use_proxy


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
