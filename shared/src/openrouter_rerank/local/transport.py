"""
The local service in process: an httpx transport, so that a client needs no server and no socket.

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

from openrouter_rerank.local.service import Answer, LocalOpenRouter


class LocalTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """
    Answers every request, to whatever host, with the local scorer. Nothing leaves the process.

    It may serve several clients, sync and async, at once. An event loop is not held up while it
    scores: that happens in a thread.
    """

    def __init__(self, service: LocalOpenRouter | None = None) -> None:
        """
        Prepare the service.

        Args:
            service: One with the installed scorers by default.

        Raises:
            ModuleNotFoundError: No scorer is installed; the message names the extra.
        """
        self._service = LocalOpenRouter() if service is None else service

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer in this thread."""
        return _response(self._answer(request, request.read()))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Answer in another thread; a cancelled call does not wait for it."""
        work = partial(self._answer, request, await request.aread())
        return _response(await anyio.to_thread.run_sync(work, abandon_on_cancel=True))

    def _answer(self, request: httpx.Request, body: bytes) -> Answer:
        path = request.url.raw_path.decode("ascii")
        return self._service.answer(request.method, path, request.headers, body)


def _response(answer: Answer) -> httpx.Response:
    # With `content=` httpx would read the body at once, and nobody could stream it any more.
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    return httpx.Response(answer.status, headers=headers, stream=httpx.ByteStream(answer.body))
