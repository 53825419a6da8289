"""
The body of a request, in pieces.

As a whole it would be in memory twice, and be moved about while it grows.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import Literal, NamedTuple, TypeAlias

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from openrouter_rerank._attempt import Request
from openrouter_rerank.documents import (
    HeadedText,
    Ranked,
    RerankDocument,
    are_headed,
    are_strings,
    whole,
)
from openrouter_rerank.errors import InvalidRequestError

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


def encode(
    model: str,
    query: str,
    documents: Sequence[Ranked],
    *,
    top_n: int | None = None,
    extra: Mapping[str, object] | None = None,
) -> Request:
    """
    Write the body of the request that asks `model`.

    Text goes out as UTF-8, not escaped. Half a surrogate pair, which damaged documents contain and
    UTF-8 cannot express, goes out as U+FFFD.

    Raises:
        InvalidRequestError: If an extra field cannot be written as JSON.
    """
    sent = len(documents)
    is_cut = top_n is not None and top_n < sent
    fields: dict[str, object] = {
        "model": model,
        "query": query,
        # Some servers refuse a null.
        **({"top_n": top_n} if is_cut else {}),
        **(extra or {}),
    }
    head = written(fields) or written(mended(fields))
    if head is None or (extra and not is_finite(mended(extra))):
        # Raised here and not where it was met: no document is in the context of the error.
        raise InvalidRequestError(
            "an extra field of the request cannot be written as JSON: use plain JSON values"
        )
    return Request(
        body=RequestBody(head, documents),
        model=model,
        documents=sent,
        results=top_n if top_n is not None and is_cut else sent,
    )


def written(
    value: object, *, non_finite: Literal["constants", "null"] = "constants"
) -> bytes | None:
    """Write `value`; nothing if it is no JSON, or half a surrogate pair is in it."""
    try:
        return to_json(value, inf_nan_mode=non_finite)
    except ValueError:
        return None


def is_finite(value: object) -> bool:
    """Tell whether neither NaN nor infinity is in `value`: they are no JSON."""
    return written(value) == written(value, non_finite="null")


def mended(value: object) -> object:
    """Replace half a surrogate pair, which UTF-8 cannot express, by U+FFFD; join a whole one."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    try:
        tree = _TREE.validate_python(value)
        if isinstance(tree, dict):
            return {mended(key): mended(item) for key, item in tree.items()}
        return [mended(item) for item in tree]
    except (ValidationError, RecursionError):
        # What is no tree, or too deep a one, is left for the writer to refuse.
        return value


_TREE = TypeAdapter(dict[str, object] | list[object])
