"""
A rerank service on this machine, so fast that the measurements are those of the clients.

It has the APIs of OpenRouter, Cohere (v1 and v2) and Voyage, and returns the documents where the
real API does. It parses only the first HTTP request of each path and length. It counts the
later ones and sends the same response.

A path begins with `/API/DELAY/FAULTS/`. `DELAY` is the time before each response, in milliseconds.
One HTTP request in `FAULTS` fails, in turn with a 429 or a reset connection. 0: none fails.
"""

import asyncio
import json
import random
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_Fields = dict[str, Any]
_REFUSAL = b'{"error":{"code":429,"message":"Rate limit exceeded"}}'


@dataclass(slots=True)
class Counts:
    """Counts connections and requests, and keeps the responses."""

    connections: int = 0
    requests: int = 0
    open: int = 0
    most_open: int = 0
    responses: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def summary(self) -> dict[str, int]:
        """Return the counts, and reset the peak of open connections."""
        summary = {
            "connections": self.connections,
            "requests": self.requests,
            "most_open": self.most_open,
        }
        self.most_open = self.open
        return summary


class Connection(asyncio.Protocol):
    """Responds to the requests of one connection, one after the other."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._head = b""
        self._body: list[bytes] = []
        self._path = ""
        self._length = -1
        self._missing = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._transport = transport
        self._counts.connections += 1
        self._counts.open += 1
        self._counts.most_open = max(self._counts.most_open, self._counts.open)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Count one open connection fewer."""
        self._counts.open -= 1
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Receive a part of a request, and respond when the request is complete."""
        if self._length < 0:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._begin(head)
        self._missing -= len(data)
        if (self._path, self._length) not in self._counts.responses:
            self._body.append(data)
        if self._missing <= 0:
            self._respond()

    def _begin(self, head: bytes) -> None:
        found = _LENGTH.search(head)
        self._path = head.split(b" ", 2)[1].decode()
        self._length = self._missing = int(found[1]) if found else 0
        self._head = b""

    def _respond(self) -> None:
        path, key = self._path, (self._path, self._length)
        responses, body, self._body, self._length = self._counts.responses, self._body, [], -1
        if path == "/counts":
            self._send(_http(json.dumps(self._counts.summary()).encode()))
            return
        self._counts.requests += 1
        _, api, delay, faults, *rest = path.split("/")
        if key not in responses:
            responses[key] = _http(response_body(api, rest, b"".join(body)))
        if int(faults) and self._counts.requests % int(faults) == 0:
            self._fail(self._counts.requests // int(faults))
        elif int(delay):
            asyncio.get_running_loop().call_later(int(delay) / 1000, self._send, responses[key])
        else:
            self._send(responses[key])

    def _fail(self, turn: int) -> None:
        if turn % 2:
            self._send(_http(_REFUSAL, "429 Too Many Requests"))
        elif self._transport:
            self._transport.abort()

    def _send(self, response: bytes) -> None:
        if self._transport:
            self._transport.write(response)


def _http(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def response_body(api: str, rest: Sequence[str], body: bytes) -> bytes:
    """Return the body with which `api` responds. `rest` is the rest of the request's path."""
    request: dict[str, Any] = json.loads(body)
    documents = request["documents"]
    count = request.get("top_n") or request.get("top_k") or len(documents)
    order = random.Random(1).sample(range(len(documents)), min(count, len(documents)))
    rows: list[_Fields] = [
        {"index": index, "relevance_score": round(0.98765432 / (1 + rank / 10), 8)}
        for rank, index in enumerate(order)
    ]
    version = "cohere-v2" if api == "cohere" and "v2" in rest else api
    return json.dumps(_APIS[version](request, rows), ensure_ascii=False).encode()


def _openrouter(request: _Fields, rows: list[_Fields]) -> _Fields:
    return {
        "id": "gen-rerank-1771999999-abcdefghijklmnopqrst",
        "model": "rerank-v3.5",
        "provider": "Cohere",
        "results": _with_documents(request, rows, bare=False),
        "usage": {"cost": 0.001, "search_units": 1},
    }


def _cohere_v1(request: _Fields, rows: list[_Fields]) -> _Fields:
    returns_documents = request.get("return_documents")
    return {
        "id": "1f0b0d0e-7b1e-4c3f-9c7e-5b7a2f7a1c11",
        "results": _with_documents(request, rows, bare=False) if returns_documents else rows,
        "meta": {"api_version": {"version": "1"}, "billed_units": {"search_units": 1}},
    }


def _cohere_v2(request: _Fields, rows: list[_Fields]) -> _Fields:
    del request
    return {
        "id": "1f0b0d0e-7b1e-4c3f-9c7e-5b7a2f7a1c11",
        "results": rows,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    }


def _voyage(request: _Fields, rows: list[_Fields]) -> _Fields:
    returns_documents = request.get("return_documents")
    return {
        "object": "list",
        "data": _with_documents(request, rows, bare=True) if returns_documents else rows,
        "model": request.get("model"),
        "usage": {"total_tokens": 2500},
    }


def _with_documents(request: _Fields, rows: list[_Fields], *, bare: bool) -> list[_Fields]:
    documents = request["documents"]

    def shown(document: object) -> object:
        return {"text": document} if isinstance(document, str) and not bare else document

    return [{"document": shown(documents[row["index"]]), **row} for row in rows]


_APIS = {
    "openrouter": _openrouter,
    "cohere": _cohere_v1,
    "cohere-v2": _cohere_v2,
    "voyage": _voyage,
}


async def serve() -> None:
    """Serve until the standard input ends, on a free port, which is printed."""
    loop, counts = asyncio.get_running_loop(), Counts()
    server = await loop.create_server(lambda: Connection(counts), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
