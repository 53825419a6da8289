"""
A pytest fixture: a scripted OpenRouter on a loopback socket. It is installed with the package.

Where this package is installed, every pytest run imports this module. So it imports only pytest
until a test uses the fixture, and it is not in `openrouter_rerank`, whose import loads pydantic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openrouter_rerank.local.stage import Stage


@pytest.fixture
def local_openrouter() -> Iterator[Stage]:
    """
    Yield a scripted OpenRouter that listens on a separate loopback port, for one test.

    ```python
    import httpx

    from openrouter_rerank.local.stage import Stage, error


    def rerank(stage: Stage) -> httpx.Response:
        return httpx.post(
            f"{stage.base_url}/rerank",
            headers={"Authorization": f"Bearer {stage.api_key}"},
            json={
                "model": "cohere/rerank-v3.5",
                "query": "capital of France",
                "documents": ["Berlin, Germany", "Paris, capital of France"],
            },
        )


    def test_the_better_document_comes_first(local_openrouter: Stage) -> None:
        assert rerank(local_openrouter).json()["results"][0]["index"] == 1
        assert local_openrouter.requests[0].query == "capital of France"


    def test_a_scripted_error_is_sent_once(local_openrouter: Stage) -> None:
        local_openrouter.script(error(429, "Rate limit exceeded", retry_after=2))
        assert rerank(local_openrouter).headers["retry-after"] == "2"
        assert rerank(local_openrouter).status_code == 200
    ```
    """
    from openrouter_rerank.local.stage import Stage

    with Stage() as stage:
        yield stage
