"""
The pipeline of plain Python: vectors in an array, and a `RerankClient`.
"""

from collections.abc import Sequence

import numpy as np

from openrouter_rerank.client import RerankClient
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pipeline import Embed, Hit, Outcome, Pipeline, RerankerSettings


def rerank_with(passages: Sequence[Passage], embed: Embed) -> Pipeline:
    """
    Return a pipeline that compares the vector of a question with those of all `passages`.

    Args:
        passages: At least one.
        embed: Returns the vector of a text.
    """
    vectors = np.array([embed(passage.text) for passage in passages], dtype=np.float32)

    def pipeline(question: str, *, k: int, settings: RerankerSettings) -> Outcome:
        similarities = vectors @ np.array(embed(question), dtype=np.float32)
        best: list[int] = np.argsort(-similarities, kind="stable")[:k].tolist()
        with RerankClient(**settings) as client:
            texts = [passages[at].text for at in best]
            ranking = client.rerank(question, texts)
        return Outcome(
            retrieved=tuple(Hit(passages[at].id, float(similarities[at])) for at in best),
            reranked=tuple(
                Hit(passages[best[document.index]].id, document.relevance_score)
                for document in ranking
            ),
        )

    return pipeline
