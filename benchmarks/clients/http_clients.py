"""The baseline, other HTTP clients that do the same work, and a socket without an HTTP client."""

import asyncio
import socket
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from benchmarks.task import KEY, AsyncCall, Call, Task
from benchmarks.workload import QUERY

_HEADERS = {"authorization": f"Bearer {KEY}", "content-type": "application/json"}


def body_of(task: Task) -> bytes:
    """Return the body of the request. It is written before the measurement."""
    import orjson

    load = task.workload
    documents = (
        [{"image": f"data:image/png;base64,{image}"} for image in load.base64_images()]
        if load.images
        else load.texts()
    )
    fields = {"model": load.model, "query": QUERY, "documents": documents, "top_n": load.results}
    return orjson.dumps(fields)


def _url(task: Task) -> str:
    return f"{task.base_url('openrouter')}/rerank"


def _post_call(client: Any, task: Task) -> Call:
    import orjson

    url, body = _url(task), body_of(task)

    def call() -> int:
        return len(orjson.loads(client.post(url, content=body).content)["results"])

    return call


def _post_call_async(client: Any, task: Task) -> AsyncCall:
    import orjson

    url, body = _url(task), body_of(task)

    async def call() -> int:
        return len(orjson.loads((await client.post(url, content=body)).content)["results"])

    return call


def baseline(task: Task) -> Call:
    """Post bytes with httpx and its default options, and parse the response with orjson."""
    import httpx

    return _post_call(httpx.Client(headers=_HEADERS, timeout=60), task)


def baseline_async(task: Task) -> AsyncCall:
    """Post bytes with httpx and its default options, and parse the response with orjson."""
    import httpx

    return _post_call_async(httpx.AsyncClient(headers=_HEADERS, timeout=60), task)


def httpx2(task: Task) -> Call:
    """Do the work of the baseline with httpx2."""
    return _post_call(import_module("httpx2").Client(headers=_HEADERS, timeout=60), task)


def httpx2_async(task: Task) -> AsyncCall:
    """Do the work of the baseline with httpx2."""
    return _post_call_async(import_module("httpx2").AsyncClient(headers=_HEADERS, timeout=60), task)


def pyreqwest(task: Task) -> Call:
    """Do the work of the baseline with a transport that is written in Rust."""
    import httpx

    transport = import_module("pyreqwest.compatibility.httpx").SyncHttpxTransport()
    return _post_call(httpx.Client(headers=_HEADERS, timeout=60, transport=transport), task)


def pyreqwest_async(task: Task) -> AsyncCall:
    """Do the work of the baseline with a transport that is written in Rust."""
    import httpx

    transport = import_module("pyreqwest.compatibility.httpx").HttpxTransport()
    client = httpx.AsyncClient(headers=_HEADERS, timeout=60, transport=transport)
    return _post_call_async(client, task)


def httpx_aiohttp_async(task: Task) -> AsyncCall:
    """Do the work of the baseline with an aiohttp transport and its default limits."""
    client = import_module("httpx_aiohttp").HttpxAiohttpClient(headers=_HEADERS, timeout=60)
    return _post_call_async(client, task)


def aiohttp_async(task: Task) -> AsyncCall:
    """Do the work of the baseline with aiohttp, without httpx."""
    import orjson

    aiohttp = import_module("aiohttp")
    url, body = _url(task), body_of(task)
    sessions: list[Any] = []

    async def call() -> int:
        if not sessions:
            connector = aiohttp.TCPConnector(limit=task.in_flight)
            sessions.append(aiohttp.ClientSession(headers=_HEADERS, connector=connector))
        async with sessions[0].post(url, data=body) as response:
            return len(orjson.loads(await response.read())["results"])

    return call


def _request(task: Task) -> tuple[str, int, bytes]:
    parts, body = urlsplit(_url(task)), body_of(task)
    head = {"host": parts.netloc, **_HEADERS, "content-length": len(body)}
    lines = [f"POST {parts.path} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    return str(parts.hostname), int(parts.port or 80), "\r\n".join([*lines, "", ""]).encode() + body


def raw_socket(task: Task) -> Call:
    """Write to and read from a socket, with only the parts of HTTP that the service needs."""
    import orjson

    host, port, request = _request(task)
    connection = socket.create_connection((host, port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader = connection.makefile("rb")

    def call() -> int:
        connection.sendall(request)
        length = 0
        while (header := reader.readline()) != b"\r\n":
            if header.startswith(b"content-length:"):
                length = int(header[15:])
            if not header:
                raise ConnectionResetError
        return len(orjson.loads(reader.read(length))["results"])

    return call


def raw_socket_async(task: Task) -> AsyncCall:
    """Write to and read from asyncio's streams, with one connection for each call in flight."""
    import orjson

    host, port, request = _request(task)
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def call() -> int:
        limit = 1 << 20
        pair = idle.pop() if idle else await asyncio.open_connection(host, port, limit=limit)
        reader, writer = pair
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.partition(b"content-length: ")[2].partition(b"\r")[0])
        body = await reader.readexactly(length)
        idle.append(pair)
        return len(orjson.loads(body)["results"])

    return call
