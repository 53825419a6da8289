"""
A rerank service on this machine, fast enough not to be what is measured.

It speaks the wires of OpenRouter, Cohere (v1 and v2) and Voyage, and echoes documents where they
do. The first request of a kind is read and answered; those after it, of the same path and length,
are counted and get the same answer. The path begins with `/WIRE/DELAY/FAULTS/`: milliseconds to
wait, and of how many requests one fails, by a 429 or by a reset in turn.
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
class Tally:
    """Counts what the service has seen."""

    connections: int = 0
    requests: int = 0
    open: int = 0
    most_open: int = 0
    answers: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def summary(self) -> dict[str, int]:
        """Return the counts, and begin a new peak of open connections."""
        seen = {
            "connections": self.connections,
            "requests": self.requests,
            "most_open": self.most_open,
        }
        self.most_open = self.open
        return seen


class Connection(asyncio.Protocol):
    """Answers the requests of one connection, one after the other."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._head = b""
        self._body: list[bytes] = []
        self._path = ""
        self._length = -1
        self._missing = 0
        self._line: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection."""
        if not isinstance(transport, asyncio.Transport):
            raise TypeError(transport)
        self._line = transport
        self._tally.connections += 1
        self._tally.open += 1
        self._tally.most_open = max(self._tally.most_open, self._tally.open)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Count the connection out."""
        self._tally.open -= 1
        self._line = None

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request, and answer when it is whole."""
        if self._length < 0:
            self._head += data
            head, end, data = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._begin(head)
        self._missing -= len(data)
        if (self._path, self._length) not in self._tally.answers:
            self._body.append(data)
        if self._missing <= 0:
            self._answer()

    def _begin(self, head: bytes) -> None:
        found = _LENGTH.search(head)
        self._path = head.split(b" ", 2)[1].decode()
        self._length = self._missing = int(found[1]) if found else 0
        self._head = b""

    def _answer(self) -> None:
        path, key = self._path, (self._path, self._length)
        answers, body, self._body, self._length = self._tally.answers, self._body, [], -1
        if path == "/tally":
            self._send(_reply(json.dumps(self._tally.summary()).encode()))
            return
        self._tally.requests += 1
        _, wire, delay, faults, *rest = path.split("/")
        if key not in answers:
            answers[key] = _reply(answer(wire, rest, b"".join(body)))
        if int(faults) and self._tally.requests % int(faults) == 0:
            self._fail(self._tally.requests // int(faults))
        elif int(delay):
            asyncio.get_running_loop().call_later(int(delay) / 1000, self._send, answers[key])
        else:
            self._send(answers[key])

    def _fail(self, turn: int) -> None:
        if turn % 2:
            self._send(_reply(_REFUSAL, "429 Too Many Requests"))
        elif self._line:
            self._line.abort()

    def _send(self, reply: bytes) -> None:
        if self._line:
            self._line.write(reply)


def _reply(body: bytes, status: str = "200 OK") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def answer(wire: str, rest: Sequence[str], body: bytes) -> bytes:
    """Write what the service of `wire` answers to a request."""
    asked: dict[str, Any] = json.loads(body)
    documents = asked["documents"]
    count = asked.get("top_n") or asked.get("top_k") or len(documents)
    order = random.Random(1).sample(range(len(documents)), min(count, len(documents)))
    rows: list[_Fields] = [
        {"index": index, "relevance_score": round(0.98765432 / (1 + place / 10), 8)}
        for place, index in enumerate(order)
    ]
    shape = "cohere-v2" if wire == "cohere" and "v2" in rest else wire
    return json.dumps(_ANSWERS[shape](asked, rows), ensure_ascii=False).encode()


def _openrouter(asked: _Fields, rows: list[_Fields]) -> _Fields:
    return {
        "id": "gen-rerank-1771999999-abcdefghijklmnopqrst",
        "model": "rerank-v3.5",
        "provider": "Cohere",
        "results": _echoed(asked, rows, bare=False),
        "usage": {"cost": 0.001, "search_units": 1},
    }


def _cohere_v1(asked: _Fields, rows: list[_Fields]) -> _Fields:
    echoes = asked.get("return_documents")
    return {
        "id": "1f0b0d0e-7b1e-4c3f-9c7e-5b7a2f7a1c11",
        "results": _echoed(asked, rows, bare=False) if echoes else rows,
        "meta": {"api_version": {"version": "1"}, "billed_units": {"search_units": 1}},
    }


def _cohere_v2(asked: _Fields, rows: list[_Fields]) -> _Fields:
    del asked
    return {
        "id": "1f0b0d0e-7b1e-4c3f-9c7e-5b7a2f7a1c11",
        "results": rows,
        "meta": {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}},
    }


def _voyage(asked: _Fields, rows: list[_Fields]) -> _Fields:
    echoes = asked.get("return_documents")
    return {
        "object": "list",
        "data": _echoed(asked, rows, bare=True) if echoes else rows,
        "model": asked.get("model"),
        "usage": {"total_tokens": 2500},
    }


def _echoed(asked: _Fields, rows: list[_Fields], *, bare: bool) -> list[_Fields]:
    documents = asked["documents"]

    def shown(document: object) -> object:
        return {"text": document} if isinstance(document, str) and not bare else document

    return [{"document": shown(documents[row["index"]]), **row} for row in rows]


_ANSWERS = {
    "openrouter": _openrouter,
    "cohere": _cohere_v1,
    "cohere-v2": _cohere_v2,
    "voyage": _voyage,
}


async def serve() -> None:
    """Serve on a free port, which is printed, until the standard input ends."""
    loop, tally = asyncio.get_running_loop(), Tally()
    server = await loop.create_server(lambda: Connection(tally), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(serve())
