"""What can be ranked: a string, a mapping with `text` and/or `image`, or a `RerankDocument`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from .errors import InvalidRequestError
from .images import image_problem

__all__ = ["Document", "RerankDocument"]

_KEYS = frozenset({"text", "image"})
_END = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankDocument:
    """A document with a text, an image, or both."""

    text: str | None = None
    image: str | None = None
    """An http(s) URL, which OpenRouter fetches, or a data URI `data:image/...;base64,...`."""

    def __hash__(self) -> int:
        # Images in base64 are large, and almost all that differ do so at their ends. Signed URLs
        # have their ends in common, and are short.
        image = self.image or ""
        return hash((self.text, len(image), image[-_END:]))


HeadedText: TypeAlias = tuple[str, str]
"""
A heading, such as metadata, and the text below it: ranked as the one text that they make.

The two are joined as late as can be. A text that is used in many calls keeps its hash and its
UTF-8, and what is joined anew in each call has neither. Tuples, because Python's garbage collector
forgets those of strings.

The heading ends with an empty line, and has no other. So no text can be taken apart in two ways,
and two of these are equal if their whole texts are.
"""

Document: TypeAlias = str | Mapping[str, str | None] | RerankDocument
"""What `rerank` takes. The framework packages convert their own documents to this."""

Ranked: TypeAlias = str | RerankDocument | HeadedText
"""A document in the form in which it is sent. If one is a `HeadedText`, all of a call are."""


class CheckedDocuments(tuple[Ranked, ...]):
    """Documents that can be sent as they are: each has something to rank, and it is valid."""

    __slots__ = ()


def are_texts(documents: tuple[object, ...]) -> TypeGuard[tuple[str, ...]]:
    """Tell at once whether all are strings with a text in them."""
    return are_strings(documents) and all(documents) and not any(map(str.isspace, documents))


def checked_documents(documents: Sequence[Document] | CheckedDocuments) -> CheckedDocuments:
    """
    Check `documents` and give each the form in which it is sent.

    A document without an image becomes its text; a blank text beside an image is left out.

    Raises:
        InvalidRequestError: Naming the position of a document that cannot be ranked.
    """
    if isinstance(documents, CheckedDocuments):
        return documents
    if isinstance(documents, str | bytes | Mapping | set | frozenset) or not _is_iterable(
        documents
    ):
        raise InvalidRequestError(
            f"documents must be a list of documents, got one {type(documents).__name__}"
        )
    given = tuple(documents)
    if are_texts(given):
        return CheckedDocuments(given)
    return CheckedDocuments(_checked(document, at) for at, document in enumerate(given))


def are_strings(documents: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Tell at once whether all are strings, as most documents are."""
    return set(map(type, documents)) <= {str}


def are_headed(documents: Sequence[object]) -> TypeGuard[Sequence[HeadedText]]:
    """Tell at once whether all are headed texts, and there is one."""
    return set(map(type, documents)) == {tuple}


def whole(document: HeadedText) -> str:
    """Return the text that a heading and a text make."""
    return "".join(document)


def check_fields(document: RerankDocument, at: int) -> None:
    """
    Check that what is in a document is of the right type, whatever it is.

    Raises:
        InvalidRequestError: Naming its position in the list, and the field.
    """
    _string(document.text, at, "text")
    _string(document.image, at, "image")


def _checked(document: Document, at: int) -> str | RerankDocument:
    text, image = _text_and_image(document, at)
    text = text if text is not None and text.strip() else None
    if image is not None and (problem := image_problem(image)) is not None:
        # Not quoted: no document belongs in an error.
        raise InvalidRequestError(f"documents[{at}]: the image {problem}")
    if image is not None:
        return RerankDocument(text=text, image=image)
    if text is None:
        # One blank document makes some providers refuse the whole request.
        raise InvalidRequestError(
            f"documents[{at}] is blank: give it a text or an image, or leave it out"
        )
    return text


def _text_and_image(document: Document, at: int) -> tuple[str | None, str | None]:
    if isinstance(document, str):
        return document, None
    if isinstance(document, RerankDocument):
        check_fields(document, at)
        return document.text, document.image
    if not _is_mapping(document):
        raise InvalidRequestError(
            f"documents[{at}] is of type {type(document).__name__}: "
            "pass a string, a mapping with text and/or image, or a RerankDocument"
        )
    if unknown := [key for key in document if key not in _KEYS]:
        raise InvalidRequestError(
            f"documents[{at}] has the unknown key {unknown[0]!r:.50}: use text and/or image"
        )
    return _string(document.get("text"), at, "text"), _string(document.get("image"), at, "image")


def _string(value: object, at: int, key: str) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise InvalidRequestError(
        f"{key} of documents[{at}] is of type {type(value).__name__}: pass a string"
    )


def _is_iterable(documents: object) -> bool:
    return isinstance(documents, Iterable)


def _is_mapping(document: object) -> bool:
    return isinstance(document, Mapping)
