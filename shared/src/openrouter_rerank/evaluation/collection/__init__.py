"""
What an evaluation works on: questions, documents, judgements and candidates.

`collection.py` has `Collection`, which users make from files or from their own objects. The folder
asks no model and computes no metric. All that is wrong with the data is a `CollectionError`.

Reading files:

- `beir.py`, `jsonl.py` and `trec.py` each read one format, and return `contents.py`: the fields of
  a `Collection`, which checks them.
- `corpus.py` reads documents and questions for BEIR and TREC.
- `lines.py` yields the lines of a file, compressed or not, and the JSON objects in them.

Checking data:

- `checks.py` checks the arguments of `Collection`, and counts what its notes must say.
- `fields.py` says what an id, a grade, a score and a text are, in files and in Python.
- `errors.py` has `CollectionError`, and shows paths and ids in its messages.

Candidates:

- `bm25.py` finds them with BM25, and `retriever.py` with a function of the user.
- `named_retriever.py` imports such a function by its name `MODULE:FUNCTION`.
- `counted.py` reports for how many questions they are found.
"""
