"""
Texts of a server, made fit for messages and logs.

A server is not trusted: its texts may be of any size, forge lines of a log, or echo the API key. So
each text that is kept is masked, made one line, and cut.
"""

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from openrouter_rerank._attempt import Response

# Characters of each text of a server that are kept.
_LONGEST_TEXT = 300
# Items of each object and list of a server that are read.
MOST_ITEMS = 20
# Objects within objects that are searched for a message.
_DEEPEST = 5
# Bytes of a nested JSON text that are parsed.
_LONGEST_JSON = 100_000
# Where services, providers and gateways put the reason: the clearest field first.
_MESSAGE_FIELDS = ("message", "msg", "detail", "error", "errors", "error_message", "reason")
_OBJECT = TypeAdapter(dict[str, object])
_LIST = TypeAdapter(list[object])


def shown(text: str, response: Response) -> str:
    """Return a text of `response` without secrets, as one line of at most 300 characters."""
    return log_safe(response.masked(text).strip())


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
    return head[start + 7 : end].strip() if 0 <= start < end else ""


def is_page(response: Response) -> bool:
    """Return `True` if the response is a web page, which no rerank endpoint returns."""
    kind = response.headers.get("content-type", "").lower()
    return "html" in kind or response.body[:64].lstrip()[:1] == b"<"


def json_body(body: bytes) -> Mapping[str, object]:
    """Return the JSON object in `body`. Empty if it is anything else."""
    try:
        return _OBJECT.validate_json(body)
    except ValidationError:
        return {}


def json_object(value: object) -> Mapping[str, object]:
    """Return a JSON value if it is an object, else an empty object."""
    try:
        return _OBJECT.validate_python(value)
    except ValidationError:
        return {}


def json_list(value: object) -> list[object]:
    """Return the first items of a JSON value if it is a list, else an empty list."""
    try:
        return _LIST.validate_python(value, strict=True)[:MOST_ITEMS]
    except ValidationError:
        return []


def message_in(value: object, depth: int = 0) -> str:
    """Return the text of the message in a JSON value. Empty if there is none."""
    if isinstance(value, str):
        return value.strip()
    if depth == _DEEPEST:
        return ""
    if fields := json_object(value):
        found = (message_in(fields.get(name), depth + 1) for name in _MESSAGE_FIELDS)
        return next(filter(None, found), "")
    return "; ".join(filter(None, (message_in(item, depth + 1) for item in json_list(value))))


def unpacked(text: object) -> object:
    """Return the JSON object or list that is written in `text`. Anything else is returned as is."""
    if not isinstance(text, str) or text.lstrip()[:1] not in {"{", "["}:
        return text
    try:
        # A text that was cut, by us or by the service, is no JSON: it is shown as it is.
        found: object = json.loads(text[:_LONGEST_JSON])
    except (ValueError, RecursionError):
        return text
    return found
