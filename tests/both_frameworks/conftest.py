"""One harness for both framework classes, so that what both promise is written down once."""

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llama_index.core.schema import ImageNode, NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank


class LangChain:
    """LangChain's documents and the compressor that reranks them."""

    reranker_class = LangChainRerank

    def item(self, name, text="", *, image_path=None, score=None):
        """Make a document, with the score of an earlier ranking if there is one."""
        metadata = {"topic": name}
        if image_path is not None:
            metadata["image_path"] = image_path
        if score is not None:
            metadata["relevance_score"] = score
        return Document(id=name, page_content=text, metadata=metadata)

    def rerank(self, reranker, items, query):
        """Rerank as synchronous code does."""
        return reranker.compress_documents(items, query)

    async def arerank(self, reranker, items, query):
        """Rerank as asynchronous code does."""
        return await reranker.acompress_documents(items, query)

    def read(self, items):
        """Tell the name and the score of each item."""
        return [(item.id, item.metadata.get("relevance_score")) for item in items]

    def content(self, items):
        """Tell all that an item consists of but its score."""
        kept = [item.model_dump() for item in items]
        for each in kept:
            each["metadata"].pop("relevance_score", None)
        return kept

    def state(self, items):
        """Tell all that an item consists of."""
        return [item.model_dump() for item in items]


class LlamaIndex:
    """LlamaIndex's nodes and the postprocessor that reranks them."""

    reranker_class = LlamaIndexRerank

    def item(self, name, text="", *, image_path=None, score=None):
        """Make a node, with the score of an earlier ranking if there is one."""
        if image_path is None:
            node = TextNode(id_=name, text=text)
        else:
            node = ImageNode(id_=name, text=text, image_path=image_path)
        return NodeWithScore(node=node, score=score)

    def rerank(self, reranker, items, query):
        """Rerank as synchronous code does."""
        return reranker.postprocess_nodes(items, query_str=query)

    async def arerank(self, reranker, items, query):
        """Rerank as asynchronous code does."""
        return await reranker.apostprocess_nodes(items, query_str=query)

    def read(self, items):
        """Tell the name and the score of each item."""
        return [(item.node.node_id, item.score) for item in items]

    def content(self, items):
        """Tell all that an item consists of but its score."""
        return [item.node.to_dict() for item in items]

    def state(self, items):
        """Tell all that an item consists of."""
        return [item.to_dict() for item in items]


ADAPTERS = {"langchain": LangChain, "llamaindex": LlamaIndex}


class Pipeline:
    """A retrieval pipeline in one framework and of one mode, in front of the stage."""

    def __init__(self, adapter, mode, stage):
        self.adapter = adapter
        self.mode = mode
        self.stage = stage

        self.reranker_class = adapter.reranker_class
        self.item, self.read = adapter.item, adapter.read
        self.state, self.content = adapter.state, adapter.content

    def reranker(self, **options):
        """Make a reranker that calls the stage."""
        options = {"api_key": self.stage.api_key, "base_url": self.stage.base_url} | options
        return self.reranker_class(**options)

    def items(self, *texts):
        """Make one item of each text; their names are `0`, `1` and so on."""
        return [self.item(str(at), text) for at, text in enumerate(texts)]

    async def rerank(self, reranker, items, query="capital of France"):
        """Rerank in the mode of the pipeline."""
        if self.mode == "sync":
            return self.adapter.rerank(reranker, items, query)
        return await self.adapter.arerank(reranker, items, query)

    async def names(self, reranker, items, query="capital of France"):
        """Rerank, and tell the names of what comes back."""
        return [name for name, _ in self.read(await self.rerank(reranker, items, query))]


@pytest.fixture(params=ADAPTERS)
def adapter(request):
    """Each framework in turn."""
    return ADAPTERS[request.param]()


@pytest.fixture
def pipeline(adapter, mode, local_openrouter):
    """Each framework in each mode."""
    return Pipeline(adapter, mode, local_openrouter)
