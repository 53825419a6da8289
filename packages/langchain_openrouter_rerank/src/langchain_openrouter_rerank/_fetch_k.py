"""Passes the number of documents to find to base retrievers of all kinds."""

from functools import lru_cache
from inspect import Parameter, signature
from typing import Any

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import RunnableConfigurableFields
from langchain_core.vectorstores import VectorStoreRetriever
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.telemetry import SituationLog
from pydantic import BaseModel

# The names that LangChain's retrievers give to the number of documents that they return.
_NUMBER_FIELDS = ("k", "top_k", "top_k_results")
# For all retrievers of the process, because applications make one for each request.
_situations = SituationLog()
# How many candidates a vector store compares by default if it searches for variety, by "mmr".
_MMR_FETCH_K = 20


class Search:
    """
    One search of a base retriever for `fetch_k` documents, or for all that it finds.

    The base retriever is not changed, because other calls may use it at the same time. Retrievers
    that accept the number in a call get it there. Of the others, and of the Runnables around them,
    copies are made for this search.
    """

    def __init__(self, base: Runnable[str, list[Document]], fetch_k: int | None) -> None:
        self.retriever = base
        """What to call for this search."""
        self.keywords: dict[str, int] = {}
        """The keywords of the call."""
        self._fetch_k = fetch_k
        self._unreached = ""
        if fetch_k is not None:
            passing = _Passing(fetch_k)
            self.retriever, self.keywords = passing.outer(base)
            names = passing.unreached if passing.retrievers else [base.get_name()]
            self._unreached = ", ".join(dict.fromkeys(names))

    def candidates(self, found: object) -> list[Document]:
        """
        Return at most `fetch_k` of the documents found.

        If there are fewer, and the number was not passed, a warning is logged once.

        Raises:
            InvalidRequestError: If `found` is not a list.
        """
        if not isinstance(found, list):
            raise InvalidRequestError(
                f"base_retriever returned an object of type {type(found).__name__}: it must return "
                "a list of documents"
            )
        if self._unreached and len(found) < (self._fetch_k or 0):
            _situations.report(
                self._unreached,
                "fetch_k had no effect on %s, which accepts no k in a call and has no field %s or "
                "search_kwargs: fetch_k=%d found=%d. Set the number on the base retriever itself",
                self._unreached,
                ", ".join(_NUMBER_FIELDS),
                self._fetch_k,
                len(found),
            )
        return found[: self._fetch_k]


class _Passing:
    """Passes one number to all retrievers in a Runnable."""

    def __init__(self, number: int) -> None:
        self._number = number
        # Those around the current one: a Runnable may hold one that holds it.
        self._open: set[int] = set()
        self.retrievers = 0
        """How many retrievers were found."""
        self.unreached: list[str] = []
        """The classes of the retrievers that the number cannot be passed to."""

    def outer(self, given: Any) -> tuple[Any, dict[str, int]]:
        """Return what to call instead of `given`, and the keywords of the call."""
        # These two pass keywords on. Keywords hold even if the configuration of a call replaces
        # the fields of the retriever, which a changed field would not.
        if isinstance(given, RunnableBindingBase):
            return self._wrapped(given, "bound")
        if isinstance(given, RunnableConfigurableFields):
            return self._wrapped(given, "default")
        if not isinstance(given, BaseRetriever):
            return self._copied(given, {}), {}
        self.retrievers += 1
        accepted = _accepted_keywords(type(given))
        if isinstance(given, VectorStoreRetriever) and "**" in accepted:
            return given, self._search_kwargs(given, self._number)
        if "k" in accepted:
            keywords = {"k": self._number}
            if "fetch_k" in accepted:
                # It reranks: how many it finds is another number, and at least the same.
                own: object = getattr(given, "fetch_k", None)
                found = own if isinstance(own, int) else 0
                keywords["fetch_k"] = max(found, self._number)
            return given, keywords
        counted = self.retrievers
        copied = self._copied(given, self._changed_fields(given))
        if copied is given and counted == self.retrievers:
            self.unreached.append(type(given).__name__)
        return copied, {}

    def _wrapped(self, given: Any, field: str) -> tuple[Any, dict[str, int]]:
        inner = getattr(given, field)
        copied, keywords = self.outer(inner)
        return given if copied is inner else given.model_copy(update={field: copied}), keywords

    def _copied(self, given: Any, changes: dict[str, Any]) -> Any:
        """Return a copy with `changes` and with the number in the retrievers inside, if any."""
        if not isinstance(given, BaseModel) or id(given) in self._open:
            return given
        self._open.add(id(given))
        for name, value in vars(given).items():
            inner = self._inner(value)
            if inner is not value:
                changes[name] = inner
        self._open.discard(id(given))
        return given.model_copy(update=changes) if changes else given

    def _inner(self, value: Any) -> Any:
        """Return what takes the place of `value` in a Runnable; `value` itself if it can stay."""
        if isinstance(value, Runnable):
            return self._inner_runnable(value)
        if isinstance(value, dict) and _may_hold_retrievers(value.values()):
            changed = {name: self._inner(item) for name, item in value.items()}
            return changed if any(changed[name] is not value[name] for name in value) else value
        if isinstance(value, list | tuple) and _may_hold_retrievers(value):
            items = [self._inner(item) for item in value]
            if any(new is not old for new, old in zip(items, value, strict=True)):
                return tuple(items) if isinstance(value, tuple) else items
        return value

    def _inner_runnable(self, given: Any) -> Any:
        copied, keywords = self.outer(given)
        if not keywords:
            return copied
        if isinstance(copied, VectorStoreRetriever):
            # Of the same class, because the retriever around it may use more than `invoke`.
            return copied.model_copy(update={"search_kwargs": copied.search_kwargs | keywords})
        return copied.bind(**keywords)

    def _changed_fields(self, given: BaseRetriever) -> dict[str, Any]:
        fields = vars(given)
        changes: dict[str, Any] = {
            name: self._number
            for name in _NUMBER_FIELDS
            if name in fields and isinstance(fields[name], int | None)
        }
        options = fields.get("search_kwargs")
        if isinstance(options, dict) and not changes:
            changes["search_kwargs"] = options | self._search_kwargs(given, self._number)
        elif isinstance(options, dict) and isinstance(options.get("k"), int):
            # The field has the number of results, and the options that of candidates.
            number = max(options["k"], self._number)
            changes["search_kwargs"] = options | self._search_kwargs(given, number)
        return changes

    def _search_kwargs(self, given: Any, number: int) -> dict[str, int]:
        if getattr(given, "search_type", None) != "mmr":
            return {"k": number}
        compared: int = given.search_kwargs.get("fetch_k", _MMR_FETCH_K)
        return {"k": number, "fetch_k": max(compared, number)}


def _may_hold_retrievers(items: Any) -> bool:
    # The first item decides: a retriever may also hold a million documents.
    return isinstance(next(iter(items), None), Runnable | tuple)


@lru_cache(maxsize=256)
def _accepted_keywords(retriever: type[BaseRetriever]) -> frozenset[str]:
    """Return the names of the keywords of a call; `**` if it accepts any."""
    # Private in LangChain, but a retriever names the keywords of its calls nowhere else: its
    # `invoke` accepts any. This replaces an option that users would have to set. Every
    # retriever has the method, because it is abstract in BaseRetriever. In a release without
    # it, neither this class nor any retriever written for today's releases would work.
    parameters = signature(retriever._get_relevant_documents).parameters.values()  # noqa: SLF001 - LangChain has no public one
    return frozenset(
        "**" if each.kind is Parameter.VAR_KEYWORD else each.name for each in parameters
    )
