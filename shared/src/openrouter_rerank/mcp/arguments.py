"""
Checks the arguments of tool calls. They are written by language models and may be anything.

The messages say what to pass instead, and quote no document.
"""

import json
from collections.abc import Mapping

from pydantic import ValidationError

from openrouter_rerank._wire.request import without_lone_surrogates
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError, shown_value
from openrouter_rerank.mcp.tools import (
    MOST_CHARACTERS,
    MOST_DOCUMENTS,
    MOST_RETURNED,
    DocumentArgument,
    RerankArguments,
)
from openrouter_rerank.models import image_model, known_model

# Problems that one message names.
_MOST_PROBLEMS = 3


def checked_arguments(given: Mapping[str, object]) -> RerankArguments:
    """
    Return the arguments of a call of `rerank`.

    A lone surrogate, which is half of a character that was cut, becomes U+FFFD. A list of documents
    that is written as a JSON text, as some clients send it, is read.

    Raises:
        InvalidRequestError: If an argument is missing, unknown or of a wrong type.
    """
    clean = without_lone_surrogates({**given, **_documents_in_json(given)})
    try:
        return RerankArguments.model_validate(clean)
    except ValidationError as error:
        problems = _problems(error)
    raise InvalidRequestError("; ".join(problems[:_MOST_PROBLEMS]))


def checked_documents(arguments: RerankArguments, model: str) -> list[str | RerankDocument]:
    """
    Return the documents of a call in the form that the client takes.

    Args:
        arguments: The arguments of the call.
        model: The slug of the model that will rank the documents.

    Raises:
        InvalidRequestError: If the documents are too large, or an image cannot be sent.
    """
    characters = len(arguments.query) + sum(map(_characters, arguments.documents))
    if characters > MOST_CHARACTERS:
        raise InvalidRequestError(
            f"the query, texts and images have {characters:,} characters, and at most "
            f"{MOST_CHARACTERS:,} are accepted: pass fewer or shorter documents"
        )
    if arguments.return_documents:
        _check_returned(arguments)
    found: list[str | RerankDocument] = []
    for at, document in enumerate(arguments.documents):
        if isinstance(document, str):
            found.append(document)
        else:
            _check_image(document.image, at, model)
            found.append(RerankDocument(text=document.text, image=document.image))
    return found


def _check_returned(arguments: RerankArguments) -> None:
    lengths = sorted(map(_text_length, arguments.documents), reverse=True)
    characters = sum(lengths[: arguments.top_n])
    if characters > MOST_RETURNED:
        raise InvalidRequestError(
            f"the texts of the results may have {characters:,} characters, and at most "
            f"{MOST_RETURNED:,} are returned: pass a smaller top_n, or return_documents=false"
        )


def _documents_in_json(given: Mapping[str, object]) -> dict[str, object]:
    documents = given.get("documents")
    if not isinstance(documents, str):
        return {}
    try:
        return {"documents": json.loads(documents)}
    except (ValueError, RecursionError):
        return {}


def _check_image(image: str | None, at: int, model: str) -> None:
    if image is None:
        return
    if not image.lower().startswith(("https://", "data:image/")):
        raise InvalidRequestError(
            f"documents[{at}].image must be an https URL or a data URI "
            "(data:image/png;base64,...): files and other URLs are not read"
        )
    listed = known_model(model)
    if listed is not None and not listed.takes_images:
        raise InvalidRequestError(
            f"documents[{at}] has an image, and the model {listed.slug} takes only text: pass "
            f"model={image_model()!r}, or only texts"
        )


def _text_length(document: str | DocumentArgument) -> int:
    return len(document if isinstance(document, str) else document.text or "")


def _characters(document: str | DocumentArgument) -> int:
    image = None if isinstance(document, str) else document.image
    return _text_length(document) + len(image or "")


def _problems(error: ValidationError) -> list[str]:
    """Return a text for each problem, and only one for each document."""
    found: dict[str, None] = {}
    names = RerankArguments.model_fields
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        name, *item = problem["loc"]
        if name == "documents" and item:
            text = f"documents[{item[0]}] must be a string, or an object with text and/or image"
        elif name == "documents" and problem["type"] == "too_long":
            text = f"documents has more than {MOST_DOCUMENTS:,} items: pass the most promising ones"
        elif problem["type"] == "extra_forbidden":
            text = f"unknown argument {shown_value(name)}: the arguments are {', '.join(names)}"
        else:
            text = f"{name}: {problem['msg']}"
        found[text] = None
    return [*found]
