"""
The body of a request, in pieces.

As a whole it would be in memory twice, and be moved about while it grows.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import NamedTuple, TypeAlias

from pydantic_core import to_json

from ._json import mended
from .documents import HeadedText, Ranked, RerankDocument, are_headed, are_strings, whole

_Dumps: TypeAlias = Callable[[object], bytes]

_dumps: _Dumps = to_json
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
    documents: bytes | bytearray
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
        documents: Sequence[Ranked],
        *,
        dumps: _Dumps = _dumps,
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
        head = self._head
        *lists, last = self._lists()
        for each in lists:
            yield _Part(head, each, b",")
            head = b""
        yield _Part(head, last, b"]}")

    def _lists(self) -> Generator[bytes | bytearray]:
        if are_headed(self._documents):
            return _headed(self._dumps, self._documents)
        return _plain(self._dumps, self._documents)


def _plain(dumps: _Dumps, documents: Sequence[Ranked]) -> Generator[bytes]:
    given, sizes = _measured(documents)
    if sum(sizes) <= _AT_ONCE and max(sizes, default=0) < _LONG:
        yield _written(dumps, given)
        return
    # Two images in a piece would be twice as much in memory twice.
    until = [0, *accumulate(_AT_ONCE if size >= _LONG else size for size in sizes)]
    start = 0
    while start < len(given):
        # With the first document that makes the part large enough.
        end = bisect_left(until, until[start] + _AT_ONCE, start + 1, len(given))
        write = dumps if max(sizes[start:end]) < _LONG else to_json
        yield _written(write, given[start:end])
        start = end


def _headed(dumps: _Dumps, documents: Sequence[HeadedText]) -> Generator[bytearray]:
    written = bytearray(b"[")
    for above, below in documents:
        if len(written) > _AT_ONCE:
            written[-1:] = b"]"
            yield written
            written = bytearray(b"[")
        write = dumps if len(below) < _LONG else to_json
        try:
            # Without the quotes between the two.
            opened, closed = write(above)[:-1], write(below)[1:]
        except (TypeError, ValueError):
            opened, closed = b"", write(mended(above + below))
        written += opened
        written += closed
        written += b","
    written[-1:] = b"]"
    yield written


def _written(dumps: _Dumps, group: object) -> bytes:
    try:
        return dumps(group)
    except (TypeError, ValueError):
        return dumps(mended(group))


def _measured(
    documents: Sequence[Ranked],
) -> tuple[Sequence[str | dict[str, str]], list[int]]:
    """Return the documents as JSON has them, and how many characters each of them has."""
    if are_strings(documents):
        return documents, list(map(len, documents))
    given = list(map(_given, documents))
    return given, [len(each) if isinstance(each, str) else _size(each) for each in given]


def _given(document: Ranked) -> str | dict[str, str]:
    if not isinstance(document, RerankDocument):
        # A string of a class that writes itself in another way is what it holds all the same.
        return whole(document) if isinstance(document, tuple) else document
    fields = {"text": document.text, "image": document.image}
    return {key: value for key, value in fields.items() if value is not None}


def _size(given: dict[str, str]) -> int:
    return sum(map(len, given.values()))
