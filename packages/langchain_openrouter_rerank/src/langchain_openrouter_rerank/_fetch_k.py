"""Passes the number of documents to find to base retrievers of all kinds."""

from collections.abc import Callable
from functools import lru_cache
from inspect import Parameter, signature
from typing import Any, NamedTuple, TypeGuard, TypeVar

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable
from langchain_core.runnables.base import RunnableBindingBase
from langchain_core.runnables.configurable import RunnableConfigurableFields
from langchain_core.vectorstores import VectorStoreRetriever
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.telemetry import SituationLog
from pydantic import BaseModel

_Result = TypeVar("_Result")
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

    Pydantic validates no copy: a field `k` gets `fetch_k` even if its validator allows less.
    """

    def __init__(self, base: Runnable[str, list[Document]], fetch_k: int | None) -> None:
        self.retriever = base
        """What to call for this search."""
        self.keywords: dict[str, int] = {}
        """The keywords of the call."""
        self._fetch_k = fetch_k
        self._unreached: list[Runnable[Any, Any]] = []
        if fetch_k is not None:
            passing = _Passing(fetch_k)
            self.retriever, self.keywords = passing.outer(base)
            self._unreached = passing.unreached if passing.retrievers else [base]

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
            names = ", ".join(dict.fromkeys(map(_name, self._unreached)))
            _situations.report(
                names,
                "fetch_k had no effect on %s, which accepts no k in a call and has no field %s or "
                "search_kwargs: fetch_k=%d found=%d. Set the number on the base retriever itself",
                names,
                ", ".join(_NUMBER_FIELDS),
                self._fetch_k,
                len(found),
            )
        return found[: self._fetch_k]


class _Known(NamedTuple):
    """What takes the place of an object."""

    given: object
    """The object. It is kept, because another one could get its `id` otherwise."""
    result: Any
    retrievers: int
    """How many retrievers were found in the object."""


class _Passing:
    """Passes one number to all retrievers in a Runnable."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._known: dict[tuple[str, int], _Known] = {}
        self.retrievers = 0
        """How many retrievers were found. One that two others hold counts twice."""
        self.unreached: list[Runnable[Any, Any]] = []
        """The retrievers that the number cannot be passed to."""

    def outer(self, given: Any) -> tuple[Any, dict[str, int]]:
        """Return what to call instead of `given`, and the keywords of the call."""
        stays: tuple[Any, dict[str, int]] = (given, {})
        return self._once(self._outer, given, stays)

    def _once(
        self, replacing: Callable[[Any], _Result], given: object, meanwhile: _Result
    ) -> _Result:
        """
        Return the result of `replacing` for `given`, which is called only once for it.

        Two retrievers may hold the same one, and then the copies hold the same copy. A Runnable
        may hold one that holds it: inside itself, the result is `meanwhile`.
        """
        key = (replacing.__name__, id(given))
        known = self._known.get(key)
        if known is not None:
            self.retrievers += known.retrievers
            result: _Result = known.result
            return result
        self._known[key] = _Known(given, meanwhile, 0)
        counted = self.retrievers
        result = replacing(given)
        self._known[key] = _Known(given, result, self.retrievers - counted)
        return result

    def _outer(self, given: Any) -> tuple[Any, dict[str, int]]:
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
            self.unreached.append(given)
        return copied, {}

    def _wrapped(self, given: Any, field: str) -> tuple[Any, dict[str, int]]:
        inner = getattr(given, field)
        copied, keywords = self.outer(inner)
        return given if copied is inner else given.model_copy(update={field: copied}), keywords

    def _copied(self, given: Any, changes: dict[str, Any]) -> Any:
        """Return a copy with `changes` and with the number in the retrievers inside, if any."""
        if not isinstance(given, BaseModel):
            return given
        for name, value in vars(given).items():
            inner = self._inner(value)
            if inner is not value:
                changes[name] = inner
        return given.model_copy(update=changes) if changes else given

    def _inner(self, value: Any) -> Any:
        """Return what takes the place of `value` in a Runnable; `value` itself if it can stay."""
        if isinstance(value, Runnable):
            return self._once(self._inner_runnable, value, value)
        return self._once(self._inner_items, value, value) if _holds_runnables(value) else value

    def _inner_items(self, given: Any) -> Any:
        """Return what takes the place of a list, a tuple or a dictionary."""
        names = given if isinstance(given, dict) else range(len(given))
        items = {name: self._inner(given[name]) for name in names}
        if all(items[name] is given[name] for name in names):
            return given
        return items if isinstance(given, dict) else type(given)(items.values())

    def _inner_runnable(self, given: Any) -> Any:
        copied, keywords = self.outer(given)
        if not keywords:
            return copied
        if isinstance(copied, VectorStoreRetriever):
            # The copy has the same class, because the retriever around it may use more than
            # `invoke`.
            return copied.model_copy(update={"search_kwargs": copied.search_kwargs | keywords})
        return copied.bind(**keywords)

    def _changed_fields(self, given: BaseRetriever) -> dict[str, Any]:
        fields = vars(given)
        changes: dict[str, Any] = {
            name: self._number
            for name in _NUMBER_FIELDS
            if name in fields and (fields[name] is None or _is_number(fields[name]))
        }
        options = fields.get("search_kwargs")
        if isinstance(options, dict) and not changes:
            changes["search_kwargs"] = options | self._search_kwargs(given, self._number)
        elif isinstance(options, dict) and _is_number(options.get("k")):
            # The field has the number of results, and the options that of candidates.
            number = max(options["k"], self._number)
            changes["search_kwargs"] = options | self._search_kwargs(given, number)
        return changes

    def _search_kwargs(self, given: Any, number: int) -> dict[str, int]:
        if getattr(given, "search_type", None) != "mmr":
            return {"k": number}
        compared: int = given.search_kwargs.get("fetch_k", _MMR_FETCH_K)
        return {"k": number, "fetch_k": max(compared, number)}


def _holds_runnables(value: Any) -> bool:
    """Return `True` if `value` is a list, tuple or dictionary of Runnables or of tuples of them."""
    # A copy of another class, such as a named tuple, would have to be made in a way of that class.
    if type(value) not in {list, tuple, dict}:
        return False
    # The first item decides: a retriever may also hold a million documents.
    first = next(iter(value.values() if isinstance(value, dict) else value), None)
    while type(first) is tuple:
        first = next(iter(first), None)
    return isinstance(first, Runnable)


def _name(unreached: Runnable[Any, Any]) -> str:
    is_retriever = isinstance(unreached, BaseRetriever)
    return type(unreached).__name__ if is_retriever else unreached.get_name()


def _is_number(value: object) -> TypeGuard[int]:
    # For Python, `True` is a number too.
    return isinstance(value, int) and not isinstance(value, bool)


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
