"""Our three packages, as their pages say to use them."""

from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from typing import Any

from benchmarks.task import KEY, AsyncCall, Call, Task
from benchmarks.workload import QUERY


def _options(task: Task) -> dict[str, Any]:
    return {
        "api_key": KEY,
        "base_url": task.base("openrouter"),
        "timeout": 120,
        "max_concurrency": max(8, task.in_flight),
    }


def _asked(task: Task) -> dict[str, Any]:
    return {"model": task.workload.model, "top_n": task.workload.top_n}


def _documents(task: Task) -> list[Any]:
    load = task.workload
    if load.images:
        return [{"image": f"data:image/png;base64,{picture}"} for picture in load.pictures()]
    return load.texts()


def _core(task: Task, **options: Any) -> Call:
    from openrouter_rerank import RerankClient

    client, documents = RerankClient(**_options(task), **options), _documents(task)
    asked = _asked(task)
    return lambda: len(client.rerank(QUERY, documents, **asked).results)


def _core_async(task: Task, **options: Any) -> AsyncCall:
    from openrouter_rerank import AsyncRerankClient

    client, documents = AsyncRerankClient(**_options(task), **options), _documents(task)
    asked = _asked(task)

    async def call() -> int:
        return len((await client.rerank(QUERY, documents, **asked)).results)

    return call


def core(task: Task) -> Call:
    """Call the client for plain Python."""
    return _core(task)


def core_async(task: Task) -> AsyncCall:
    """Call the client for plain Python."""
    return _core_async(task)


def core_rust(task: Task) -> Call:
    """Call it with an httpx client on a transport written in Rust."""
    import httpx

    transport = import_module("pyreqwest.compatibility.httpx").SyncHttpxTransport()
    return _core(task, http_client=httpx.Client(transport=transport))


def core_rust_async(task: Task) -> AsyncCall:
    """Call it with an httpx client on a transport written in Rust."""
    import httpx

    transport = import_module("pyreqwest.compatibility.httpx").HttpxTransport()
    return _core_async(task, http_client=httpx.AsyncClient(transport=transport))


def core_aiohttp_async(task: Task) -> AsyncCall:
    """Call it with an httpx client on an aiohttp transport."""
    return _core_async(task, http_client=import_module("httpx_aiohttp").HttpxAiohttpClient())


def _langchain_documents(task: Task) -> list[Any]:
    from langchain_core.documents import Document

    if task.workload.images:
        return [Document(item["image"]) for item in _documents(task)]
    return [
        Document(text, metadata={"source": f"{at}.md", "page": at})
        for at, text in enumerate(_documents(task))
    ]


def langchain(task: Task) -> Call:
    """Call the document compressor, without callbacks."""
    from langchain_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(**_options(task), **_asked(task))
    documents = _langchain_documents(task)
    return lambda: len(reranker.compress_documents(documents, QUERY))


def langchain_async(task: Task) -> AsyncCall:
    """Call the document compressor, without callbacks."""
    from langchain_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(**_options(task), **_asked(task))
    documents = _langchain_documents(task)

    async def call() -> int:
        return len(await reranker.acompress_documents(documents, QUERY))

    return call


def langchain_untraced(task: Task) -> Call:
    """Call the compressor without looking for callback handlers."""
    from langchain_openrouter_rerank import OpenRouterRerank, _calls, _tracing

    reranker = OpenRouterRerank(**_options(task), **_asked(task))
    documents = _langchain_documents(task)
    calling: Any = _calls
    original = calling.traced

    def untraced(*_: object, **__: object) -> AbstractContextManager[_tracing.Outcome]:
        return nullcontext(_tracing.Outcome())

    def call() -> int:
        # The compressor as it is runs in this process too, in alternation with this one.
        calling.traced = untraced
        try:
            return len(reranker.compress_documents(documents, QUERY))
        finally:
            calling.traced = original

    return call


def _nodes(task: Task) -> list[Any]:
    from llama_index.core.schema import ImageNode, NodeWithScore, TextNode

    load = task.workload
    if load.images:
        return [
            NodeWithScore(node=ImageNode(image=picture, image_mimetype="image/png"), score=0.5)
            for picture in load.pictures()
        ]
    return [
        NodeWithScore(node=TextNode(text=text, metadata={"source": f"{at}.md", "page": at}))
        for at, text in enumerate(load.texts())
    ]


def llamaindex(task: Task) -> Call:
    """Call the node postprocessor."""
    from llamaindex_openrouter_rerank import OpenRouterRerank

    reranker, nodes = OpenRouterRerank(**_options(task), **_asked(task)), _nodes(task)
    return lambda: len(reranker.postprocess_nodes(nodes, query_str=QUERY))


def llamaindex_async(task: Task) -> AsyncCall:
    """Call the node postprocessor."""
    from llamaindex_openrouter_rerank import OpenRouterRerank

    reranker, nodes = OpenRouterRerank(**_options(task), **_asked(task)), _nodes(task)

    async def call() -> int:
        return len(await reranker.apostprocess_nodes(nodes, query_str=QUERY))

    return call
