"""What can be ranked: a string, a mapping with `text` and/or `image`, or a `RerankDocument`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .errors import InvalidRequestError
from .images import LocalImage, image_problem

_KEYS = frozenset({"text", "image"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankDocument:
    """A document with a text, an image, or both."""

    text: str | None = None
    image: str | None = None
    """An http(s) URL, which OpenRouter fetches, or a data URI `data:image/...;base64,...`."""


Document: TypeAlias = str | Mapping[str, str | None] | RerankDocument
"""What `rerank` takes. The framework packages convert their own documents to this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalImageDocument:
    """A framework's document whose image is in a local file."""

    text: str | None = None
    image: LocalImage


@dataclass(frozen=True, slots=True)
class Unscorable:
    """A framework's document with nothing to rank, and why; it is never sent."""

    reason: str


Content: TypeAlias = str | RerankDocument | LocalImageDocument | Unscorable
"""What a framework's document is converted to."""


def checked_documents(documents: Sequence[Document]) -> tuple[str | RerankDocument, ...]:
    """
    Check `documents` and give each the form in which it is sent.

    A document without an image becomes its text; a blank text beside an image is left out.

    Raises:
        InvalidRequestError: Naming the position of a document that cannot be ranked.
    """
    if isinstance(documents, str | bytes | Mapping):
        message = f"documents must be a list of documents, got one {type(documents).__name__}"
        raise InvalidRequestError(message)
    return tuple(_checked(document, at) for at, document in enumerate(documents))


def _checked(document: object, at: int) -> str | RerankDocument:
    text, image = _fields(document, at)
    has_text = text is not None and not text.isspace() and text != ""
    if image is not None and (problem := image_problem(image)) is not None:
        message = f"documents[{at}]: the image {_shown(image)} {problem}"
        raise InvalidRequestError(message)
    if image is not None:
        return RerankDocument(text=text if has_text else None, image=image)
    if text is None or not has_text:
        # One blank document makes some providers refuse the whole request.
        message = f"documents[{at}] is blank: give it a text or an image, or leave it out"
        raise InvalidRequestError(message)
    return text


def _fields(document: object, at: int) -> tuple[str | None, str | None]:
    match document:
        case str():
            return document, None
        case RerankDocument():
            fields: Mapping[object, object] = {"text": document.text, "image": document.image}
        case Mapping():
            fields = {key: value for key, value in document.items()}
        case _:
            message = (
                f"documents[{at}] is of type {type(document).__name__}: "
                "pass a string, a mapping with text and/or image, or a RerankDocument"
            )
            raise InvalidRequestError(message)
    if unknown := [key for key in fields if key not in _KEYS]:
        message = f"documents[{at}] has the unknown key {unknown[0]!r:.50}: use text and/or image"
        raise InvalidRequestError(message)
    return _string(fields, "text", at), _string(fields, "image", at)


def _string(fields: Mapping[object, object], key: str, at: int) -> str | None:
    value = fields.get(key)
    if value is None or isinstance(value, str):
        return value
    message = f"documents[{at}][{key!r}] is of type {type(value).__name__}: pass a string"
    raise InvalidRequestError(message)


def _shown(image: str) -> str:
    return repr(image if len(image) <= 60 else f"{image[:60]}...")
