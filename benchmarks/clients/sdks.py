"""The clients that OpenRouter, Cohere and Voyage offer for their own services, and LiteLLM."""

from importlib import import_module
from typing import Any

from benchmarks.task import KEY, AsyncCall, Call, Task
from benchmarks.workload import QUERY

# No type checker's environment has these packages, so they are imported by name.


def _openrouter(task: Task) -> tuple[Any, dict[str, Any]]:
    sdk = import_module("openrouter").OpenRouter(
        api_key=KEY, server_url=task.base("openrouter"), timeout_ms=120_000
    )
    load = task.workload
    documents = (
        [{"image": f"data:image/png;base64,{picture}"} for picture in load.pictures()]
        if load.images
        else load.texts()
    )
    asked = {"model": load.model, "query": QUERY, "documents": documents, "top_n": load.results}
    return sdk.rerank, asked


def openrouter(task: Task) -> Call:
    """Call OpenRouter's own SDK."""
    sdk, asked = _openrouter(task)
    return lambda: len(sdk.rerank(**asked).results)


def openrouter_async(task: Task) -> AsyncCall:
    """Call OpenRouter's own SDK."""
    sdk, asked = _openrouter(task)

    async def call() -> int:
        return len((await sdk.rerank_async(**asked)).results)

    return call


def _cohere_asked(task: Task) -> dict[str, Any]:
    load = task.workload
    return {
        "model": "rerank-v3.5",
        "query": QUERY,
        "documents": load.texts(),
        "top_n": load.results,
    }


def cohere(task: Task) -> Call:
    """Call Cohere's SDK."""
    client = import_module("cohere").ClientV2(api_key=KEY, base_url=task.base("cohere"))
    asked = _cohere_asked(task)
    return lambda: len(client.rerank(**asked).results)


def cohere_async(task: Task) -> AsyncCall:
    """Call Cohere's SDK."""
    client = import_module("cohere").AsyncClientV2(api_key=KEY, base_url=task.base("cohere"))
    asked = _cohere_asked(task)

    async def call() -> int:
        return len((await client.rerank(**asked)).results)

    return call


def _voyage_asked(task: Task) -> dict[str, Any]:
    load = task.workload
    return {
        "model": "rerank-2.5",
        "query": QUERY,
        "documents": load.texts(),
        "top_k": load.results,
    }


def voyageai(task: Task) -> Call:
    """Call Voyage's SDK."""
    client = import_module("voyageai").Client(api_key=KEY, base_url=task.base("voyage"))
    asked = _voyage_asked(task)
    return lambda: len(client.rerank(**asked).results)


def voyageai_async(task: Task) -> AsyncCall:
    """Call Voyage's SDK."""
    client = import_module("voyageai").AsyncClient(api_key=KEY, base_url=task.base("voyage"))
    asked = _voyage_asked(task)

    async def call() -> int:
        return len((await client.rerank(**asked)).results)

    return call


def _litellm_asked(task: Task) -> dict[str, Any]:
    load = task.workload
    return {
        "model": "cohere/rerank-v3.5",
        "api_key": KEY,
        "api_base": f"{task.base('cohere')}/v2/rerank",
        "query": QUERY,
        "documents": load.texts(),
        "top_n": load.results,
    }


def litellm(task: Task) -> Call:
    """Call LiteLLM, which asks Cohere's service."""
    library, asked = import_module("litellm"), _litellm_asked(task)
    return lambda: len(library.rerank(**asked).results)


def litellm_async(task: Task) -> AsyncCall:
    """Call LiteLLM, which asks Cohere's service."""
    library, asked = import_module("litellm"), _litellm_asked(task)

    async def call() -> int:
        return len((await library.arerank(**asked)).results)

    return call
