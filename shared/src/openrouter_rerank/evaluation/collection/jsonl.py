"""
Reads a `.jsonl` file with one question and its candidates in each line.
"""

from dataclasses import dataclass, field

from openrouter_rerank.errors import shown_value

from .contents import Contents
from .corpus import check_name, checked_id, checked_text, images_note
from .errors import CollectionError, shown_path
from .fields import GRADE_RULE, are_sorted, grade_of, is_list, is_object, number_of
from .lines import Line, checked_path, json_objects

# What other formats call the grade of a candidate. Their "score" may be that of a retriever.
_GRADE_NAMES = ("label", "grade", "rel")


@dataclass(slots=True)
class _Found:
    """What was read so far."""

    questions: dict[str, str] = field(default_factory=dict[str, str])
    documents: dict[str, str] = field(default_factory=dict[str, str])
    judgements: dict[str, dict[str, int]] = field(default_factory=dict[str, dict[str, int]])
    candidates: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    lines: dict[str, int] = field(default_factory=dict[str, int])
    """The line of each question."""
    document_lines: dict[str, int] = field(default_factory=dict[str, int])
    """The line that first has each document."""
    images: set[str] = field(default_factory=set[str])
    grade_name: str | None = None
    """Another field that may have the grades."""
    unsorted: int = 0
    """Questions whose candidates are not in the order of their scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    id: str
    text: str
    grade: int | None = None
    score: float | None = None
    has_image: bool = False
    grade_name: str | None = None


def jsonl_contents(path: object) -> Contents:
    """
    Read questions, candidates and judgements from one file.

    Raises:
        CollectionError: If the file cannot be used.
    """
    file = checked_path("path", path)
    found = _Found()
    for line, row in json_objects(file):
        _add_question(found, line, row)
    if not found.questions:
        raise CollectionError(f"{shown_path(file)}: there is no question in this file")
    notes = [images_note(len(found.images))] if found.images else []
    if found.unsorted:
        notes.append(unsorted_note(found.unsorted))
    if found.grade_name is not None and not found.judgements:
        notes.append(
            f"No candidate has 'relevance'. If {found.grade_name!r} says what is relevant, rename "
            "it to 'relevance'."
        )
    name = shown_path(file.name)
    return Contents(
        name=name.removesuffix(".gz").removesuffix(".jsonl") or name,
        questions=found.questions,
        documents=found.documents,
        judgements=found.judgements,
        candidates=found.candidates,
        first_stage=f"the candidates of {name}",
        notes=tuple(notes),
    )


def unsorted_note(questions: int) -> str:
    """Return the sentence that says that scores and order disagree."""
    return (
        f"Questions whose candidates are not in the order of their scores: {questions:,}. "
        "The order counts, not the score."
    )


def _add_question(found: _Found, line: Line, row: dict[str, object]) -> None:
    check_name(line, row, "query")
    check_name(line, row, "candidates")
    query = checked_text(line, "query", row.get("query"))
    if not query.strip():
        raise line.error("'query' is blank: give each question a text, or remove the line")
    id_ = query if row.get("id") is None else checked_id(line, "id", row["id"])
    if id_ in found.questions:
        raise line.error(
            f"the same question is on line {found.lines[id_]}: give each its own 'id', "
            "or remove one"
        )
    given = row.get("candidates")
    if not is_list(given) or not given:
        raise line.error("'candidates' must be a list with something in it")
    candidates: dict[str, _Candidate] = {}
    for at, value in enumerate(given):
        part = line.at(f"candidate {at}")
        candidate = _candidate(part, value)
        if candidate.id in candidates:
            first = list(candidates).index(candidate.id)
            raise part.error(
                f"it has the id of candidate {first} (without an id, the text is the id): list "
                "each document once"
            )
        _add_document(found, part, candidate)
        candidates[candidate.id] = candidate
    found.questions[id_] = query
    found.lines[id_] = line.number
    found.candidates[id_] = tuple(candidates)
    grades = {each.id: each.grade for each in candidates.values() if each.grade is not None}
    if grades:
        found.judgements[id_] = grades
    scores = [each.score for each in candidates.values() if each.score is not None]
    found.unsorted += not are_sorted(scores)


def _add_document(found: _Found, line: Line, candidate: _Candidate) -> None:
    text = found.documents.setdefault(candidate.id, candidate.text)
    number = found.document_lines.setdefault(candidate.id, line.number)
    if text != candidate.text:
        raise line.error(
            f"the id {shown_value(candidate.id)} has another text on line {number}: give different "
            "texts different ids"
        )
    if candidate.has_image:
        found.images.add(candidate.id)
    found.grade_name = found.grade_name or candidate.grade_name


def _candidate(line: Line, value: object) -> _Candidate:
    if isinstance(value, str):
        return _Candidate(id=_text_as_id(line, value), text=value)
    if not is_object(value):
        raise line.error(
            f"it must be a string, or an object with 'text', got a value of type "
            f"{type(value).__name__}"
        )
    check_name(line, value, "text")
    has_image = value.get("image") is not None
    text = value.get("text")
    text = "" if has_image and text is None else checked_text(line, "text", text)
    id_ = value.get("id")
    return _Candidate(
        id=_text_as_id(line, text) if id_ is None else checked_id(line, "id", id_),
        text=text,
        grade=_grade(line, value.get("relevance")),
        score=_score(line, value.get("score")),
        has_image=has_image,
        grade_name=next(
            (name for name in _GRADE_NAMES if grade_of(value.get(name)) is not None), None
        ),
    )


def _text_as_id(line: Line, text: str) -> str:
    checked_text(line, "text", text)
    if not text.strip():
        raise line.error("it has neither an id nor a text: give it an 'id', or remove it")
    return text


def _grade(line: Line, value: object) -> int | None:
    if value is None:
        return None
    if (grade := grade_of(value)) is not None:
        return grade
    number = number_of(value)
    is_large = number is not None and number.is_integer()
    rule = GRADE_RULE if is_large else "a whole number, true or false"
    raise line.error(f"'relevance' must be {rule}, got {shown_value(value)}")


def _score(line: Line, value: object) -> float | None:
    if value is None:
        return None
    score = None if isinstance(value, bool) else number_of(value)
    if score is None:
        raise line.error(f"'score' must be a finite number, got {shown_value(value)}")
    return score
