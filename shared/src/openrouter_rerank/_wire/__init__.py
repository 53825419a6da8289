"""
Translates between values and bytes: what is sent, and what the responses mean. No I/O.

`request.py` writes the body of a request: `encode` returns a `Request` whose `RequestBody` yields
the bytes in pieces. `headers.py` makes the headers, except those for the key and the length.
`endpoint.py` finds the URL and the key, and decides whether the key may be sent to that URL.
`response.py` reads a complete response: `decode` returns a ranking, or the error that the response
means. It does so for any bytes, and raises nothing.

The functions here know values only: strings, documents, `Request` and `Response` of `_attempt.py`.
They do not know calls, retries or connections. What a call needs is decided in `_call/`. Bytes are
sent and received in `_transport/`, which also adds the headers for host, length and key.

Everything that OpenRouter documents about the format of `POST /api/v1/rerank` belongs here. Texts
of a server are made safe for log lines here, and a key or a header never gets into an error.
"""
