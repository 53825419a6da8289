"""
The body of a request, in pieces.

As a whole it would be in memory twice, and be moved about while it grows.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import NamedTuple

from pydantic_core import to_json

from ._json import mended
from .documents import RerankDocument, are_strings

_dumps: Callable[[object], bytes] = to_json
with suppress(ImportError):
    # langchain-core brings it along. It writes documents in a fifth of the time.
    from orjson import dumps as _dumps

# Characters that are written at once: most bodies are, and of a large one not all is there twice.
_AT_ONCE = 2 * 1024 * 1024
# Bytes. Of larger ones that were sent whole, the process keeps the memory while the answer grows.
_PIECE = 512 * 1024
# Characters of a document from which on orjson takes too much: it reserves eight times as much.
_LONG = 384 * 1024


class _Part(NamedTuple):
    """Documents that were written at once, and what stands around them."""

    head: bytes
    documents: bytes
    """A list; its brackets are not sent."""
    end: bytes

    @property
    def size(self) -> int:
        return len(self.head) + len(self.documents) - 2 + len(self.end)

    def pieces(self) -> Generator[bytes]:
        left = memoryview(self.documents)[1:-1]
        head = self.head
        while len(left) > _PIECE:
            yield b"".join((head, left[:_PIECE]))
            head, left = b"", left[_PIECE:]
        yield b"".join((head, left, self.end))


class RequestBody:
    """
    An object with a list of documents, in pieces; nothing is kept that was sent.

    httpx takes its write timeout for the whole of a body in one piece, and for each of several.
    The answer may echo all documents, which would be in memory beside it. A body that is sent again
    is written again, the same.

    Half a surrogate pair, which damaged documents contain and UTF-8 cannot express, becomes U+FFFD.

    Args:
        fields: The object in JSON, without the documents; not an empty one.
        documents: At least one.
        dumps: Writes JSON compactly, as UTF-8; raises `TypeError` or `ValueError` at half a pair.
    """

    def __init__(
        self,
        fields: bytes,
        documents: Sequence[str | RerankDocument],
        *,
        dumps: Callable[[object], bytes] = _dumps,
    ) -> None:
        self._head = fields.removesuffix(b"}") + b',"documents":['
        self._documents = documents
        self._dumps = dumps
        self._written = deque(self._parts())
        self.size = sum(part.size for part in self._written)
        """Bytes."""

    def __iter__(self) -> Iterator[bytes]:
        parts, self._written = self._written or deque(self._parts()), deque[_Part]()
        while parts:
            yield from parts.popleft().pieces()

    def _parts(self) -> Generator[_Part]:
        given, sizes = _measured(self._documents)
        # Two images in a piece would be twice as much in memory twice.
        until = [0, *accumulate(_AT_ONCE if size >= _LONG else size for size in sizes)]
        head, start = self._head, 0
        last = False
        while not last:
            # With the first document that makes the part large enough.
            end = bisect_left(until, until[start] + _AT_ONCE, start + 1, len(given))
            last = end >= len(given)
            dumps = self._dumps if max(sizes[start:end], default=0) < _LONG else to_json
            yield _Part(head, _in_json(dumps, given[start:end]), b"]}" if last else b",")
            head, start = b"", end


def _in_json(dumps: Callable[[object], bytes], group: object) -> bytes:
    try:
        return dumps(group)
    except (TypeError, ValueError):
        return dumps(mended(group))


def _measured(
    documents: Sequence[str | RerankDocument],
) -> tuple[Sequence[str | dict[str, str]], list[int]]:
    """Return the documents as JSON has them, and how many characters each of them has."""
    if are_strings(documents):
        return documents, list(map(len, documents))
    given = [each if isinstance(each, str) else _given(each) for each in documents]
    return given, [len(each) if isinstance(each, str) else _size(each) for each in given]


def _given(document: RerankDocument) -> dict[str, str]:
    fields = {"text": document.text, "image": document.image}
    return {key: value for key, value in fields.items() if value is not None}


def _size(given: dict[str, str]) -> int:
    return sum(map(len, given.values()))
