"""
Decides one rerank call, without I/O, clock or random numbers.

- A **call** is one `rerank(...)`.
- A call needs one or more **requests**: several if there are too many documents for one, or if a
  fallback model has to be tried.
- A request takes one or more **attempts**: the retries.
- An attempt is one **exchange**: a request is sent and its response is read.
- An exchange runs over a **connection**.

Calls and requests are decided here. Attempts are made by `_transport/`. The two meet in
`_attempt.py`, and neither imports the other.

How a call runs: `arguments.py` checks what the caller passed and makes a `Call` of it. `plan.py`
removes copies of documents and splits the rest into parts, one for each request. `flow.py` holds
the whole decision, as two generators: `call_flow` yields the requests of one model after the other,
`request_flow` yields the attempts of one request. `_drive.py` runs them, in threads or in tasks,
and sends back what the transport returned. `retry_policy.py` says whether and when a request is
sent again, and `retry_budget.py` limits how often. `known_scores.py` is for calls of which the
score cache knows some scores. `served_names.py` is for slugs that several providers serve, under
different names of the model. `passages.py` splits documents that are longer than the model's
context.

Not here: bytes and headers (`_wire/`), sockets and timers (`_transport/`), stored scores
(`_score_cache/`). A clock and random numbers are passed in as functions, so every decision can be
tested as a row in a table.
"""
