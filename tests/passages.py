"""The passages that the tests rank, the query that they are ranked for, and nodes of passages."""

from llama_index.core.schema import NodeWithScore, TextNode

QUERY = "capital of France"
BREAD, ROME, BEST = ("Bread is baked.", "Rome is old.", "Paris is the capital of France.")

PASSAGES = (BREAD, ROME, BEST)
"""The passages of the index. The local server gives the last one the score 1, the others 0."""

TEXTS = (BREAD, BEST, "Rome is a capital.")
"""Passages that the local server gives three different scores: 0, 1 and 1/3."""


def scored_nodes(*texts):
    """Return a node for each text, with the retriever's score 0.5."""
    return [NodeWithScore(node=TextNode(text=text), score=0.5) for text in texts]
