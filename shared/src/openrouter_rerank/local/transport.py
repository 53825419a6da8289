"""
The local service as an httpx transport: a client needs no server and no socket.

```python
import httpx

from openrouter_rerank.local.transport import LocalTransport

with httpx.Client(transport=LocalTransport()) as client:
    response = client.post(
        "https://openrouter.ai/api/v1/rerank",
        headers={"Authorization": "Bearer any"},
        json={
            "model": "cohere/rerank-v3.5",
            "query": "capital of France",
            "documents": ["Berlin is in Germany.", "Paris is the capital of France."],
        },
    )
assert response.json()["results"][0]["index"] == 1
assert response.json()["provider"] == "local scorer (not OpenRouter)"
```
"""

from functools import partial

import anyio.to_thread
import httpx

from openrouter_rerank.local.endpoint import LocalOpenRouter, LocalResponse


class LocalTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """
    Answers every request, to any host, with the local scorer. Nothing leaves the process.

    Several clients, sync and async, may use one transport at the same time. For async clients the
    scorer runs in a thread, so that it does not block the event loop.
    """

    def __init__(self, service: LocalOpenRouter | None = None) -> None:
        """
        Create a transport.

        Args:
            service: By default, one with the installed scorers.

        Raises:
            ModuleNotFoundError: If no scorer is installed; the message names the extra.
        """
        self._service = LocalOpenRouter() if service is None else service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response, computed in this thread."""
        return _httpx_response(self._handle(request, request.read()))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response, computed in a thread. A cancelled call does not wait for it."""
        work = partial(self._handle, request, await request.aread())
        return _httpx_response(await anyio.to_thread.run_sync(work, abandon_on_cancel=True))

    def _handle(self, request: httpx.Request, body: bytes) -> LocalResponse:
        path = request.url.raw_path.decode("ascii")
        return self._service.handle(request.method, path, request.headers, body)


def _httpx_response(response: LocalResponse) -> httpx.Response:
    # With `content=`, httpx would read the body immediately, and users could no longer stream it.
    headers = {**response.headers, "content-length": str(len(response.body))}
    return httpx.Response(response.status, headers=headers, stream=httpx.ByteStream(response.body))
