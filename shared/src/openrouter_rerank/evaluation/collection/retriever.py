"""
Makes the candidates of a collection with a retriever of the user.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeAlias, TypeGuard

from openrouter_rerank.errors import shown_value

from .checks import check_depth, shown_kind
from .collection import Collection
from .counted import Count, counted
from .errors import CollectionError, shown_error, shown_ids, shown_path
from .fields import are_sorted, id_of, is_list, is_unicode, number_of
from .jsonl import unsorted_note

Retrieved: TypeAlias = Sequence[tuple[str, str] | tuple[str, str, float]]
"""The id and the text of each document that was found, and perhaps its score; best first."""
Retriever: TypeAlias = Callable[[str], Retrieved | Awaitable[Retrieved]]
"""A function, sync or async, that gets the text of a question."""


def with_candidates(
    collection: Collection, retrieve: Retriever, depth: int, *, report: Count | None = None
) -> Collection:
    """
    Return the collection with the candidates that a retriever finds for each question.

    Documents that the retriever brings are added to those of the collection. An async retriever
    runs in an event loop that this call starts.

    Args:
        collection: The collection, whose own candidates are replaced.
        retrieve: A function that returns a list of `(id, text)` or `(id, text, score)` for the text
            of a question, best first.
        depth: The most candidates of a question. More are cut.
        report: Called for each question, with the number of questions that have candidates, and
            that of all questions.

    Raises:
        CollectionError: If the retriever fails, or what it returns cannot be used.
    """
    _check_retriever(retrieve)
    if _is_async(retrieve):
        if _is_in_loop():
            raise CollectionError(
                "an async retriever needs the async call in a running event loop: use aevaluate"
            )
        return asyncio.run(awith_candidates(collection, retrieve, depth, report=report))
    found = _Found(collection, retrieve, depth)
    for question, text in counted(collection.questions.items(), report):
        try:
            retrieved = retrieve(text)
        except (Exception, SystemExit) as error:
            raise _failure(question, error) from error
        if _is_awaitable(retrieved):
            if inspect.iscoroutine(retrieved):
                retrieved.close()
            raise CollectionError("the retriever returns an awaitable: define it with async def")
        found.add(question, retrieved)
    return found.collection()


async def awith_candidates(
    collection: Collection, retrieve: Retriever, depth: int, *, report: Count | None = None
) -> Collection:
    """
    Return the same as `with_candidates`, from a coroutine. A sync retriever runs in a thread.

    Raises:
        CollectionError: If the retriever fails, or what it returns cannot be used.
    """
    _check_retriever(retrieve)
    found = _Found(collection, retrieve, depth)
    is_async = _is_async(retrieve)
    for question, text in counted(collection.questions.items(), report):
        try:
            retrieved = retrieve(text) if is_async else await asyncio.to_thread(retrieve, text)
            if _is_awaitable(retrieved):
                retrieved = await retrieved
        except (Exception, SystemExit) as error:
            raise _failure(question, error) from error
        found.add(question, retrieved)
    return found.collection()


class _Found:
    """What a retriever has found so far."""

    def __init__(self, collection: Collection, retrieve: Retriever, depth: int) -> None:
        check_depth(depth)
        self._collection = collection
        self._depth = depth
        self._name = _name_of(retrieve)
        self._documents = dict(collection.documents)
        self._candidates: dict[str, tuple[str, ...]] = {}
        self._unsorted = 0

    def add(self, question: str, retrieved: object) -> None:
        """Check and keep what the retriever returned for a question."""
        try:
            self._candidates[question] = self._checked(question, retrieved)
        except CollectionError:
            raise
        except Exception as error:
            raise _wrong(question, f"something unreadable ({type(error).__name__})") from error

    def collection(self) -> Collection:
        """Return the collection with the candidates."""
        own, found = self._collection.documents, self._candidates.values()
        judged = dict.fromkeys(
            id_ for grades in self._collection.judgements.values() for id_ in grades
        )
        listed = dict.fromkeys(id_ for ids in found for id_ in ids)
        if not listed:
            raise CollectionError(
                "the retriever returned no document for any question: check what it searches"
            )
        if own and own.keys().isdisjoint(listed):
            raise CollectionError(
                f"no id that the retriever returned is among the {len(own):,} documents (returned: "
                f"{shown_ids(listed)}; in the collection: {shown_ids(own)}): return their ids"
            )
        if judged and not own and judged.keys().isdisjoint(listed):
            raise CollectionError(
                f"no document that the retriever returned is judged (returned: {shown_ids(listed)};"
                f" judged: {shown_ids(judged)}): return the ids of the judgements"
            )
        notes = (unsorted_note(self._unsorted),) if self._unsorted else ()
        return replace(
            self._collection,
            documents=self._documents,
            candidates=self._candidates,
            first_stage=f"the retriever {self._name}",
            notes=(*self._collection.notes, *notes),
        )

    def _checked(self, question: str, retrieved: object) -> tuple[str, ...]:
        if not is_list(retrieved):
            raise _wrong(question, shown_kind(retrieved))
        found: dict[str, None] = {}
        scores: list[float] = []
        for at, item in enumerate(retrieved[: self._depth]):
            where = f"item {at}"
            if not is_list(item) or len(item) not in {2, 3}:
                raise _wrong(question, f"{shown_kind(item)} as {where}")
            if (id_ := id_of(item[0])) is None:
                raise _wrong(question, f"the id {shown_value(item[0])} in {where}")
            if id_ in found:
                raise _wrong(question, f"the id {shown_value(id_)} twice")
            self._add_document(question, id_, item[1], where)
            found[id_] = None
            if len(item) == 3:
                score = None if isinstance(item[2], bool) else number_of(item[2])
                if score is None:
                    raise _wrong(question, f"the score {shown_value(item[2])} in {where}")
                scores.append(score)
        self._unsorted += not are_sorted(scores)
        return tuple(found)

    def _add_document(self, question: str, id_: str, text: object, where: str) -> None:
        if not isinstance(text, str):
            raise _wrong(question, f"{shown_kind(text)} as the text of {where}")
        if not is_unicode(text):
            raise _wrong(question, f"half of a character (a lone surrogate) in the text of {where}")
        if self._documents.setdefault(id_, str.__str__(text)) != text:
            is_own = id_ in self._collection.documents
            raise CollectionError(
                f"the retriever returned another text for the document {shown_value(id_)} than "
                f"{'the collection has' if is_own else 'for an earlier question'} (question "
                f"{shown_value(question)}): give different texts different ids"
            )


def _wrong(question: str, got: str) -> CollectionError:
    return CollectionError(
        f"the retriever must return a list of (id, text) or (id, text, score), each id once; for "
        f"the question {shown_value(question)} it returned {got}"
    )


def _failure(question: str, error: BaseException) -> CollectionError:
    return CollectionError(
        f"the retriever failed for the question {shown_value(question)}: {shown_error(error)}"
    )


def _is_async(retrieve: object) -> bool:
    call = type(retrieve).__call__
    return inspect.iscoroutinefunction(retrieve) or inspect.iscoroutinefunction(call)


def _is_awaitable(value: Retrieved | Awaitable[Retrieved]) -> TypeGuard[Awaitable[Retrieved]]:
    try:
        return inspect.isawaitable(value)
    except Exception:  # noqa: BLE001 - Attributes of a user's object may raise any exception
        return False


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _name_of(retrieve: object) -> str:
    module = getattr(retrieve, "__module__", None)
    name = getattr(retrieve, "__qualname__", type(retrieve).__qualname__)
    return shown_path(f"{module}:{name}" if isinstance(module, str) else f"{name}")


def _check_retriever(retrieve: object) -> None:
    if not callable(retrieve):
        raise CollectionError(f"retrieve must be a function, got {shown_kind(retrieve)}")
