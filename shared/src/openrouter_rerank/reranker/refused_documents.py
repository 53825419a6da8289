"""
Finds the documents that an error of the service names: by the URL of an image, or by index. Pure.

Services name a document in many ways, so the texts are searched for all that are known. A wrong
guess does no harm: without the document that is to blame, the request would succeed, and without
another it fails again.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from openrouter_rerank.documents import Ranked, RerankDocument
from openrouter_rerank.errors import APIStatusError, OpenRouterRerankError
from openrouter_rerank.images import is_url

# Refused before any work was done, because of what was sent: never billed.
_STATUSES = frozenset({400, 413, 415, 422})
# `documents[3].image`, `passages -> 3 -> image`, `document 3`, `input at index 3`.
_DOCUMENT = re.compile(
    r"\b(?:documents?|passages?|inputs?|items?|texts?)"
    r"(?: ?(?:at )?(?:index|position|number|no\.?))?[\s.\[\]:=#>'\",-]{1,5}(\d{1,6})\b"
    r"|\b(?:index|position)[\s:=]{1,3}(\d{1,6})\b",
    re.IGNORECASE,
)
_IMAGE = re.compile(
    r"\bimages?(?: ?(?:index|number|no\.?))?[\s.\[:=#]{1,3}(\d{1,6})\b", re.IGNORECASE
)
_TOO_LONG = re.compile(r"too (?:long|large|many tokens)|exceed|maximum|token limit", re.IGNORECASE)
# A URL ends before a character that cannot follow it. A dot may end the sentence.
_END_OF_URL = r"(?![\w/%?&=#+~-]|\.\w)"
_END_OF_PATH = r"(?![\w/%+~-]|\.\w)"


def is_refusal(error: OpenRouterRerankError) -> bool:
    """Return `True` if the service refused what was sent, which costs nothing."""
    return (
        isinstance(error, APIStatusError) and error.status_code in _STATUSES and not error.retryable
    )


def refused_documents(error: OpenRouterRerankError, documents: Sequence[Ranked]) -> set[int]:
    """
    Return the indexes of the documents that `error` names.

    A document without an image is named only if the error is about its length: what else is wrong
    with a text is a mistake of the program.

    Args:
        error: The refusal of the service.
        documents: The documents of the request, in their order.
    """
    raw = error.metadata.get("raw")
    text = f"{error.message}\n{raw}" if isinstance(raw, str) else error.message
    images = {
        at: document.image
        for at, document in enumerate(documents)
        if isinstance(document, RerankDocument) and document.image is not None
    }
    if by_url := _with_url_in(text, images):
        return by_url
    named = {int(first or second) for first, second in _DOCUMENT.findall(text)}
    if found := named & images.keys():
        return found
    if named and _TOO_LONG.search(text):
        return {at for at in named if at < len(documents)}
    return _numbered_images(text, images)


def _with_url_in(text: str, images: Mapping[int, str]) -> set[int]:
    """Return the documents whose image URL is in `text`, if need be without its query."""
    urls = {at: image for at, image in images.items() if is_url(image)}
    found = {at for at, url in urls.items() if re.search(re.escape(url) + _END_OF_URL, text)}
    if found:
        return found
    # Signed URLs are long, and services cut them.
    paths = Counter(_without_query(url) for url in set(urls.values()))
    return {
        at
        for at, url in urls.items()
        if paths[path := _without_query(url)] == 1
        and re.search(re.escape(path) + _END_OF_PATH, text)
    }


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


def _numbered_images(text: str, images: Mapping[int, str]) -> set[int]:
    """Return the documents of `image 3` in `text`: document 3, or that of the fourth image."""
    in_order = [*images]
    found: set[int] = set()
    for number in map(int, _IMAGE.findall(text)):
        if number in images:
            found.add(number)
        elif number < len(in_order):
            found.add(in_order[number])
    return found
