"""
Runs the server over streamable HTTP, with the checks that keep web pages away from it.

A web page can send requests to servers on the machine of its reader, also under a host name that it
controls (DNS rebinding). So a request is refused if its `Host` is not one that the server is known
by, or if its `Origin` is another site.

The server keeps sessions, because a client of an older protocol cancels a call with a second
request that refers to the first. Clients of the newest protocol use no sessions: they cancel a call
when they close its connection. For that, responses are streams and not plain JSON.
"""

import logging
import socket
from collections.abc import Callable, Sequence
from typing import TypeVar

import uvicorn
from mcp.server import Server
from mcp.server.transport_security import TransportSecuritySettings

StateT = TypeVar("StateT")

_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
# Addresses that stand for all addresses of the machine, and one by which a client reaches each.
_ALL_ADDRESSES = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - Nothing is bound here
_PATH = "/mcp"
# Four bytes for each character that `rerank` accepts, because most JSON writers escape some.
_MOST_BYTES = 64_000_000
# Seconds that calls in progress have to end after Ctrl-C. Streams of clients never end otherwise.
_GRACE = 1


def serve_http(
    server: Server[StateT],
    *,
    host: str,
    port: int,
    allowed_hosts: Sequence[str] = (),
    ready: Callable[[str], object],
) -> None:
    """
    Serve until the process is interrupted.

    Args:
        server: The server.
        host: The address to listen on.
        port: The port to listen on. 0 takes any free port.
        allowed_hosts: More names by which clients reach the server.
        ready: Called with the URL as soon as clients can connect.

    Raises:
        KeyboardInterrupt: If the process is interrupted by Ctrl-C.
        OSError: If the address is not available.
    """
    reachable = _ALL_ADDRESSES.get(host, f"[{host}]" if ":" in host else host)
    app = server.streamable_http_app(
        streamable_http_path=_PATH,
        max_request_body_size=_MOST_BYTES,
        transport_security=_security([*_LOOPBACK, reachable, *allowed_hosts]),
    )
    config = uvicorn.Config(
        app, http="h11", ws="none", log_level="warning", timeout_graceful_shutdown=_GRACE
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ready(f"http://{reachable}:{listener.getsockname()[1]}{_PATH}")
        _Server(config).run(sockets=[listener])


class _Server(uvicorn.Server):
    """A server that logs no traceback for each call that its end interrupts."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
        await super().shutdown(sockets)


def _security(names: Sequence[str]) -> TransportSecuritySettings:
    # Without a port, for servers on port 80 or behind a proxy.
    hosts = [each for name in names for each in (name, f"{name}:*")]
    origins = [f"{scheme}://{each}" for scheme in ("http", "https") for each in hosts]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=origins
    )
