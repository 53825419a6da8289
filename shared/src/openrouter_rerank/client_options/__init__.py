"""
The options of the clients. Each is declared once, in `fields.py`.

`fields.py` has the name, type, check, default and description of each option that both clients and
both framework packages have. `keywords.py` has the keywords that type checkers read. `display.py`
shows options in signatures and docstrings, and `secrets.py` hides secrets in them from tracebacks.
`values.py` decides which values are accepted. `problems.py` has the texts of errors about values,
and `unknown_names.py` those about names. `completion.py` has the lock for Pydantic's classes.
`long_documents.py` has the rules for documents that exceed the context of a model. The options that
only the framework packages have are in `reranker/options.py`.

`RerankClient(**keywords)` checks its keywords with `of_keywords.py`. A reranker is a
`ClientOptions`, and creates its clients from itself with `RerankClient.from_options`.
"""

from .fields import ClientOptions
from .keywords import ClientKeywords, RequestOptions

__all__ = ["ClientKeywords", "ClientOptions", "RequestOptions"]
