"""
Writes the body of a request, in pieces.

As a whole it would be in memory twice, and be moved about while it grows.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import suppress

from pydantic_core import to_json

from ._json import mended
from .documents import RerankDocument

_dumps: Callable[[object], bytes] = to_json
with suppress(ImportError):
    # langchain-core brings it along. It writes documents in a fifth of the time.
    from orjson import dumps as _dumps

# Characters: large enough that few pieces are sent, small enough that their memory is used again.
_PIECE = 192 * 1024


def pieces(
    fields: bytes,
    documents: Iterable[str | RerankDocument],
    *,
    dumps: Callable[[object], bytes] = _dumps,
) -> Generator[bytes]:
    """
    Add `documents` to the object that `fields` is.

    Half a surrogate pair, which damaged documents contain and UTF-8 cannot express, becomes U+FFFD.

    Args:
        fields: An object in JSON; not an empty one.
        documents: At least one.
        dumps: Writes JSON compactly, as UTF-8; raises `TypeError` or `ValueError` at half a pair.
    """
    head = fields.removesuffix(b"}") + b',"documents":['
    group: list[object] = []
    size = 0
    for document in documents:
        if size >= _PIECE:
            yield _piece(dumps, head, group, b",")
            head, group, size = b"", [], 0
        if isinstance(document, str):
            group.append(document)
            size += len(document)
        else:
            group.append(given := _given(document))
            size += sum(map(len, given.values()))
    yield _piece(dumps, head, group, b"]}")


def _piece(dumps: Callable[[object], bytes], head: bytes, group: list[object], end: bytes) -> bytes:
    try:
        written = dumps(group)
    except (TypeError, ValueError):
        written = dumps(mended(group))
    # Without the brackets of the group.
    return b"".join((head, memoryview(written)[1:-1], end))


def _given(document: RerankDocument) -> dict[str, str]:
    fields = {"text": document.text, "image": document.image}
    return {key: value for key, value in fields.items() if value is not None}
