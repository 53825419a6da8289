"""The LlamaIndex pipeline of `openrouter-rerank demo`: a vector index and a reranker."""

from collections.abc import Sequence
from contextlib import closing

from llama_index.core import VectorStoreIndex
from llama_index.core.embeddings import BaseEmbedding
from llama_index.core.schema import ImageNode, NodeWithScore, TextNode
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pipeline import Embed, Hit, Outcome, Pipeline, RerankerSettings
from pydantic import PrivateAttr

from .rerank import OpenRouterRerank


class _Embedding(BaseEmbedding):
    _embed: Embed = PrivateAttr()

    def __init__(self, embed: Embed) -> None:
        super().__init__(model_name="demo")
        self._embed = embed

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._embed(text)

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._embed(query)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._embed(query)


def rerank_with(passages: Sequence[Passage], embed: Embed) -> Pipeline:
    """
    Return a pipeline that retrieves from a `VectorStoreIndex` of `passages`, and reranks.

    Args:
        passages: The documents of the index.
        embed: Returns the embedding of a text.
    """
    index = VectorStoreIndex(
        [_node(passage) for passage in passages], embed_model=_Embedding(embed)
    )

    def pipeline(question: str, *, k: int, settings: RerankerSettings) -> Outcome:
        found = index.as_retriever(similarity_top_k=k).retrieve(question)
        with closing(OpenRouterRerank(**settings)) as reranker:
            ranked = reranker.postprocess_nodes(found, query_str=question)
        return Outcome(retrieved=_hits(found), reranked=_hits(ranked))

    return pipeline


def _hits(nodes: Sequence[NodeWithScore]) -> tuple[Hit, ...]:
    return tuple(Hit(node.node_id, node.score) for node in nodes)


def _node(passage: Passage) -> TextNode:
    if passage.image is None:
        return TextNode(id_=passage.id, text=passage.text)
    return ImageNode(id_=passage.id, text=passage.text, image=passage.image)
