"""The SDKs of OpenRouter, Cohere and Voyage, and LiteLLM."""

from importlib import import_module
from typing import Any

from benchmarks.task import KEY, AsyncCall, Call, Task
from benchmarks.workload import QUERY

# These packages are imported by name, because the type checkers' environment does not have them.


def _openrouter(task: Task) -> tuple[Any, dict[str, Any]]:
    sdk = import_module("openrouter").OpenRouter(
        api_key=KEY, server_url=task.base_url("openrouter"), timeout_ms=120_000
    )
    load = task.workload
    documents = (
        [{"image": f"data:image/png;base64,{image}"} for image in load.base64_images()]
        if load.images
        else load.texts()
    )
    arguments = {"model": load.model, "query": QUERY, "documents": documents, "top_n": load.results}
    return sdk.rerank, arguments


def openrouter(task: Task) -> Call:
    """Call OpenRouter's own SDK."""
    sdk, arguments = _openrouter(task)
    return lambda: len(sdk.rerank(**arguments).results)


def openrouter_async(task: Task) -> AsyncCall:
    """Call OpenRouter's own SDK."""
    sdk, arguments = _openrouter(task)

    async def call() -> int:
        return len((await sdk.rerank_async(**arguments)).results)

    return call


def _cohere_arguments(task: Task) -> dict[str, Any]:
    load = task.workload
    return {
        "model": "rerank-v3.5",
        "query": QUERY,
        "documents": load.texts(),
        "top_n": load.results,
    }


def cohere(task: Task) -> Call:
    """Call Cohere's SDK."""
    client = import_module("cohere").ClientV2(api_key=KEY, base_url=task.base_url("cohere"))
    arguments = _cohere_arguments(task)
    return lambda: len(client.rerank(**arguments).results)


def cohere_async(task: Task) -> AsyncCall:
    """Call Cohere's SDK."""
    client = import_module("cohere").AsyncClientV2(api_key=KEY, base_url=task.base_url("cohere"))
    arguments = _cohere_arguments(task)

    async def call() -> int:
        return len((await client.rerank(**arguments)).results)

    return call


def _voyage_arguments(task: Task) -> dict[str, Any]:
    load = task.workload
    return {
        "model": "rerank-2.5",
        "query": QUERY,
        "documents": load.texts(),
        "top_k": load.results,
    }


def voyageai(task: Task) -> Call:
    """Call Voyage's SDK."""
    client = import_module("voyageai").Client(api_key=KEY, base_url=task.base_url("voyage"))
    arguments = _voyage_arguments(task)
    return lambda: len(client.rerank(**arguments).results)


def voyageai_async(task: Task) -> AsyncCall:
    """Call Voyage's SDK."""
    client = import_module("voyageai").AsyncClient(api_key=KEY, base_url=task.base_url("voyage"))
    arguments = _voyage_arguments(task)

    async def call() -> int:
        return len((await client.rerank(**arguments)).results)

    return call


def _litellm_arguments(task: Task) -> dict[str, Any]:
    load = task.workload
    return {
        "model": "cohere/rerank-v3.5",
        "api_key": KEY,
        "api_base": f"{task.base_url('cohere')}/v2/rerank",
        "query": QUERY,
        "documents": load.texts(),
        "top_n": load.results,
    }


def litellm(task: Task) -> Call:
    """Call LiteLLM, with Cohere's API."""
    library, arguments = import_module("litellm"), _litellm_arguments(task)
    return lambda: len(library.rerank(**arguments).results)


def litellm_async(task: Task) -> AsyncCall:
    """Call LiteLLM, with Cohere's API."""
    library, arguments = import_module("litellm"), _litellm_arguments(task)

    async def call() -> int:
        return len((await library.arerank(**arguments)).results)

    return call
