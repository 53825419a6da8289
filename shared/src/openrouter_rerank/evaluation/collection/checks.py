"""
Checks the arguments of a `Collection`, and counts what a reader of the report must know.

Users can pass any object. What is returned are plain dictionaries, tuples, strings and integers.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeGuard, TypeVar

from openrouter_rerank.errors import shown_value

from .errors import CollectionError, shown_ids
from .fields import GRADE_RULE, grade_of, is_list, is_unicode

Questions = dict[str, str]
Documents = dict[str, str]
Judgements = dict[str, dict[str, int]]
Candidates = dict[str, tuple[str, ...]]
Notes = tuple[str, ...]

_Value = TypeVar("_Value")


def checked_name(name: str, value: object) -> str:
    """Return a name for reports. Raise a `CollectionError` if it is not a text."""
    return _guarded(name, lambda: _text(name, value, is_needed=True))


def checked_notes(value: object) -> Notes:
    """Return the notes. Raise a `CollectionError` if they are not texts."""

    def notes() -> Notes:
        if not is_list(value):
            raise CollectionError(f"notes must be a tuple of strings, got {shown_value(value)}")
        found: list[str] = []
        for note in value:
            if not isinstance(note, str):
                raise CollectionError(f"notes must be strings, got {shown_value(note)}")
            found.append(note)
        return tuple(found)

    return _guarded("notes", notes)


def checked_questions(value: object) -> Questions:
    """Return the texts of the questions. Raise a `CollectionError` if there are none."""

    def questions() -> Questions:
        found = {
            id_: _text(where, text, is_needed=True)
            for id_, where, text in _items("questions", value, "{'q1': 'a question'}")
        }
        if not found:
            raise CollectionError("questions must have at least one question, got {}")
        return found

    return _guarded("questions", questions)


def checked_documents(value: object) -> Documents:
    """Return the texts of the documents. Raise a `CollectionError` if they are not texts."""

    def documents() -> Documents:
        return {
            id_: _text(where, text, is_needed=False)
            for id_, where, text in _items("documents", value, "{'d1': 'a text'}")
        }

    return _guarded("documents", documents)


def checked_judgements(
    value: object, questions: Questions, documents: Documents
) -> tuple[Judgements, Notes]:
    """
    Return the grades of the questions, and a note on other questions.

    Raises:
        CollectionError: If a value is not a grade, or no id is known.
    """

    def judgements() -> Judgements:
        return {
            id_: {
                document: _grade(grade_where, grade)
                for document, grade_where, grade in _items(where, grades, "{'d1': 1}")
            }
            for id_, where, grades in _items("judgements", value, "{'q1': {'d1': 1}}")
        }

    found = _guarded("judgements", judgements)
    judged = dict.fromkeys(document for grades in found.values() for document in grades)
    _check_any_question("judgements", "judged", found, questions)
    _check_any_document("judgements", "judged", judged, documents)
    return _of_known_questions("judgements", found, questions)


def checked_candidates(
    value: object, questions: Questions, documents: Documents
) -> tuple[Candidates, Notes]:
    """
    Return the candidates with a text, and notes on what was left out.

    Raises:
        CollectionError: If a value is not a list of ids, has an id twice, or no id is known.
    """

    def candidates() -> Candidates:
        return {
            id_: _ids(where, ids)
            for id_, where, ids in _items("candidates", value, "{'q1': ['d1', 'd2']}")
        }

    found = _guarded("candidates", candidates)
    listed = dict.fromkeys(document for ids in found.values() for document in ids)
    _check_any_question("candidates", "with candidates", found, questions)
    if listed and not documents:
        raise CollectionError("documents must have the texts of the candidates, got {}")
    _check_any_document("candidates", "candidates", listed, documents)
    found, notes = _of_known_questions("candidates", found, questions)
    unknown = sum(id_ not in documents for ids in found.values() for id_ in ids)
    if unknown:
        found = {
            question: tuple(id_ for id_ in ids if id_ in documents)
            for question, ids in found.items()
        }
        notes += (f"Candidates that are not among the documents: {unknown:,}. They were left out.",)
    return found, notes


def counts(
    questions: Mapping[str, str],
    documents: Mapping[str, str],
    judgements: Mapping[str, Mapping[str, int]],
    candidates: Mapping[str, tuple[str, ...]],
) -> list[str]:
    """Return the sentences about gaps in the data."""
    total = f"of {len(questions):,}"
    relevant = {id_ for id_, grades in judgements.items() if max(grades.values(), default=0) > 0}
    unjudged = sum(not judgements.get(id_) for id_ in questions)
    irrelevant = {id_ for id_ in questions if judgements.get(id_) and id_ not in relevant}
    left_out = f"document: {len(irrelevant):,} {total}. They are left out."
    # The retriever may have missed relevant documents, as in a file that has only candidates.
    if all(judgements[id_].keys() <= {*candidates.get(id_, ())} for id_ in irrelevant):
        left_out = (
            f"candidate: {len(irrelevant):,} {total}. They are left out, so the metrics are only "
            "of questions that the first stage can answer."
        )
    unlisted = sum(not candidates.get(id_) for id_ in questions)
    absent = sum(id_ not in documents for grades in judgements.values() for id_ in grades)
    blank = sum(not text.strip() for text in documents.values())
    notes = (
        (
            unjudged if judgements else 0,
            f"Questions without judgements: {unjudged:,} {total}. They are left out.",
        ),
        (
            len(irrelevant),
            f"Questions without a relevant {left_out}",
        ),
        (
            unlisted if candidates else 0,
            f"Questions without candidates: {unlisted:,} {total}. They count as 0.",
        ),
        (
            absent if documents else 0,
            f"Judgements of documents without a text: {absent:,}. No plan can show them.",
        ),
        (blank, f"Blank documents: {blank:,}. They are not sent, and come last."),
    )
    return [note for count, note in notes if count]


def _guarded(name: str, check: Callable[[], _Value]) -> _Value:
    """Return what `check` returns. Methods of a user's objects may raise any exception."""
    try:
        return check()
    except CollectionError:
        raise
    except Exception as error:
        raise CollectionError(
            f"{name} cannot be read ({type(error).__name__}): pass plain dicts, lists and strings"
        ) from error


