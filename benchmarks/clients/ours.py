"""Our three packages, used as their READMEs show."""

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

from benchmarks.task import KEY, AsyncCall, Call, Task
from benchmarks.workload import QUERY


def _options(task: Task) -> dict[str, Any]:
    return {
        "api_key": KEY,
        "base_url": task.base_url("openrouter"),
        "timeout": 120,
        "max_concurrency": max(8, task.in_flight),
    }


def _call_options(task: Task) -> dict[str, Any]:
    return {"model": task.workload.model, "top_n": task.workload.top_n}


def _documents(task: Task) -> list[Any]:
    load = task.workload
    if load.images:
        return [{"image": f"data:image/png;base64,{image}"} for image in load.base64_images()]
    return load.texts()


def _core(task: Task, **options: Any) -> Call:
    from openrouter_rerank import RerankClient

    client, documents = RerankClient(**_options(task), **options), _documents(task)
    call_options = _call_options(task)
    return lambda: len(client.rerank(QUERY, documents, **call_options).results)


def _core_async(task: Task, **options: Any) -> AsyncCall:
    from openrouter_rerank import AsyncRerankClient

    client, documents = AsyncRerankClient(**_options(task), **options), _documents(task)
    call_options = _call_options(task)

    async def call() -> int:
        return len((await client.rerank(QUERY, documents, **call_options)).results)

    return call


def core(task: Task) -> Call:
    """Call `RerankClient`."""
    return _core(task)


def core_async(task: Task) -> AsyncCall:
    """Call `AsyncRerankClient`."""
    return _core_async(task)


def core_rust(task: Task) -> Call:
    """Call `RerankClient` with an httpx client whose transport is written in Rust."""
    import httpx

    transport = import_module("pyreqwest.compatibility.httpx").SyncHttpxTransport()
    return _core(task, http_client=httpx.Client(transport=transport))


def core_rust_async(task: Task) -> AsyncCall:
    """Call `AsyncRerankClient` with an httpx client whose transport is written in Rust."""
    import httpx

    transport = import_module("pyreqwest.compatibility.httpx").HttpxTransport()
    return _core_async(task, http_client=httpx.AsyncClient(transport=transport))


def core_aiohttp_async(task: Task) -> AsyncCall:
    """Call `AsyncRerankClient` with an httpx client whose transport is aiohttp."""
    return _core_async(task, http_client=import_module("httpx_aiohttp").HttpxAiohttpClient())


def _langchain_documents(task: Task) -> list[Any]:
    from langchain_core.documents import Document

    if task.workload.images:
        return [Document(item["image"]) for item in _documents(task)]
    return [
        Document(text, metadata={"source": f"{index}.md", "page": index})
        for index, text in enumerate(_documents(task))
    ]


def langchain(task: Task) -> Call:
    """Call the document compressor without callbacks."""
    from langchain_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(**_options(task), **_call_options(task))
    documents = _langchain_documents(task)
    return lambda: len(reranker.compress_documents(documents, QUERY))


def langchain_async(task: Task) -> AsyncCall:
    """Call the document compressor without callbacks."""
    from langchain_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(**_options(task), **_call_options(task))
    documents = _langchain_documents(task)

    async def call() -> int:
        return len(await reranker.acompress_documents(documents, QUERY))

    return call


def langchain_untraced(task: Task) -> Call:
    """Call the document compressor without its search for callback handlers."""
    from langchain_openrouter_rerank import OpenRouterRerank, _calls, _tracing

    reranker = OpenRouterRerank(**_options(task), **_call_options(task))
    documents = _langchain_documents(task)
    module: Any = _calls
    original = module.traced

    def untraced(*_: object, **__: object) -> AbstractContextManager[_tracing.Outcome]:
        return nullcontext(_tracing.Outcome())

    def call() -> int:
        # This process also measures the unchanged compressor, in the blocks between.
        module.traced = untraced
        try:
            return len(reranker.compress_documents(documents, QUERY))
        finally:
            module.traced = original

    return call


def _nodes(task: Task) -> list[Any]:
    from llama_index.core.schema import ImageNode, NodeWithScore, TextNode

    load = task.workload
    if load.images:
        return [
            NodeWithScore(node=ImageNode(image=image, image_mimetype="image/png"), score=0.5)
            for image in load.base64_images()
        ]
    return [
        NodeWithScore(node=TextNode(text=text, metadata={"source": f"{index}.md", "page": index}))
        for index, text in enumerate(load.texts())
    ]


def llamaindex(task: Task) -> Call:
    """Call the node postprocessor."""
    from llamaindex_openrouter_rerank import OpenRouterRerank

    reranker, nodes = OpenRouterRerank(**_options(task), **_call_options(task)), _nodes(task)
    return lambda: len(reranker.postprocess_nodes(nodes, query_str=QUERY))


def llamaindex_async(task: Task) -> AsyncCall:
    """Call the node postprocessor."""
    from llamaindex_openrouter_rerank import OpenRouterRerank

    reranker, nodes = OpenRouterRerank(**_options(task), **_call_options(task)), _nodes(task)

    async def call() -> int:
        return len(await reranker.apostprocess_nodes(nodes, query_str=QUERY))

    return call
