"""The rerankers of Cohere and Voyage for LangChain and LlamaIndex."""

from importlib import import_module
from typing import Any

from benchmarks.task import KEY, AsyncCall, Call, Task
from benchmarks.workload import QUERY

# These packages are imported by name, because the type checkers' environment does not have them.


def _documents(task: Task) -> list[Any]:
    document = import_module("langchain_core.documents").Document
    return [
        document(text, metadata={"source": f"{index}.md", "page": index})
        for index, text in enumerate(task.workload.texts())
    ]


def _nodes(task: Task) -> list[Any]:
    schema = import_module("llama_index.core.schema")
    return [
        schema.NodeWithScore(
            node=schema.TextNode(text=text, metadata={"source": f"{index}.md", "page": index})
        )
        for index, text in enumerate(task.workload.texts())
    ]


def _compress_call(reranker: Any, task: Task) -> Call:
    documents = _documents(task)
    return lambda: len(reranker.compress_documents(documents, QUERY))


def _compress_call_async(reranker: Any, task: Task) -> AsyncCall:
    documents = _documents(task)

    async def call() -> int:
        return len(await reranker.acompress_documents(documents, QUERY))

    return call


def _postprocess_call(reranker: Any, task: Task) -> Call:
    nodes = _nodes(task)
    return lambda: len(reranker.postprocess_nodes(nodes, query_str=QUERY))


def _postprocess_call_async(reranker: Any, task: Task) -> AsyncCall:
    nodes = _nodes(task)

    async def call() -> int:
        return len(await reranker.apostprocess_nodes(nodes, query_str=QUERY))

    return call


def _langchain_cohere(task: Task) -> Any:
    return import_module("langchain_cohere").CohereRerank(
        model="rerank-v3.5",
        cohere_api_key=KEY,
        base_url=task.base_url("cohere"),
        top_n=task.workload.top_n,
    )


def _langchain_voyageai(task: Task) -> Any:
    return import_module("langchain_voyageai").VoyageAIRerank(
        model="rerank-2.5", api_key=KEY, base_url=task.base_url("voyage"), top_k=task.workload.top_n
    )


def _llamaindex_cohere(task: Task) -> Any:
    return import_module("llama_index.postprocessor.cohere_rerank").CohereRerank(
        model="rerank-v3.5",
        api_key=KEY,
        base_url=task.base_url("cohere"),
        # It needs a number, also for all results.
        top_n=task.workload.results,
    )


def _llamaindex_voyageai(task: Task) -> Any:
    reranker = import_module("llama_index.postprocessor.voyageai_rerank").VoyageAIRerank(
        model="rerank-2.5", api_key=KEY, top_n=task.workload.top_n
    )
    # The class has no option for the URL, so its client is replaced with one that has the URL.
    client = import_module("voyageai").Client(api_key=KEY, base_url=task.base_url("voyage"))
    reranker._client = client  # noqa: SLF001 - there is no public way to set the client
    return reranker


def langchain_cohere(task: Task) -> Call:
    """Call LangChain's reranker of Cohere."""
    return _compress_call(_langchain_cohere(task), task)


def langchain_cohere_async(task: Task) -> AsyncCall:
    """Call LangChain's reranker of Cohere. LangChain runs each call in a thread."""
    return _compress_call_async(_langchain_cohere(task), task)


def langchain_voyageai(task: Task) -> Call:
    """Call LangChain's reranker of Voyage."""
    return _compress_call(_langchain_voyageai(task), task)


def langchain_voyageai_async(task: Task) -> AsyncCall:
    """Call LangChain's reranker of Voyage."""
    return _compress_call_async(_langchain_voyageai(task), task)


def llamaindex_cohere(task: Task) -> Call:
    """Call LlamaIndex's reranker of Cohere."""
    return _postprocess_call(_llamaindex_cohere(task), task)


def llamaindex_cohere_async(task: Task) -> AsyncCall:
    """Call LlamaIndex's reranker of Cohere. LlamaIndex runs each call in a thread."""
    return _postprocess_call_async(_llamaindex_cohere(task), task)


def llamaindex_voyageai(task: Task) -> Call:
    """Call LlamaIndex's reranker of Voyage."""
    return _postprocess_call(_llamaindex_voyageai(task), task)


def llamaindex_voyageai_async(task: Task) -> AsyncCall:
    """Call LlamaIndex's reranker of Voyage. LlamaIndex runs each call in a thread."""
    return _postprocess_call_async(_llamaindex_voyageai(task), task)
