"""
A scripted OpenRouter on a loopback socket, for tests: real connections instead of a mock.

```python
import httpx

from openrouter_rerank.local.stage import Stage, error, scores

with Stage() as stage:
    stage.script(error(429, "Rate limit exceeded", retry_after=1), scores(0.1, 0.9))
    first, second = (
        httpx.post(
            f"{stage.base_url}/rerank",
            headers={"Authorization": f"Bearer {stage.api_key}"},
            json={"model": "cohere/rerank-v3.5", "query": "q", "documents": ["a", "b"]},
        )
        for _ in range(2)
    )
    assert first.headers["retry-after"] == "1"
    assert second.json()["results"][0]["index"] == 1
    assert stage.requests[1].documents == ["a", "b"]
```

A test calls `Stage.script` with replies to the next requests. A reply is a `Reply` (any HTTP
response), a `Fault` (a failure below HTTP), or a function of the request that returns one of them,
such as `scores(...)`. `Stage.requests` has what the server received.

`stage.py` has the class `Stage`. `reply_queue.py` keeps the scripted replies, `server_thread.py`
accepts the connections, and `server_connection.py` is the server's side of one connection.
"""

from openrouter_rerank.local.stage.fault import Fault
from openrouter_rerank.local.stage.recorded_request import RecordedRequest
from openrouter_rerank.local.stage.reply import Reply, error
from openrouter_rerank.local.stage.reply_queue import Scripted
from openrouter_rerank.local.stage.rerank_replies import answered_by, results, scores, word_overlap
from openrouter_rerank.local.stage.stage import Stage
from openrouter_rerank.local.stage.unreachable_address import refusing_address, unaccepting_address

__all__ = [
    "Fault",
    "RecordedRequest",
    "Reply",
    "Scripted",
    "Stage",
    "answered_by",
    "error",
    "refusing_address",
    "results",
    "scores",
    "unaccepting_address",
    "word_overlap",
]