def _items(name: str, value: object, example: str) -> Iterable[tuple[str, str, object]]:
    """Yield each id of a mapping, its name in messages, and its value."""
    if not _is_mapping(value):
        raise CollectionError(
            f"{name} must be a mapping such as {example}, got {shown_kind(value)}"
        )
    for key, item in value.items():
        id_ = _id(f"the ids of {name}", key)
        yield id_, f"{name}[{shown_value(id_)}]", item


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)


def _id(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip() or not is_unicode(value):
        raise CollectionError(
            f"{name} must be strings that are not blank, got {shown_value(value)}"
        )
    return str.__str__(value)


def _text(name: str, value: object, *, is_needed: bool) -> str:
    """Return a text. The message does not show a text, because it may be a document."""
    if not isinstance(value, str):
        raise CollectionError(f"{name} must be a string, got {shown_kind(value)}")
    text = str.__str__(value)
    if not is_unicode(text):
        raise CollectionError(
            f"{name} contains half of a character (a lone surrogate): write the text again"
        )
    if is_needed and not text.strip():
        raise CollectionError(f"{name} is blank: give it a text")
    return text


def _grade(name: str, value: object) -> int:
    if (grade := grade_of(value)) is None:
        raise CollectionError(f"{name} must be {GRADE_RULE}, got {shown_value(value)}")
    return grade


def _ids(name: str, value: object) -> tuple[str, ...]:
    if not is_list(value):
        raise CollectionError(f"{name} must be a tuple of document ids, got {shown_kind(value)}")
    ids = tuple(_id(f"the ids of {name}", id_) for id_ in value)
    if len(set(ids)) < len(ids):
        twice = next(id_ for at, id_ in enumerate(ids) if id_ in ids[:at])
        raise CollectionError(
            f"{name} has the document {shown_value(twice)} twice: list each document once"
        )
    return ids


def shown_kind(value: object) -> str:
    """Return the type of a value for a message that must not show the value."""
    return "None" if value is None else f"a value of type {type(value).__name__:.50}"


def check_depth(depth: object) -> None:
    """Raise a `CollectionError` if a number of candidates is not one."""
    if not isinstance(depth, int) or isinstance(depth, bool) or depth < 1:
        raise CollectionError(f"depth must be a whole number, 1 or more, got {shown_value(depth)}")


def _check_any_question(
    source: str, label: str, ids: Mapping[str, object], questions: Questions
) -> None:
    """Raise an error if there are ids, and none of them is that of a question."""
    if ids and questions.keys().isdisjoint(ids):
        raise CollectionError(
            f"no query id of the {source} is among the {len(questions):,} questions "
            f"({label}: {shown_ids(ids)}; asked: {shown_ids(questions)})"
        )


def _check_any_document(
    source: str, label: str, ids: Mapping[str, object], documents: Documents
) -> None:
    """Raise an error if there are ids, and none of them is that of a document."""
    if ids and documents and documents.keys().isdisjoint(ids):
        raise CollectionError(
            f"no document id of the {source} is among the {len(documents):,} documents "
            f"({label}: {shown_ids(ids)}; in the collection: {shown_ids(documents)})"
        )


def _of_known_questions(
    name: str, found: dict[str, _Value], questions: Questions
) -> tuple[dict[str, _Value], Notes]:
    unknown = len(found) - len(found.keys() & questions.keys())
    if not unknown:
        return found, ()
    return {id_: value for id_, value in found.items() if id_ in questions}, (
        f"Questions with {name} that are not in the collection: {unknown:,}. They were left out.",
    )
