"""
A scripted OpenRouter on a real loopback socket: the double that tests talk to instead of a mock.

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
"""

from openrouter_rerank.local.stage.address import refusing_address, unaccepting_address
from openrouter_rerank.local.stage.fault import Fault
from openrouter_rerank.local.stage.ranking import answered_by, results, scores, word_overlap
from openrouter_rerank.local.stage.reply import Reply, error
from openrouter_rerank.local.stage.request import RecordedRequest
from openrouter_rerank.local.stage.script import Scripted
from openrouter_rerank.local.stage.scripted import Stage

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
