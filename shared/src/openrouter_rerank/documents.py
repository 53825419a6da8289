"""
What can be ranked: a string, a mapping with `text` and/or `image`, or a `RerankDocument`.

Documents are checked here and brought into the form in which they are sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from .errors import InvalidRequestError, shown_value
from .images import image_problem

if TYPE_CHECKING:
    from typing_extensions import TypeIs

__all__ = ["Document", "RerankDocument"]

_KEYS = frozenset({"text", "image"})
# Characters of an image that are hashed.
_HASHED_END = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankDocument:
    """A document with a text, an image, or both."""

    text: str | None = None
    image: str | None = None
    """An http(s) URL, which OpenRouter fetches, or a data URI `data:image/...;base64,...`."""

    def __hash__(self) -> int:
        # Images in base64 are large, and nearly all different ones differ in their ends. Signed
        # URLs may have equal ends, but they are short enough to be hashed as a whole.
        image = self.image or ""
        return hash((self.text, len(image), image[-_HASHED_END:]))


HeadedText: TypeAlias = tuple[str, str]
"""
A heading, such as metadata, and the text below it. They are ranked as one text.

They are kept apart because Python caches the hash and the UTF-8 of a string. A text that is used
in many calls keeps both; a string that each call joins again has neither. It is a plain tuple,
because Python's garbage collector stops tracking tuples of strings, unlike instances of a class.

The heading ends with an empty line and has no other empty line. So there is one way to take a text
apart, and two headed texts are equal if and only if their joined texts are equal.
"""

Document: TypeAlias = str | Mapping[str, str | None] | RerankDocument
"""What `rerank` takes. The framework packages convert their documents to this."""

Ranked: TypeAlias = str | RerankDocument | HeadedText
"""
A document in the form in which it is sent.

In one call, either all documents are headed texts or none is.
"""


class CheckedDocuments(tuple[Ranked, ...]):
    """Documents that are ready to be sent: each is valid and has a text or an image."""

    __slots__ = ()


def checked_documents(documents: Sequence[Document] | CheckedDocuments) -> CheckedDocuments:
    """
    Check `documents`, and return them in the form in which they are sent.

    A document without an image becomes its text. A blank text is left out of a document with an
    image.

    Raises:
        InvalidRequestError: If a document cannot be ranked. The message names its position.
    """
    if isinstance(documents, CheckedDocuments):
        return documents
    if not _is_list(documents):
        raise InvalidRequestError(
            f"documents must be a list of documents, got an object of type "
            f"{type(documents).__name__}: pass [...], with one item for each document"
        )
    given = tuple(documents)
    if are_texts(given):
        return CheckedDocuments(given)
    return CheckedDocuments(_checked(document, at) for at, document in enumerate(given))


def are_texts(documents: tuple[object, ...]) -> TypeGuard[tuple[str, ...]]:
    """Return `True` if every document is a string that is not blank. Fast: no loop in Python."""
    return are_strings(documents) and all(documents) and not any(map(str.isspace, documents))


def are_strings(documents: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Return `True` if every document is a plain string, as most are. Fast: no loop in Python."""
    return set(map(type, documents)) <= {str}


def are_headed(documents: Sequence[object]) -> TypeGuard[Sequence[HeadedText]]:
    """Return `True` if every document is a headed text and there is at least one."""
    return set(map(type, documents)) == {tuple}


def is_headed(document: object) -> "TypeIs[HeadedText]":
    """Return `True` if `document` is a headed text."""
    return isinstance(document, tuple)


def longest_text(documents: Sequence[Ranked]) -> int:
    """Return the number of characters of the longest text. Fast: no loop in Python for strings."""
    lengths = map(len, documents) if are_strings(documents) else map(_text_length, documents)
    return max(lengths, default=0)


def joined_text(document: HeadedText) -> str:
    """Return the heading and the text of `document` as one text."""
    return "".join(document)


def check_fields(document: RerankDocument, at: int) -> None:
    """
    Check the types of a document's fields. Users can put any object into them.

    Args:
        document: The document.
        at: Its position in the input.

    Raises:
        InvalidRequestError: If a field is not a string. The message names position and field.
    """
    _string(document.text, at, "text")
    _string(document.image, at, "image")


def _checked(document: Document, at: int) -> str | RerankDocument:
    text, image = _text_and_image(document, at)
    text = text if text is not None and text.strip() else None
    if image is not None and (problem := image_problem(image)) is not None:
        # The image is not quoted: errors must not contain documents.
        raise InvalidRequestError(f"documents[{at}]: the image {problem}")
    if image is not None:
        return RerankDocument(text=text, image=image)
    if text is None:
        # Some providers refuse a request with a blank document in it.
        raise InvalidRequestError(
            f"documents[{at}] is blank: give it a text or an image, or leave it out"
        )
    return text


def _text_and_image(document: Document, at: int) -> tuple[str | None, str | None]:
    if isinstance(document, str):
        # If it is of a subclass, take the content.
        return str.__str__(document), None
    if isinstance(document, RerankDocument):
        return _string(document.text, at, "text"), _string(document.image, at, "image")
    if _is_scored(document):
        raise InvalidRequestError(
            f"documents[{at}] is a tuple with a score: pass only the document, its first item"
        )
    if not _is_mapping(document):
        raise InvalidRequestError(
            f"documents[{at}] is of type {type(document).__name__}: "
            "pass a string, a mapping with text and/or image, or a RerankDocument"
        )
    if unknown := [key for key in document if key not in _KEYS]:
        raise InvalidRequestError(
            f"documents[{at}] has the unknown key {shown_value(unknown[0])}: use text and/or image"
        )
    return _string(document.get("text"), at, "text"), _string(document.get("image"), at, "image")


def _text_length(document: Ranked) -> int:
    if isinstance(document, RerankDocument):
        return len(document.text or "")
    return sum(map(len, document)) if isinstance(document, tuple) else len(document)


def _string(value: object, at: int, key: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return str.__str__(value)
    wanted = "a string" if key == "text" else "an http(s) URL, or what data_uri(data) returns"
    raise InvalidRequestError(
        f"{key} of documents[{at}] is of type {type(value).__name__}: pass {wanted}"
    )


def _is_list(documents: object) -> bool:
    if type(documents) is list:
        # Most are. The checks of abstract classes are slow.
        return True
    # A model of Pydantic, such as one document of a framework, yields its fields.
    is_model = hasattr(type(documents), "model_fields")
    is_other = isinstance(documents, str | bytes | Mapping | set | frozenset)
    return isinstance(documents, Iterable) and not is_model and not is_other


def _is_scored(document: object) -> bool:
    return _is_tuple(document) and len(document) == 2 and isinstance(document[1], float)


def _is_tuple(document: object) -> TypeGuard[tuple[object, ...]]:
    return isinstance(document, tuple)


def _is_mapping(document: object) -> bool:
    return isinstance(document, Mapping)
