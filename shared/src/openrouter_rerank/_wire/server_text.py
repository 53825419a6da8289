"""
Texts of a server, made fit for messages and logs.

A server is not trusted: its texts may be of any size, forge lines of a log, or echo the API key. So
each text that is kept is masked, made one line, and cut.
"""

import html
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from openrouter_rerank._attempt import Response

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

# Characters of each text of a server that are kept.
_LONGEST_TEXT = 300
# Characters of each text of a server that are read. The end of a longer text may be a part of a
# secret, which is not masked, so it is never shown.
_LONGEST_READ = 16_384
_UNSHOWN_END = 8_192
# Items of each object and list of a server that are read.
MOST_ITEMS = 20
# Objects within objects that are searched for a message.
_DEEPEST = 5
# Values that are searched for a message.
_MOST_VALUES = 200
# Bytes of a nested JSON text that are parsed.
_LONGEST_JSON = 100_000
# Where services, providers and gateways put the reason: the clearest field first.
_MESSAGE_FIELDS = ("message", "msg", "detail", "error", "errors", "error_message", "reason")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")
_OBJECT = TypeAdapter(dict[str, object])
_LIST = TypeAdapter(list[object])


def shown(text: str, response: Response) -> str:
    """Return a text of `response` without secrets, as one line of at most 300 characters."""
    is_cut = len(text) > _LONGEST_READ
    text = text[:_LONGEST_READ]
    # A text may be cut JSON, whose escapes would hide a secret.
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text) if "\\u" in text else text
    masked = response.masked(plain)
    return log_safe((masked[:-_UNSHOWN_END] if is_cut else masked).strip())


def log_safe(text: str) -> str:
    """Return `text` as one line: control characters escaped, 300 characters at most."""
    cut = text[:_LONGEST_TEXT]
    if cut.isprintable():
        return cut
    return "".join(
        mark if mark.isprintable() else mark.encode("unicode_escape").decode() for mark in cut
    )[:_LONGEST_TEXT]


def host_of(url: str) -> str:
    """Return the host of `url`, with the port if `url` names it."""
    return urlsplit(url).netloc or "the server"


def description(response: Response) -> str:
    """Describe a response by media type and size, without quoting its content."""
    kind = shown(response.headers.get("content-type", "no content type"), response)
    return f"{kind}, {len(response.body)} bytes"


def title(body: bytes) -> str:
    """Return the title of a web page. OpenRouter's edge network says there what happened."""
    head = body[:4096].decode("utf-8", "replace")
    start = head.lower().find("<title>")
    end = head.lower().find("</title>")
    return html.unescape(head[start + 7 : end]).strip() if 0 <= start < end else ""


def is_page(response: Response) -> bool:
    """Return `True` if the response is a web page, which no rerank endpoint returns."""
    kind = response.headers.get("content-type", "").lower()
    return "html" in kind or response.body[:64].lstrip()[:1] == b"<"


def json_body(body: bytes) -> Mapping[str, object]:
    """Return the JSON object in `body`. Empty if it is anything else."""
    try:
        return _OBJECT.validate_json(body)
    except ValidationError:
        # Pydantic refuses lone surrogates and NaN, which a provider's text may contain.
        return json_object(json_value(body[:_LONGEST_JSON]))


def json_value(body: bytes) -> JSON:
    """
    Return the JSON value in `body`. `None` if there is none, or if it is nested too deeply.

    Lone surrogates, NaN and numbers of thousands of digits are read too.
    """
    try:
        found: JSON = json.loads(body, parse_int=_short_number)
    except (ValueError, RecursionError):
        return None
    return found


def _short_number(digits: str) -> float:
    """Return a whole number of a JSON text, or infinity if it has many digits."""
    # Python refuses to read a number of thousands of digits.
    return int(digits) if len(digits) < 20 else math.inf


def json_object(value: object) -> Mapping[str, object]:
    """Return a JSON value if it is an object, else an empty object."""
    try:
        return _OBJECT.validate_python(value)
    except ValidationError:
        return {}


def json_list(value: object, most: int = MOST_ITEMS) -> list[object]:
    """Return the first items of a JSON value if it is a list, else an empty list."""
    try:
        return _LIST.validate_python(value, strict=True)[:most]
    except ValidationError:
        return []


def message_in(value: object) -> str:
    """Return the text of the message in a JSON value. Empty if there is none."""
    return _message_in(value, 0, iter(range(_MOST_VALUES)))


def _message_in(value: object, depth: int, left: Iterator[int]) -> str:
    if isinstance(value, str):
        return value.strip()
    if depth == _DEEPEST or next(left, None) is None:
        return ""
    if fields := json_object(value):
        found = (_message_in(fields.get(name), depth + 1, left) for name in _MESSAGE_FIELDS)
        return next(filter(None, found), "")
    found = (_message_in(item, depth + 1, left) for item in json_list(value))
    return "; ".join(filter(None, found))


def unpacked(text: object) -> object:
    """Return the JSON object or list that is written in `text`. Anything else is returned as is."""
    if not isinstance(text, str) or text.lstrip()[:1] not in {"{", "["}:
        return text
    try:
        # A text that was cut, by us or by the service, is not JSON: it is shown unchanged.
        found: object = json.loads(text[:_LONGEST_JSON])
    except (ValueError, RecursionError):
        return text
    return found
