"""
The demo: searches the documentation of this Python, and reranks the results in each framework.

It needs the extra `openrouter-rerank[demo]`. `run.py` is the whole demo. A framework package takes
part by providing a pipeline: a vector store and a reranker, see `pipeline.py`.

`corpus.py` makes the passages, and `vectors.py` their vectors. `service.py` selects OpenRouter or
the local scorer, and `asking.py` asks the questions. `presentation.py` shows the results.
"""
