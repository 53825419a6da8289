"""
The time of a call to `openrouter-rerank serve`, compared with a bare Starlette app.

`python -m benchmarks.local_service SERVER` runs one of the two servers, and prints its URL. Both
use Uvicorn with the same options. The app sends one response again and again, so the difference is
the work of the local service, and the thread that it does this work in.
"""

import json
import socket
import sys
import time
from contextlib import closing
from http.client import HTTPConnection
from statistics import median
from urllib.parse import urlsplit

from .processes import ClientFailedError, Process, python_of
from .task import KEY

NAME = "openrouter-rerank serve"
_CALLS = 50
_HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}
_BODY = json.dumps(
    {
        "model": "local/lexical",
        "query": "capital of France",
        "documents": ["Berlin is in Germany.", "Paris is the capital of France."],
    }
).encode()


def ratio(*, rounds: int) -> float:
    """
    Return the time of a call to the local service, as a multiple of that to the bare app.

    Each connection is used for all calls. The result is the median of the ratios of `rounds` pairs
    of blocks.

    Raises:
        ClientFailedError: If a server does not answer with status 200.
    """
    python = python_of("clients")
    with (
        Process(python, "benchmarks.local_service", "bare", core=1) as bare,
        Process(python, "benchmarks.local_service", "local", core=1) as local,
        closing(_connection(bare)) as to_bare,
        closing(_connection(local)) as to_local,
    ):
        for connection in (to_bare, to_local):
            _seconds(connection)
        pairs = [(_seconds(to_bare), _seconds(to_local)) for _ in range(rounds)]
    return median(measured / baseline for baseline, measured in pairs)


def _connection(server: Process) -> HTTPConnection:
    url = urlsplit(server.read_line().strip())
    return HTTPConnection("127.0.0.1", url.port or 0)


def _seconds(connection: HTTPConnection) -> float:
    """Make a block of calls, and return the seconds that it took."""
    start = time.perf_counter()
    for _ in range(_CALLS):
        connection.request("POST", "/api/v1/rerank", _BODY, _HEADERS)
        response = connection.getresponse()
        response.read()
        if response.status != 200:
            raise ClientFailedError(f"{NAME}: status {response.status}")
    return time.perf_counter() - start


def _print(url: str) -> None:
    print(url, flush=True)


def _serve_bare_app() -> None:
    import uvicorn
    from openrouter_rerank.local.endpoint import LocalOpenRouter
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    content = LocalOpenRouter().handle("POST", "/api/v1/rerank", _HEADERS, _BODY).body

    async def answer(request: Request) -> Response:
        await request.body()
        return Response(content, media_type="application/json")

    app = Starlette(routes=[Route("/api/v1/rerank", answer, methods=["POST"])])
    config = uvicorn.Config(app, http="h11", ws="none", lifespan="off", log_level="warning")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _print(f"http://127.0.0.1:{listener.getsockname()[1]}")
        uvicorn.Server(config).run(sockets=[listener])


def _serve_local_service() -> None:
    from openrouter_rerank.local.http_server import serve

    serve(port=0, ready=_print)


if __name__ == "__main__":
    {"bare": _serve_bare_app, "local": _serve_local_service}[sys.argv[1]]()
