"""
The options of the clients. Each is declared once, in `fields.py`.

What belongs here: name, type, check, default and description of the options that both clients and
both framework packages have (`fields.py`), the keywords that type checkers read (`keywords.py`),
how options are shown in signatures and docstrings (`display.py`), how secrets in them are hidden
from tracebacks (`secrets.py`), which values are accepted (`values.py`), and the texts of errors
about values (`problems.py`) and about names (`unknown_names.py`). `completion.py` has the lock for
Pydantic's classes. `long_documents.py` has the rules for documents that exceed the context of a
model. The options that only the framework packages have are in `reranker/options.py`.

`RerankClient(**keywords)` checks its keywords with `of_keywords.py`. A reranker is a
`ClientOptions`, and creates its clients from itself with `RerankClient.from_options`.
"""

from .fields import ClientOptions
from .keywords import ClientKeywords, RequestOptions

__all__ = ["ClientKeywords", "ClientOptions", "RequestOptions"]
