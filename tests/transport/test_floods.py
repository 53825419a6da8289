"""Responses of very many parts: they are refused, or other tasks of the loop get their turn."""

import asyncio
import time
from collections import Counter

import httpx
import httpx2
import pytest
from openrouter_rerank import APIConnectionError, AsyncRerankClient
from openrouter_rerank._attempt import Attempt
from openrouter_rerank._transport.bounds import Bounds, ResponseBuilder
from openrouter_rerank._transport.pool import AsyncPool
from openrouter_rerank._wire.endpoint import EncodedHeaders
from openrouter_rerank._wire.request import encode
from openrouter_rerank.local.stage import Fault

from tests.clients import OWN_CONNECTIONS, TLS

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@OWN_CONNECTIONS
def test_a_flood_of_informational_responses_is_refused(client_kind, stage):
    """Both clients end an exchange after a few informational responses."""
    stage.always(Fault.garbage(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 10_000))
    client = client_kind.client(base_url=stage.base_url, api_key="k", max_retries=0)

    with pytest.raises(APIConnectionError, match="too many informational responses"):
        client.rerank("q", ["a"])


class Turns:
    """Counts how many pieces of a body are read within each turn of the running event loop."""

    def __init__(self):
        self.pieces = Counter()
        self._turn = 0
        self._next()

    def _next(self):
        self._turn += 1
        asyncio.get_running_loop().call_soon(self._next)

    def count(self):
        """Count a piece."""
        self.pieces[self._turn] += 1


class CountingBuilder(ResponseBuilder):
    """Counts the pieces that are added."""

    def __init__(self, attempt, bounds):
        super().__init__(attempt, bounds)
        self.turns = Turns()

    def add(self, piece):
        """Count the piece."""
        self.turns.count()
        super().add(piece)


async def test_a_flood_of_chunks_does_not_block_the_loop(local_openrouter):
    """While a response of very many chunks is read, other tasks of the loop get their turn."""
    local_openrouter.always(Fault.garbage(CHUNKED + b"1\r\na\r\n" * 20_000 + b"0\r\n\r\n"))
    request = encode("m", "q", ("a",))
    attempt = Attempt(request=request, timeout=60.0)
    response = CountingBuilder(attempt, Bounds(time.monotonic(), 60.0, "", str))
    headers = EncodedHeaders([(b"Host", b"a"), (b"Content-Length", b"%d" % request.body.size)])
    pool = AsyncPool()
    connection, _ = await pool.take(local_openrouter.base_url, pool)

    await connection.exchange(
        f"{local_openrouter.base_url}/rerank", headers, request.body, response
    )
    await connection.aclose()

    assert response.turns.pieces.total() == 20_000
    assert max(response.turns.pieces.values()) <= 200


@pytest.mark.parametrize("library", [httpx, httpx2], ids=["httpx", "httpx2"])
async def test_a_flood_of_pieces_of_an_injected_client_does_not_block_the_loop(library):
    """A body of very many pieces from an injected client does not block the loop."""
    turns = Turns()

    class Body(library.AsyncByteStream):
        async def __aiter__(self):
            for _ in range(20_000):
                turns.count()
                yield b" "
            yield b'{"results": [{"index": 0, "relevance_score": 1}]}'

    def handler(request):
        return library.Response(200, stream=Body())

    transport = library.MockTransport(handler)
    async with library.AsyncClient(transport=transport, verify=TLS) as injected:
        client = AsyncRerankClient(http_client=injected, api_key="k")
        ranking = await client.rerank("q", ["a"])

    assert len(ranking) == 1
    assert turns.pieces.total() == 20_000
    assert max(turns.pieces.values()) <= 101
