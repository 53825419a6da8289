"""The LlamaIndex pipeline of `openrouter-rerank demo`: a vector index and a reranker."""

from collections.abc import Sequence
from contextlib import closing

from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pipeline import Embed, Hit, Outcome, Pipeline, RerankerSettings

from .rerank import OpenRouterRerank


def rerank_with(passages: Sequence[Passage], embed: Embed) -> Pipeline:
    """
    Return a pipeline that retrieves from a `VectorStoreIndex` of `passages`, and reranks.

    Args:
        passages: The documents of the index.
        embed: Returns the embedding of a text.
    """
    index = VectorStoreIndex(
        [
            TextNode(id_=passage.id, text=passage.text, embedding=embed(passage.text))
            for passage in passages
        ],
        # An index needs a model, but does not use it: nodes and questions have their vectors.
        embed_model=MockEmbedding(embed_dim=1),
    )

    def pipeline(question: str, *, k: int, settings: RerankerSettings) -> Outcome:
        embedded = QueryBundle(question, embedding=embed(question))
        found = index.as_retriever(similarity_top_k=k).retrieve(embedded)
        with closing(OpenRouterRerank(**settings)) as reranker:
            ranked = reranker.postprocess_nodes(found, query_str=question)
        return Outcome(retrieved=_hits(found), reranked=_hits(ranked))

    return pipeline


def _hits(nodes: Sequence[NodeWithScore]) -> tuple[Hit, ...]:
    return tuple(Hit(node.node_id, node.score) for node in nodes)
