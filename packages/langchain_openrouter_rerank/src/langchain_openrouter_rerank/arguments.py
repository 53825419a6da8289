"""What callers of the class pass, checked. Pure."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TypeGuard

from langchain_core.documents import Document
from openrouter_rerank.errors import InvalidRequestError


def checked(documents: Iterable[object]) -> list[Document]:
    """
    Return the documents as a list of our own: the caller's may change while an answer is awaited.

    Raises:
        InvalidRequestError: Something among them is no document.
    """
    given = _listed(documents)
    if _are_documents(given):
        return given
    at, kind = next((at, type(d)) for at, d in enumerate(given) if not isinstance(d, Document))
    raise InvalidRequestError(
        f"documents[{at}] is of type {kind.__name__}: "
        "wrap it, Document(page_content=...), or pass what a retriever returns"
    )


def asked(documents: Iterable[object], query: object) -> list[object]:
    """
    Return whatever is to be ranked for `query` as a list of our own.

    Raises:
        InvalidRequestError: There is no list, or no query to rank for.
    """
    if isinstance(query, str) and not query.strip():
        raise InvalidRequestError("query is blank: pass the question to rank the documents by")
    return _listed(documents)


def _are_documents(items: list[object]) -> TypeGuard[list[Document]]:
    return all(issubclass(kind, Document) for kind in set(map(type, items)))


def _listed(items: Iterable[object]) -> list[object]:
    kind = type(items).__name__
    with suppress(TypeError):
        if not isinstance(items, str | bytes | Mapping):
            return list(items)
    raise InvalidRequestError(f"documents is of type {kind}: pass a list")
