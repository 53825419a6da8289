"""
The demo: searches the documentation of this Python, and reranks the results in each framework.

It needs the extra `openrouter-rerank[demo]`. `run.py` is the whole demo. A framework package takes
part by providing a pipeline: a vector store and a reranker, see `pipeline.py`.

`corpus.py`, `paragraphs.py` and `pictures.py` make the passages, `embedding.py` and
`vector_cache.py` their vectors. `service.py` selects OpenRouter or the local scorer, and
`terminal.py` formats the output.
"""
