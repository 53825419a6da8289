"""
The demo: the passages of this Python, found by a vector store and reranked in each framework.

`openrouter_rerank.demo.pipeline` says what a framework package offers to take part. It needs the
extra `openrouter-rerank[demo]`.
"""
