"""What the tests inside LlamaIndex share: an index, language models on stage, a reranker."""

import json

import httpx
import pytest
from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, TextNode
from llama_index.llms.openrouter import OpenRouter
from llamaindex_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.local.stage import Reply, word_overlap

CITIES = ("Bread is baked.", "Rome is old.", "Paris is the capital of France.")


@pytest.fixture
def reranker(local_openrouter):
    """Return a function that makes a reranker which calls the stage."""

    def make(**options):
        return OpenRouterRerank(
            api_key=local_openrouter.api_key, base_url=local_openrouter.base_url, **options
        )

    return make


@pytest.fixture
def index():
    """A vector store whose embeddings know nothing, so that every order is the reranker's."""
    nodes = [TextNode(text=text, metadata={"at": at}) for at, text in enumerate(CITIES)]
    return VectorStoreIndex(nodes=nodes, embed_model=MockEmbedding(embed_dim=2))


class Listed(BaseRetriever):
    """A retriever that always finds the same nodes."""

    def __init__(self, nodes):
        self.found = nodes
        super().__init__()

    def _retrieve(self, query_bundle):
        return [NodeWithScore(node=node, score=0.5) for node in self.found]


@pytest.fixture
def retriever_of():
    """Return a function that makes a retriever which always finds the same nodes."""
    return Listed


class Actor:
    """Plays a language model on the stage: it says its lines, whatever it is told."""

    def __init__(self, stage, lines):
        self.stage = stage
        self.lines = iter(lines)
        self.told = []

    def model(self, **options):
        """Make OpenRouter's language model of LlamaIndex, played by this actor."""
        return OpenRouter(
            model="actor/model",
            api_key=self.stage.api_key,
            api_base=self.stage.base_url,
            is_function_calling_model=True,
            max_retries=0,
            # The model never closes its client, and the garbage collector may come after the
            # loop has gone: this one keeps no connection that anybody would have to close.
            async_http_client=httpx.AsyncClient(limits=httpx.Limits(max_keepalive_connections=0)),
            **options,
        )

    def __call__(self, request):
        """Answer a chat with the next line, and everything else as the stage does."""
        if not request.path.endswith("/chat/completions"):
            return word_overlap(request)
        self.told.append(request.json)
        line = next(self.lines)
        return _streamed(line) if request.json.get("stream") else _whole(line)


def _message(line):
    if isinstance(line, str):
        return {"role": "assistant", "content": line}
    call = {"name": line[0], "arguments": json.dumps(line[1])}
    calls = [{"index": 0, "id": "call-1", "type": "function", "function": call}]
    return {"role": "assistant", "content": "", "tool_calls": calls}


def _completion(kind, choice):
    return {
        "id": "gen-1",
        "object": kind,
        "created": 1,
        "model": "actor/model",
        "choices": [{"index": 0, "finish_reason": "stop"} | choice],
    }


def _whole(line):
    return Reply(body=_completion("chat.completion", {"message": _message(line)}))


def _streamed(line):
    chunk = _completion("chat.completion.chunk", {"delta": _message(line)})
    body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
    return Reply(body=body, headers={"content-type": "text/event-stream"})


@pytest.fixture
def acting(local_openrouter):
    """Return a function that has a language model say these lines: texts, or (tool, arguments)."""

    def act(*lines):
        actor = Actor(local_openrouter, lines)
        local_openrouter.always(actor)
        return actor

    return act
