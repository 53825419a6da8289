"""The documents in the result of a tool, and the same result with fewer, in another order."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, Self, TypeGuard

from langchain_core.documents import Document
from langchain_core.messages import ToolMessage

from ._json_list import (
    LIST_NAMES,
    MOST_CHARACTERS,
    MOST_ITEMS,
    TooLargeError,
    is_object,
    json_list,
    named_list,
    other_lengths,
)

# The fields in which search tools return the text of a document.
_TEXT_FIELDS: Final = ("page_content", "content", "text", "snippet", "body")
# What tools write between the texts of documents; the first that is between all texts is taken.
_SEPARATORS: Final = ("\n\n---\n\n", "\n---\n", "\n\n", "\n")
# In how many objects the list may be, one inside the other.
_MOST_OBJECTS: Final = 2


class NotRankedError(Exception):
    """The result of a tool stays as it is. The message says why, and what to return instead."""


class MismatchError(NotRankedError):
    """The content of a message and its documents cannot be matched."""

    def __init__(self) -> None:
        super().__init__(
            "its documents were not found in its content in the same order. Return their texts as "
            "JSON, or joined by blank lines"
        )


class ParallelListError(NotRankedError):
    """A list of as many values as documents may be parallel to them."""

    def __init__(self) -> None:
        super().__init__(
            "another list in its object has as many values as there are documents, and may belong "
            "to them by position. Return a list of objects, each with all that belongs to it"
        )


class NoListError(NotRankedError):
    """There is no list of documents in a message. Most results of tools are such."""

    def __init__(self) -> None:
        super().__init__(
            "it is not a list of documents. Return JSON: a list of texts or of objects with "
            f"{_alternatives(_TEXT_FIELDS)}, or an object with such a list as its "
            f"{_alternatives(LIST_NAMES)}. create_retriever_tool needs "
            "response_format='content_and_artifact'"
        )


def _alternatives(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} or {names[-1]}"


class _Listed(NamedTuple):
    """A list of documents in the content or in the artifact of a message."""

    documents: list[Document]
    select: Callable[[Sequence[int]], Any]
    """Returns the content or the artifact with only the documents at these positions."""

    def has_texts_of(self, other: Self) -> bool:
        """Return `True` if both lists have the same texts in the same order."""
        return [each.page_content for each in self.documents] == [
            each.page_content for each in other.documents
        ]


class ToolResult(NamedTuple):
    """
    The result of a tool that found two documents or more.

    The documents are in the content, as JSON, as content blocks or as text, and may also be in the
    artifact.
    """

    message: ToolMessage
    content: _Listed
    artifact: _Listed | None

    @property
    def documents(self) -> list[Document]:
        """The documents to rank. The `id` of each is its position."""
        listed = self.artifact or self.content
        return [
            Document(page_content=each.page_content, metadata=each.metadata, id=str(position))
            for position, each in enumerate(listed.documents)
        ]

    def with_documents(self, documents: Sequence[Document]) -> ToolMessage:
        """
        Return the message with only these documents, in this order.

        The documents in the artifact are copies, with the metadata of these documents. Items in
        JSON and content blocks are not changed.

        Raises:
            MismatchError: If one of them is not from `documents` of this result.
        """
        known = {str(position): position for position in range(len(self.content.documents))}
        positions = [known[each.id] for each in documents if each.id in known]
        if len(positions) != len(documents):
            raise MismatchError
        changes = {"content": self.content.select(positions)}
        if self.artifact is not None:
            changes["artifact"] = self.artifact.select(positions)
            if _are_documents(changes["artifact"]):
                changes["artifact"] = [
                    kept.model_copy(update={"metadata": ranked.metadata})
                    for kept, ranked in zip(changes["artifact"], documents, strict=True)
                ]
        return self.message.model_copy(update=changes)


def tool_result(message: ToolMessage) -> ToolResult | None:
    """
    Return the documents in the result of a tool, or `None` if there are fewer than two.

    Raises:
        MismatchError: If there are documents in the content or in the artifact, and the two cannot
            be matched.
        ParallelListError: If another list has as many values as there are documents.
        NoListError: If there may be several documents, but in no form that is known.
        NotRankedError: If there are more than 1,000 documents, or too many characters of JSON.
    """
    try:
        content, artifact = _in_content(message.content), _in_values(message.artifact)
    except TooLargeError:
        raise NotRankedError(
            f"it has more than {MOST_ITEMS:,} items or {MOST_CHARACTERS:,} characters. Return fewer"
        ) from None
    found = [listed for listed in (content, artifact) if listed is not None]
    if not found and _may_be_several(message.content):
        raise NoListError
    if all(len(listed.documents) < 2 for listed in found):
        return None
    if artifact is None:
        if message.artifact is None and content is not None:
            return ToolResult(message, content, None)
    elif content is None:
        content = _in_text(message.content, artifact.documents)
    if content is None or artifact is None or not content.has_texts_of(artifact):
        raise MismatchError
    return ToolResult(message, content, artifact)


def _in_content(content: str | list[Any]) -> _Listed | None:
    """Return the documents in JSON, or in content blocks."""
    if isinstance(content, str):
        found = json_list(content)
        documents = None if found is None else _documents(found.values)
        if found is None or documents is None:
            return None
        if found.is_parallel and len(documents) > 1:
            raise ParallelListError
        return _Listed(documents, found.reordered)
    # An agent turns other lists into JSON.
    if not all(_is_text_block(block) for block in content):
        return None
    if len(content) != 1:
        return _in_values(content)
    # Servers of the Model Context Protocol return JSON in one block.
    [block] = content
    inner = _in_content(block["text"])
    if inner is None:
        return None
    return _Listed(inner.documents, lambda positions: [{**block, "text": inner.select(positions)}])


def _in_values(values: object, objects: int = _MOST_OBJECTS) -> _Listed | None:
    """
    Return the documents in a list, or in the list of an object, such as its `results`.

    Args:
        values: The list, or the object.
        objects: In how many objects the list may be. An object may contain itself.
    """
    if isinstance(values, list):
        documents = _documents(values)
        if documents is None:
            return None
        return _Listed(documents, lambda positions: [values[each] for each in positions])
    name = named_list(values)
    if name is None or not is_object(values) or not objects:
        return None
    inner = _in_values(values[name], objects - 1)
    if inner is None:
        return None
    if len(inner.documents) > 1 and len(inner.documents) in other_lengths(values, name):
        raise ParallelListError
    return _Listed(inner.documents, lambda positions: {**values, name: inner.select(positions)})


def _in_text(content: object, documents: Sequence[Document]) -> _Listed | None:
    """
    Return the documents in a text in which a tool has joined them.

    Each document may have a frame around its text, such as `Source: ...`. A text with anything that
    belongs to no document, such as a heading, is not matched.
    """
    if not isinstance(content, str):
        return None
    gaps: list[str] = []
    end = 0
    for document in documents:
        start = content.find(document.page_content, end)
        if start < 0 or not document.page_content.strip():
            return None
        gaps.append(content[end:start])
        end = start + len(document.page_content)
    gaps.append(content[end:])
    between = gaps[1:-1]
    frames: list[tuple[str, str]] | None
    if not gaps[0] and not gaps[-1] and between[0] and len({*between}) == 1:
        # Bare texts, with the same between all of them.
        separator, frames = between[0], [("", "")] * len(documents)
    else:
        fitting = (each for each in _SEPARATORS if all(each in gap for gap in between))
        separator = next(fitting, "")
        frames = _frames(gaps, separator) if separator else None
    if frames is None:
        return None
    pieces = [
        before + document.page_content + after
        for (before, after), document in zip(frames, documents, strict=True)
    ]
    return _Listed([*documents], partial(_joined, separator, pieces))


def _joined(separator: str, pieces: Sequence[str], positions: Sequence[int]) -> str:
    return separator.join(pieces[position] for position in positions)


def _frames(gaps: Sequence[str], separator: str) -> list[tuple[str, str]] | None:
    """
    Return what is before and after the text of each document in its piece.

    Args:
        gaps: What is before the first text, between the texts, and after the last.
        separator: What is between two pieces, one of `_SEPARATORS`.
    """
    head, *between, tail = gaps
    # All frames have as many lines. A heading or a summary makes that of one document longer.
    # Counted once for all gaps, because a hostile frame has a million lines.
    lines = (tail.count("\n"), head.count("\n"))
    splits = [_split(gap, separator, *lines) for gap in between]
    found = [split for split in splits if split is not None]
    if len(found) != len(between) or separator in head or separator in tail:
        return None
    before = [head, *(start for _, start in found)]
    after = [*(end for end, _ in found), tail]
    return list(zip(before, after, strict=True))


def _split(gap: str, separator: str, before: int, after: int) -> tuple[str, str] | None:
    """Return what is before and after the separator, if they have these numbers of line breaks."""
    # Each separator begins with a line break, and so there is only one place to look at.
    start = "\n".join(gap.split("\n", before + 1)[: before + 1])
    if not gap.startswith(separator, len(start)):
        return None
    end = gap[len(start) + len(separator) :]
    return (start, end) if end.count("\n") == after else None


def _documents(values: Sequence[object]) -> list[Document] | None:
    """
    Return a document for each of the values, or `None` if one of them is not a document.

    Raises:
        TooLargeError: If there are more than 1,000 documents.
    """
    documents: list[Document] = []
    for value in values:
        document = _document(value)
        if document is None:
            return None
        if len(documents) == MOST_ITEMS:
            raise TooLargeError
        documents.append(document)
    return documents


def _document(value: object) -> Document | None:
    """Return the document that `value` is or describes: a text, or an object with a text."""
    if isinstance(value, Document):
        # Without validation, it may have anything as its text.
        text, metadata = (vars(value).get(name) for name in ("page_content", "metadata"))
        return value if isinstance(text, str) and isinstance(metadata, dict) else None
    if isinstance(value, str):
        return Document(value)
    if not is_object(value):
        return None
    texts = {name: value[name] for name in _TEXT_FIELDS if isinstance(value.get(name), str)}
    name = next((name for name, text in texts.items() if text.strip()), None)
    if name is None:
        return None
    return Document(value[name], metadata={each: value[each] for each in value if each != name})


def _are_documents(values: object) -> TypeGuard[list[Document]]:
    return isinstance(values, list) and all(isinstance(each, Document) for each in values)


def _is_text_block(block: object) -> bool:
    return is_object(block) and block.get("type") == "text" and isinstance(block.get("text"), str)


def _may_be_several(content: str | list[Any]) -> bool:
    """Return `True` unless the content is one line of text, which is at most one document."""
    if isinstance(content, list):
        return (
            len(content) != 1
            or not _is_text_block(content[0])
            or _may_be_several(content[0]["text"])
        )
    text = content.strip()
    return "\n" in text or text.startswith(("[", "{"))
