"""
Makes the attempts of a call, and returns each response or failure: the only code that does HTTP.

What belongs here: request slots, the wait for a rate limiter, connections, their pool, proxies,
TLS, and the bounds of an attempt in time and size. What does not belong here: decisions. `_call`
decides what is retried, and what a failed attempt may have cost. No module here imports `_call`,
`client` or `_score_cache`. What passes between `_call` and the transport is defined in
`_attempt.py`.

An attempt, step by step:

1. `exchange.py` waits for a request slot (`fair_semaphore.py`) and for the rate limiter.
2. With an injected httpx or httpx2 client, `injected.py` exchanges over that client, and
   `watchdog.py` ends synchronous exchanges at the deadline. Otherwise:
3. `pool.py` gives an idle connection or makes a new one. `connect.py` reads the certificates, and
   `proxy.py` and `no_proxy.py` the proxy that the environment names.
4. `connection.py` connects, through a proxy if there is one (`tunnel.py`), sends the request and
   reads the response. `http11.py` has the HTTP/1.1 state. `sockets.py`, `async_sockets.py`
   (connecting) and `async_stream.py` (reading and writing) do the I/O. For asynchronous calls,
   `lookups.py` looks names up, `threads.py` has the threads for what would block the loop, and
   `loops.py` has what belongs to one loop.
5. `bounds.py` collects the response, and turns an exception into a failure.

The pool of httpx, which is that of httpcore, is not used. It iterates over all its connections for
each request, and keeps no connection alive above twenty in flight. It never recovers from calls
that were cancelled at its limit (encode/httpcore issue 1093). It also keeps a connection open after
the server sent more bytes than the response. Our sockets know the deadline, so synchronous calls
need no thread that ends them, and addresses that do not answer share the time.
`docs/explain/benchmarks.md` compares the costs.
"""
