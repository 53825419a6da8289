"""The fixtures that run a test with both framework packages, in sync and async."""

import copy

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llama_index.core.schema import ImageNode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank


class LangChain:
    """LangChain's documents as items, and the document compressor that reranks them."""

    reranker_class = LangChainRerank

    def item(self, name, text="", *, image_path=None, score=None):
        """Return a document. `score` is the score of an earlier ranking."""
        metadata = {"topic": name}
        if image_path is not None:
            metadata["image_path"] = image_path
        if score is not None:
            metadata["relevance_score"] = score
        return Document(id=name, page_content=text, metadata=metadata)

    def rerank(self, reranker, items, query):
        """Rerank in a sync call."""
        return reranker.compress_documents(items, query)

    async def arerank(self, reranker, items, query):
        """Rerank in an async call."""
        return await reranker.acompress_documents(items, query)

    def names_and_scores(self, items):
        """Return the name and the score of each item."""
        return [(item.id, item.metadata.get("relevance_score")) for item in items]

    def dumps_without_scores(self, items):
        """Return everything in each item but its score."""
        dumps = self.dumps(items)
        for dump in dumps:
            dump["metadata"].pop("relevance_score", None)
        return dumps

    def dumps(self, items):
        """Return everything in each item."""
        return [item.model_dump() for item in items]


class LlamaIndex:
    """LlamaIndex's nodes as items, and the node postprocessor that reranks them."""

    reranker_class = LlamaIndexRerank

    def item(self, name, text="", *, image_path=None, score=None):
        """Return a node. `score` is the score of an earlier ranking."""
        if image_path is None:
            node = TextNode(id_=name, text=text)
        else:
            node = ImageNode(id_=name, text=text, image_path=image_path)
        return NodeWithScore(node=node, score=score)

    def rerank(self, reranker, items, query):
        """Rerank in a sync call."""
        return reranker.postprocess_nodes(items, query_str=query)

    async def arerank(self, reranker, items, query):
        """Rerank in an async call."""
        return await reranker.apostprocess_nodes(items, query_str=query)

    def names_and_scores(self, items):
        """Return the name and the score of each item."""
        return [(item.node.node_id, item.score) for item in items]

    def dumps_without_scores(self, items):
        """Return everything in each item but its score."""
        return [item.node.to_dict() for item in items]

    def dumps(self, items):
        """Return everything in each item."""
        return [item.to_dict() for item in items]


FRAMEWORKS = {"langchain": LangChain, "llamaindex": LlamaIndex}


class Pipeline:
    """Reranking with one framework package, in sync or async, with the local service."""

    def __init__(self, framework, mode, service):
        self.framework = framework
        self.mode = mode
        self.service = service

        self.reranker_class = framework.reranker_class
        self.item, self.names_and_scores = framework.item, framework.names_and_scores
        self.dumps = framework.dumps
        self.dumps_without_scores = framework.dumps_without_scores

    def reranker(self, **options):
        """Return a reranker of the local service with the given options."""
        connection = {"api_key": self.service.api_key, "base_url": self.service.base_url}
        return self.reranker_class(**(connection | options))

    def items(self, *texts):
        """Return an item for each text. The names are the positions: `0`, `1` and so on."""
        return [self.item(str(position), text) for position, text in enumerate(texts)]

    async def rerank(self, reranker, items, query="capital of France"):
        """Rerank in a sync or async call, and return the resulting items."""
        if self.mode == "sync":
            return self.framework.rerank(reranker, items, query)
        return await self.framework.arerank(reranker, items, query)

    async def names(self, reranker, items, query="capital of France"):
        """Rerank, and return the names of the resulting items."""
        result = await self.rerank(reranker, items, query)
        return [name for name, _ in self.names_and_scores(result)]


@pytest.fixture(params=FRAMEWORKS)
def framework(request):
    """Each framework in turn."""
    return FRAMEWORKS[request.param]()


@pytest.fixture
def reranker(framework, local_openrouter):
    """A reranker of each framework in turn, which calls the local service."""
    return framework.reranker_class(
        api_key=local_openrouter.api_key, base_url=local_openrouter.base_url
    )


@pytest.fixture
def pipeline(framework, mode, local_openrouter):
    """Each framework in turn, in sync and async."""
    return Pipeline(framework, mode, local_openrouter)


COPIES = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "model_copy": lambda reranker: reranker.model_copy(),
    "model_copy deep": lambda reranker: reranker.model_copy(deep=True),
}


@pytest.fixture(params=COPIES)
def copied(request):
    """Each function that copies a reranker in turn."""
    return COPIES[request.param]
