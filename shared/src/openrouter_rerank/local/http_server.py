"""
The local service over HTTP: an ASGI app, and a function that serves it on this machine.
"""

import socket
from collections.abc import Callable
from contextlib import suppress

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from openrouter_rerank.local.endpoint import LocalOpenRouter

_LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - Nothing is bound here


def app(service: LocalOpenRouter | None = None) -> ASGIApp:
    """
    Return the local service as an ASGI app, for any ASGI server.

    Args:
        service: By default, one with the installed scorers.

    Raises:
        ModuleNotFoundError: If no scorer is installed; the message names the extra.
    """
    return Starlette(routes=[Mount("/", app=_ASGIApp(service or LocalOpenRouter()))])


def serve(
    host: str = "127.0.0.1", port: int = 8484, *, ready: Callable[[str], object] = print
) -> None:
    """
    Serve the local service until it is interrupted.

    Args:
        host: The address to listen on. The default accepts connections from this machine only.
        port: The port to listen on. 0 takes any free port.
        ready: Called with the base URL as soon as clients can connect.

    Raises:
        ModuleNotFoundError: If no scorer is installed; the message names the extra.
        OSError: If the address is not available.
    """
    # `app()` is not used, because the layers of Starlette around the service would only take time
    # here.
    service = _ASGIApp(LocalOpenRouter())
    server = uvicorn.Server(
        uvicorn.Config(service, http="h11", ws="none", lifespan="off", log_level="warning")
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        # Accepted connections inherit it. Without it, the end of a response waits until the client
        # has acknowledged its beginning, which takes 40 ms on a connection that is used again.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # No client connects to an address that stands for all addresses of the machine.
        url_host = _LOOPBACK.get(host, f"[{host}]" if ":" in host else host)
        ready(f"http://{url_host}:{listener.getsockname()[1]}/api/v1")
        # Uvicorn raises the interrupt again after it has closed everything.
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


class _ASGIApp:
    """Passes requests of any method and path to the service, and sends its responses."""

    def __init__(self, service: LocalOpenRouter) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        local_response = await run_in_threadpool(
            self._service.handle,
            request.method,
            # `request.url` would parse the whole URL, which takes as long as reading the request.
            f"{scope['path']}?{scope['query_string'].decode('latin-1')}",
            request.headers,
            await self._body(request),
        )
        response = Response(
            local_response.body, status_code=local_response.status, headers=local_response.headers
        )
        await response(scope, receive, send)

    async def _body(self, request: Request) -> bytes:
        """
        Read the body to its end, and keep only as much as the service needs.

        A client that is still sending its body might not read a response that comes before the end.
        """
        kept = bytearray()
        async for chunk in request.stream():
            if len(kept) <= self._service.max_body_bytes:
                kept += chunk
        return bytes(kept)
