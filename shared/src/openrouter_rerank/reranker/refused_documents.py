"""
Finds the documents that an error of the service names: by the URL of an image, or by index. Pure.

Services name a document in many ways. Those that are known are searched for; a number that may be a
count, a size or a status is not an index. A guess may still be wrong: `image 1` is document 1 or
the second image, and a server may name any document. Then the image of a good document, or the
document, is not ranked. The log says so, and the call is made once more at most: if the document
that is to blame is still there, the service refuses it again, and the error is raised.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from openrouter_rerank.documents import Ranked, RerankDocument
from openrouter_rerank.errors import APIStatusError, OpenRouterRerankError
from openrouter_rerank.images import is_url

# Refused before any work was done, because of what was sent: never billed.
_STATUSES = frozenset({400, 413, 415, 422})
# In a path: `documents[3]`, `documents.3`, `passages -> 3`, `"documents",3`.
_STEP = r"""(?:\[|\.|/| ?-> ?|\\?["'], ?)"""
# In words: `document 3`, `document #3`, `input at index 3`. Not `document: 3`, which may be a count
# or a status.
_WORD = r"(?: ?[#=]| (?:#|(?:at )?(?:index|position|number|no\.?)(?: |: ?| ?= ?))?)"
_COUNTED = (
    r"accepted|allowed|found|given|maximum|max|permitted|provided|received|sent|supported|total"
    r"|of|out of|or (?:more|less|fewer)|documents|elements|entries|images|inputs|items|passages"
    r"|texts|bytes?|[kmg]i?b|characters?|chars|pages|pixels|px|seconds|ms|tokens?|words"
)
# No status of HTTP (`404 Not Found`), count (`3 of 5`, `3 provided`) or size (`2 MB`, `640x480`).
_INDEX = (
    r"(?![45]\d\d:? (?:bad|error|forbidden|gone|internal|not|payload|service|too|un))"
    rf"(\d{{1,6}})(?![\w%]|[.,]\d| ?(?:/ ?\d|-\d|x ?\d)| (?:{_COUNTED})\b)"
)
_DOCUMENT = re.compile(
    rf"\b(?:documents?|passages?|inputs?|items?|texts?){_STEP}{_INDEX}"
    rf"|\b(?<!per )(?<!max )(?:document|passage|input|item|text){_WORD}{_INDEX}"
    rf"""|\bindex\\?["']?(?: |: ?| ?= ?){_INDEX}""",
    re.IGNORECASE,
)
_IMAGE = re.compile(
    rf"\bimages?{_STEP}{_INDEX}|\b(?<!per )(?<!max )image{_WORD}{_INDEX}", re.IGNORECASE
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


def refused_documents(
    error: OpenRouterRerankError, documents: Sequence[Ranked], *, are_all: bool = True
) -> set[int]:
    """
    Return the indexes of the documents that `error` names.

    A document without an image is named only if the error is about its length: what else is wrong
    with a text is a mistake of the program.

    Args:
        error: The refusal of the service.
        documents: The documents of the request, in their order.
        are_all: `False` if the request may have had only some of them. Then an index means nothing.
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
    if not are_all:
        return set()
    named = _numbers(_DOCUMENT, text)
    if found := named & images.keys():
        return found
    if named and _TOO_LONG.search(text):
        return {at for at in named if at < len(documents)}
    return _numbered_images(text, images)


def _with_url_in(text: str, images: Mapping[int, str]) -> set[int]:
    """Return the documents whose image URL is in `text`, with or without its query."""
    urls = {at: image for at, image in images.items() if is_url(image)}
    found = {at for at, url in urls.items() if _is_in(text, url, _END_OF_URL)}
    if found:
        return found
    # Signed URLs are long, and services cut them.
    paths = Counter(_without_query(url) for url in set(urls.values()))
    return {
        at
        for at, url in urls.items()
        if paths[path := _without_query(url)] == 1 and _is_in(text, path, _END_OF_PATH)
    }


def _is_in(text: str, url: str, end: str) -> bool:
    # Few URLs are in the text, and a search for the others would take long.
    return url in text and re.search(re.escape(url) + end, text) is not None


def _without_query(url: str) -> str:
    return url.partition("?")[0].partition("#")[0]


def _numbers(pattern: re.Pattern[str], text: str) -> set[int]:
    return {int(found[found.lastindex or 0]) for found in pattern.finditer(text)}


def _numbered_images(text: str, images: Mapping[int, str]) -> set[int]:
    """Return the documents of `image 3` in `text`: document 3, or that of the fourth image."""
    in_order = [*images]
    found: set[int] = set()
    for number in _numbers(_IMAGE, text):
        if number in images:
            found.add(number)
        elif number < len(in_order):
            found.add(in_order[number])
    return found
