"""Fixtures of the tests with LlamaIndex: rerankers, an index, a retriever and a scripted LLM."""

import json

import httpx
import pytest
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import SubQuestionQueryEngine
from llama_index.core.question_gen.types import SubQuestion
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.core.tools import QueryEngineTool
from llama_index.llms.openrouter import OpenRouter
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.local.stage import Reply, word_overlap

from tests.passages import PASSAGES, QUERY


@pytest.fixture
def make_reranker(local_openrouter):
    """Return a function that makes a reranker which calls the local server."""

    def make(reranker_class=OpenRouterRerank, **options):
        return reranker_class(
            api_key=local_openrouter.api_key, base_url=local_openrouter.base_url, **options
        )

    return make


@pytest.fixture
def postprocess(mode):
    """Return a coroutine function that reranks nodes with the sync or the async method."""

    async def postprocess(reranker, nodes, *args, **query):
        if mode == "async":
            return await reranker.apostprocess_nodes(nodes, *args, **query)
        return reranker.postprocess_nodes(nodes, *args, **query)

    return postprocess


@pytest.fixture
def ask(mode):
    """Return a coroutine function that queries an engine with its sync or async method."""

    async def ask(engine, query=QUERY):
        return await engine.aquery(query) if mode == "async" else engine.query(query)

    return ask


@pytest.fixture
def index():
    """Return an index of passages with equal embeddings, so that only reranking orders them."""
    nodes = [
        TextNode(text=text, metadata={"position": position})
        for position, text in enumerate(PASSAGES)
    ]
    return VectorStoreIndex(nodes=nodes, embed_model=MockEmbedding(embed_dim=2))


@pytest.fixture
def make_tool(index):
    """Return a function that makes an agent's tool: a query engine with a reranker."""

    def make(reranker):
        engine = index.as_query_engine(
            llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker]
        )
        return QueryEngineTool.from_defaults(
            engine, name="cities", description="Answers questions about cities."
        )

    return make


class TwoQuestions:
    """A question generator that makes two questions of each query."""

    def generate(self, tools, query):
        """Return two questions to the only tool."""
        questions = (f"{query.query_str} {letter}" for letter in "ab")
        return [SubQuestion(sub_question=text, tool_name="cities") for text in questions]


@pytest.fixture
def sub_question_engine(make_reranker, make_tool):
    """Return an engine that makes a new event loop for each sync query, and reranks twice in it."""
    return SubQuestionQueryEngine.from_defaults(
        [make_tool(make_reranker(top_n=1))],
        llm=MockLLM(),
        question_gen=TwoQuestions(),
        use_async=True,
        verbose=False,
    )


class FixedRetriever(BaseRetriever):
    """A retriever that returns the same nodes for every query."""

    def __init__(self, nodes):
        self.nodes = nodes
        super().__init__()

    def _retrieve(self, query_bundle):
        return [NodeWithScore(node=node, score=0.5) for node in self.nodes]


@pytest.fixture
def make_retriever():
    """Return a function that makes a retriever which returns its nodes for every query."""
    return FixedRetriever


class ScriptedModel:
    """A language model on the local server: it sends scripted replies and records the requests."""

    def __init__(self, server, replies):
        self.server = server
        self.replies = iter(replies)
        self.requests = []

    def llm(self, **options):
        """Return LlamaIndex's LLM for OpenRouter, which calls this model."""
        return OpenRouter(
            model="scripted/model",
            api_key=self.server.api_key,
            api_base=self.server.base_url,
            is_function_calling_model=True,
            max_retries=0,
            # The LLM never closes its client. The garbage collector may do so after the event loop
            # has ended, and must find no open connection then.
            async_http_client=httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0)),
            **options,
        )

    def __call__(self, request):
        """Return the next reply to a chat request, or a ranking to a rerank request."""
        if not request.path.endswith("/chat/completions"):
            return word_overlap(request)
        self.requests.append(request.json)
        reply = next(self.replies)
        return _streamed(reply) if request.json.get("stream") else _complete(reply)


def _message(reply):
    if isinstance(reply, str):
        return {"role": "assistant", "content": reply}
    name, arguments = reply
    function = {"name": name, "arguments": json.dumps(arguments)}
    calls = [{"index": 0, "id": "call-1", "type": "function", "function": function}]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def _completion(kind, choice):
    return {
        "id": "gen-1",
        "object": kind,
        "created": 1,
        "model": "scripted/model",
        "choices": [{"index": 0, "finish_reason": "stop"} | choice],
    }


def _complete(reply):
    return Reply(body=_completion("chat.completion", {"message": _message(reply)}))


def _streamed(reply):
    chunk = _completion("chat.completion.chunk", {"delta": _message(reply)})
    body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
    # An LLM with its own client never closes it, and the lowest version of `openai` leaves its
    # connection open.
    headers = {"content-type": "text/event-stream", "connection": "close"}
    return Reply(body=body, headers=headers)


@pytest.fixture
def scripted_model(local_openrouter):
    """Return a function that scripts replies of a model: texts, or (tool, arguments) pairs."""

    def script(*replies):
        model = ScriptedModel(local_openrouter, replies)
        local_openrouter.always(model)
        return model

    return script
