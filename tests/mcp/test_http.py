"""The server over streamable HTTP: who may send requests, and how it ends."""

import asyncio
import signal
import socket

import httpx
import pytest
from openrouter_rerank.local.stage import Fault

from tests.mcp.conftest import HELLO

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from mcp import Client
from openrouter_rerank.mcp.http_server import serve_http
from openrouter_rerank.mcp.server import create_server

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
CALL = {"query": "q", "documents": ["a"]}


def post(url, message=HELLO, **headers):
    """Send a message as a browser could, and return the response."""
    accepted = {"accept": "application/json, text/event-stream"}
    return httpx.post(url, json=message, headers=accepted | headers, timeout=30)


@pytest.mark.parametrize(
    "origin", ["https://attacker.example", "null", "http://localhost.attacker.example", "file://"]
)
@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
def test_other_web_sites_are_refused(shared_url, origin, version):
    """A request with the origin of another site is refused, in each protocol."""
    headers = {"origin": origin, "mcp-protocol-version": version}

    assert post(shared_url, **headers).status_code == 403


@pytest.mark.parametrize("host", ["attacker.example", "attacker.example:80", "127.0.0.1.nip.io:9"])
@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
def test_other_host_names_are_refused(shared_url, host, version):
    """A request under a name that another site controls is refused (DNS rebinding)."""
    headers = {"host": host, "mcp-protocol-version": version}

    assert post(shared_url, **headers).status_code == 421


@pytest.mark.parametrize(
    "headers", [{}, {"origin": "http://localhost:6274"}, {"host": "localhost:1"}, {"host": "[::1]"}]
)
def test_pages_and_names_of_this_machine_are_accepted(shared_url, headers):
    """Programs and pages on this machine may call the server under each of its loopback names."""
    assert post(shared_url, **headers).status_code == 200


def test_a_browser_may_not_read_responses(shared_url):
    """No response allows pages of other origins to read it, and preflight requests are refused."""
    origin = {"origin": "http://localhost:6274"}
    response = post(shared_url, **origin)
    preflight = httpx.options(shared_url, headers=origin, timeout=30)

    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers
    assert preflight.status_code >= 400


def test_a_form_of_a_web_page_is_refused(shared_url):
    """A body that a page can send without asking, such as plain text, is refused."""
    response = httpx.post(shared_url, content=b"{}", headers={"content-type": "text/plain"})

    assert response.status_code >= 400


def test_a_body_above_the_limit_is_refused(shared_url):
    """A message that is larger than any valid call is refused before it is read."""
    with socket.create_connection(
        ("127.0.0.1", int(shared_url.split(":")[2].split("/")[0]))
    ) as tcp:
        tcp.sendall(
            b"POST /mcp HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: 64000001\r\n\r\n"
        )
        tcp.settimeout(30)
        assert tcp.recv(100).startswith(b"HTTP/1.1 413")


def test_only_this_machine_can_connect(shared_url):
    """By default the server listens on a loopback address."""
    assert shared_url.startswith("http://127.0.0.1:")


async def test_the_options_take_effect(start_http, stage):
    """
    The server warns of an open address, and keeps the allowed names, the model and the budget.

    The budget is that of the process: a client cannot spend what another one has spent.
    """
    options = "--host 0.0.0.0 --allowed-host Rerank.example --model cohere/rerank-4-fast"
    process, url = start_http(*options.split(), "--budget", "0.001")

    assert "there is no login" in process.stderr.readline()
    assert "--allowed-host" in process.stderr.readline()
    assert post(url).status_code == 200
    assert post(url, host="rerank.example", origin="https://rerank.example").status_code == 200
    assert post(url, host="attacker.example").status_code == 421
    async with Client(url) as one, Client(url, mode="legacy") as other:
        first = await one.call_tool("rerank", CALL)
        second = await other.call_tool("rerank", CALL)
    assert first.structured_content["model"] == "cohere/rerank-4-fast"
    assert second.is_error
    assert "the budget of $0.001 is spent" in second.content[0].text

    process.send_signal(signal.SIGTERM)

    assert "Traceback" not in process.communicate(timeout=60)[1]
    assert process.returncode == -signal.SIGTERM


async def test_ctrl_c_ends_the_server(start_http, stage):
    """Ctrl-C ends the server with status 130 and no traceback, during calls of each protocol."""
    process, url = start_http()
    stage.always(Fault.hang())
    calls = [asyncio.create_task(_call(url, protocol)) for protocol in ("legacy", "auto")]
    await asyncio.to_thread(stage.wait_until, lambda: stage.in_flight == 2, timeout=30)

    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.to_thread(process.communicate, timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in errors
    ended, waiting = await asyncio.wait(calls, timeout=60)
    assert not waiting
    assert all(call.exception() for call in ended)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:"),  # noqa: S104 - Nothing is served
        ("::", "http://[::1]:"),
        ("::1", "http://[::1]:"),
        ("localhost", "http://localhost:"),
    ],
)
def test_the_url_that_is_announced_can_be_reached(host, url):
    """The URL names an address that clients on this machine reach, also in IPv6."""
    if ":" in host and not socket.has_dualstack_ipv6():
        pytest.skip("this machine has no IPv6")
    announced = []

    def ready(url):
        announced.append(url)
        with socket.create_connection((httpx.URL(url).host, httpx.URL(url).port), timeout=30):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        serve_http(create_server(), host=host, port=0, ready=ready)
    assert announced[0].startswith(url)


async def _call(url, protocol):
    async with Client(url, mode=protocol) as client:
        await client.call_tool("rerank", CALL)
