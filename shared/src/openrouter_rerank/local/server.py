"""
The local service as a server: an ASGI app, and a way to run it on this machine.
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

from openrouter_rerank.local.service import LocalOpenRouter


def app(service: LocalOpenRouter | None = None) -> ASGIApp:
    """
    Make the ASGI app, for any ASGI server.

    Args:
        service: One with the installed scorers by default.

    Raises:
        ModuleNotFoundError: No scorer is installed; the message names the extra.
    """
    return Starlette(routes=[Mount("/", app=_Shell(service or LocalOpenRouter()))])


def serve(
    host: str = "127.0.0.1", port: int = 8484, *, ready: Callable[[str], object] = print
) -> None:
    """
    Serve until interrupted.

    Args:
        host: Other machines are let in only where this says so.
        port: 0 takes any free one.
        ready: Is told the base URL as soon as requests are welcome.

    Raises:
        ModuleNotFoundError: No scorer is installed; the message names the extra.
        OSError: The address cannot be had.
    """
    serving = uvicorn.Server(
        uvicorn.Config(app(), http="h11", ws="none", lifespan="off", log_level="warning")
    )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listening:
        shown = f"[{host}]" if ":" in host else host
        ready(f"http://{shown}:{listening.getsockname()[1]}/api/v1")
        # Uvicorn raises the interrupt again after it has closed everything.
        with suppress(KeyboardInterrupt):
            serving.run(sockets=[listening])


class _Shell:
    """Carries requests of any method and path to the service, and its answers back."""

    def __init__(self, service: LocalOpenRouter) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        answer = await run_in_threadpool(
            self._service.answer,
            request.method,
            f"{request.url.path}?{request.url.query}",
            request.headers,
            await self._body(request),
        )
        response = Response(answer.body, status_code=answer.status, headers=answer.headers)
        await response(scope, receive, send)

    async def _body(self, request: Request) -> bytes:
        """Read to the end, so that the client hears the answer, but keep no more than needed."""
        kept = bytearray()
        async for chunk in request.stream():
            if len(kept) <= self._service.max_body_bytes:
                kept += chunk
        return bytes(kept)
