"""
Reads documents and questions: `.jsonl` as BEIR has them, or `.tsv` with an id and a text.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from openrouter_rerank.errors import shown_value

from .errors import CollectionError, shown_path
from .fields import id_of, is_unicode
from .lines import Line, json_objects, lines

_TABLES = (".tsv", ".tsv.gz")
# What other formats call the fields.
_OTHER_NAMES = {
    "_id": ("id", "doc_id", "docid", "query_id", "qid"),
    "text": ("contents", "content", "page_content", "body", "passage", "question", "query"),
    "query": ("question",),
    "candidates": ("documents", "docs", "passages", "contexts", "ctxs", "results"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """The documents of a file."""

    documents: dict[str, str]
    """The text of each document: title, newline, text."""
    images: int
    """The number of documents with an image."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the report must know about the documents."""
        return (images_note(self.images),) if self.images else ()


NO_DOCUMENTS = Corpus(documents={}, images=0)
"""A corpus that was not read, because a retriever returns the texts."""


def images_note(images: int) -> str:
    """Return the sentence that says that images are not sent."""
    return f"Documents with an image: {images:,}. Only their texts are sent."


def read_documents(path: Path) -> Corpus:
    """
    Read the documents of `corpus.jsonl`, or of a table with the columns id and text.

    Raises:
        CollectionError: If the file cannot be used.
    """
    documents: dict[str, str] = {}
    images = 0
    for id_, text, has_image in _unique(_rows(path, is_corpus=True)):
        documents[id_] = text
        images += has_image
    if not documents:
        raise CollectionError(f"{shown_path(path)}: there is no document in this file")
    return Corpus(documents=documents, images=images)


def read_questions(path: Path) -> dict[str, str]:
    """
    Read the questions of `queries.jsonl`, or of a table with the columns id and text.

    Raises:
        CollectionError: If the file cannot be used.
    """
    questions = {id_: text for id_, text, _ in _unique(_rows(path, is_corpus=False))}
    if not questions:
        raise CollectionError(f"{shown_path(path)}: there is no question in this file")
    return questions


def checked_text(line: Line, name: str, value: object) -> str:
    """
    Return a text of a file. Errors do not show it.

    Raises:
        CollectionError: If it is not a text.
    """
    if not isinstance(value, str):
        kind = "nothing" if value is None else f"a value of type {type(value).__name__}"
        raise line.error(f"{name!r} must be a string, got {kind}")
    if not is_unicode(value):
        raise line.error(
            f"{name!r} contains half of a character (a lone surrogate): write the text again"
        )
    return value


def checked_id(line: Line, name: str, value: object) -> str:
    """
    Return an id of a file.

    Raises:
        CollectionError: If it is missing, blank, or of another type.
    """
    if (id_ := id_of(value)) is None:
        got = "nothing" if value is None else shown_value(value)
        raise line.error(f"{name!r} must be a string or a whole number, got {got}")
    return id_


def check_name(line: Line, row: Mapping[str, object], name: str) -> None:
    """
    Raise an error if a field is missing, and is there under the name of another format.

    Raises:
        CollectionError: The message says which field to rename.
    """
    wrong = next((other for other in _OTHER_NAMES[name] if row.get(other) is not None), None)
    if row.get(name) is None and wrong is not None:
        raise line.error(f"there is no {name!r}: rename {wrong!r} to {name!r}")


_Row = tuple[Line, str, str, bool]


def _rows(path: Path, *, is_corpus: bool) -> Iterator[_Row]:
    if path.name.lower().endswith(_TABLES):
        yield from _table_rows(path, is_corpus=is_corpus)
        return
    for line, row in json_objects(path):
        check_name(line, row, "_id")
        check_name(line, row, "text")
        id_ = checked_id(line, "_id", row.get("_id"))
        has_image = is_corpus and row.get("image") is not None
        text = row.get("text")
        text = "" if has_image and text is None else checked_text(line, "text", text)
        if is_corpus and row.get("title") is not None:
            title = checked_text(line, "title", row["title"])
            text = "\n".join(part for part in (title, text) if part.strip())
        if not is_corpus and not text.strip():
            raise line.error("'text' is blank: give each question a text, or remove the line")
        yield line, id_, text, has_image


def _table_rows(path: Path, *, is_corpus: bool) -> Iterator[_Row]:
    for line in lines(path):
        id_, tab, text = line.text.partition("\t")
        if not tab:
            raise line.error("a table has 2 columns, id and text, with a tab between them, got 1")
        if not text.strip() and not is_corpus:
            raise line.error("the text is blank: give each question a text, or remove the line")
        yield line, checked_id(line, "id", id_.strip()), text, False


def _unique(rows: Iterator[_Row]) -> Iterator[tuple[str, str, bool]]:
    first: dict[str, int] = {}
    for line, id_, text, has_image in rows:
        if id_ in first:
            raise line.error(
                f"the id {shown_value(id_)} is on line {first[id_]} too: give each its own id"
            )
        first[id_] = line.number
        yield id_, text, has_image
