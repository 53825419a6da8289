"""
The local service: OpenRouter's rerank protocol with a real scorer, on this machine.

It needs no API key and no network, and every response says that it does not come from OpenRouter.
It needs the extra `openrouter-rerank[local]`. The core never imports it; the command line, the demo
and the pytest plugin do.

`LocalOpenRouter` (`endpoint.py`) turns a request into a response, without I/O. `http_server.py` and
`command.py` offer it over HTTP, and `transport.py` offers it to httpx clients in the same process.

`rerank_request.py` reads a request, `document_text.py` takes the text of its documents, a scorer
(`lexical.py`, `minilm.py`) scores them, and `rerank_response.py` builds the response.

The sub-package `stage` is a scripted server for tests. It needs no extra.
"""
