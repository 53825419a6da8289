"""
The score cache: ranks with the scores in a score store, and requests only the missing scores.

The score store is the user's object (its protocol is `openrouter_rerank.score_store.ScoreStore`).
This package is the code that uses it. A client without a score store never calls this package.

A cached call takes these steps:

1. `scores.py` computes one key per document. A key is a digest of everything that the score
   depends on, so neither the query nor a document can be read from the store.
2. `single_flight.py` lets identical calls wait for the first one. They share its ranking, and under
   some conditions its error, so a score is not paid for twice while it is being requested.
3. `cache.py` reads the keys from the store. A value has a score for each of the latest names that
   providers gave the model. `recent_names.py` remembers the names of the client's latest responses.
   Both decide which scores are used. If every score is there, the call sends nothing.
4. Otherwise it runs the call for the missing documents. All of their scores are requested, without
   `top_n`, so that any later `top_n` is exact without a request.
5. Each response's scores are collected as it arrives, and they are written to the store at the end
   of the call, even if the call fails. The waiting calls get the ranking before this write.

A store may raise or return anything: the call then continues as if the store were empty, and logs a
warning. It waits for an asynchronous store only for a part of its remaining time. A synchronous
store runs in the caller's thread, where it cannot be interrupted.

This package does not decide how known scores change a call: which documents are still requested,
and what happens if the provider has changed the model. `openrouter_rerank._call.known_scores` and
`openrouter_rerank._call.flow` decide that. The package sends nothing itself: the client passes in
the function that runs a call.
"""
