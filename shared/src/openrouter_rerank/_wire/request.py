"""
Writes the body of a request, in pieces.

A body in one piece would be in memory twice, and would be copied while it grows.
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
    is_headed,
    joined_text,
)
from openrouter_rerank.errors import InvalidRequestError

_Dumps: TypeAlias = Callable[[object], bytes]

_dumps: _Dumps = to_json
with suppress(ImportError):
    # Installed with langchain-core. It writes documents in a fifth of the time.
    from orjson import dumps as _dumps

# Characters of documents that are written together. Most bodies have fewer; of a larger one, only
# this much is in memory twice.
_CHUNK_CHARACTERS = 2 * 1024 * 1024
# Bytes that are yielded together. The process keeps the memory of larger pieces after they were
# sent, while the response grows.
_PIECE_BYTES = 512 * 1024
# Documents with at least this number of characters are written by pydantic, because orjson reserves
# eight times as much memory.
_LONG_DOCUMENT = 384 * 1024


def encode(
    model: str,
    query: str,
    documents: Sequence[Ranked],
    *,
    top_n: int | None = None,
    extra: Mapping[str, object] | None = None,
) -> Request:
    """
    Write the request that asks `model` to rank `documents`.

    Text is written as UTF-8 and not escaped. A lone surrogate, which damaged documents contain and
    UTF-8 cannot express, is written as U+FFFD.

    Args:
        model: The slug of the model.
        query: The question.
        documents: The documents, checked.
        top_n: The number of results to request, or `None` for all.
        extra: Further fields of the body.

    Raises:
        InvalidRequestError: If a field of `extra` cannot be written as JSON.
    """
    results = len(documents) if top_n is None else min(top_n, len(documents))
    fields: dict[str, object] = {
        "model": model,
        "query": query,
        # Left out if it cuts nothing, and not sent as null, which some servers refuse.
        **({"top_n": results} if results < len(documents) else {}),
        **(extra or {}),
    }
    head = _json(fields) or _json(without_lone_surrogates(fields))
    if head is None or (extra and not _is_finite(without_lone_surrogates(extra))):
        # Raised here and not where the JSON writer fails: there it would have the writer's error as
        # its context, with the query in its traceback.
        raise InvalidRequestError(
            "an extra field of the request cannot be written as JSON: use plain JSON values"
        )
    return Request(
        body=RequestBody(head, documents),
        model=model,
        documents=len(documents),
        results=results,
    )


class RequestBody:
    """
    A JSON object with a list of documents, in pieces.

    It is in pieces because httpx applies its write timeout to each piece: a body in one piece would
    have to be sent within one write timeout. A piece that was sent is not kept, because the
    response may echo all documents, and both would be in memory together. If the body is sent
    again, it is written again, with the same bytes.

    A lone surrogate, which damaged documents contain and UTF-8 cannot express, becomes U+FFFD.

    Args:
        fields: The other fields of the object, at least one, as a JSON object.
        documents: The documents.
        dumps: Writes compact JSON as UTF-8. Raises `TypeError` or `ValueError` for a lone
            surrogate. Default: orjson if it is installed, else pydantic.
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
        self._written = deque(self._chunks())
        self.size = sum(chunk.size for chunk in self._written)
        """The number of bytes."""

    def __iter__(self) -> Iterator[bytes]:
        chunks, self._written = self._written or deque(self._chunks()), deque[_Chunk]()
        while chunks:
            yield from chunks.popleft().pieces()

    def _chunks(self) -> Generator["_Chunk"]:
        head = self._head
        *lists, last = self._lists()
        for each in lists:
            yield _Chunk(head, each, b",")
            head = b""
        yield _Chunk(head, last, b"]}")

    def _lists(self) -> Generator[bytes | bytearray]:
        if are_headed(self._documents):
            return _headed_lists(self._dumps, self._documents)
        return _plain_lists(self._dumps, self._documents)


class _Chunk(NamedTuple):
    """Documents that were written together, with the bytes before and after them."""

    head: bytes
    documents: bytes | bytearray
    """A JSON list, whose brackets are not sent."""
    end: bytes

    @property
    def size(self) -> int:
        return len(self.head) + len(self.documents) - 2 + len(self.end)

    def pieces(self) -> Generator[bytes]:
        left = memoryview(self.documents)[1:-1]
        head = self.head
        while len(left) > _PIECE_BYTES:
            yield b"".join((head, left[:_PIECE_BYTES]))
            head, left = b"", left[_PIECE_BYTES:]
        yield b"".join((head, left, self.end))


def _plain_lists(dumps: _Dumps, documents: Sequence[Ranked]) -> Generator[bytes]:
    """Yield the JSON lists of `documents` that are not headed texts."""
    values, sizes = _values_and_sizes(documents)
    if sum(sizes) <= _CHUNK_CHARACTERS and max(sizes, default=0) < _LONG_DOCUMENT:
        yield _dumped(dumps, values)
        return
    # A long document, such as an image, ends its chunk: of two in one chunk, both would be in
    # memory twice.
    ends = [
        0,
        *accumulate(_CHUNK_CHARACTERS if size >= _LONG_DOCUMENT else size for size in sizes),
    ]
    start = 0
    while start < len(values):
        # The first document with which the chunk is large enough is the last one in it.
        end = bisect_left(ends, ends[start] + _CHUNK_CHARACTERS, start + 1, len(values))
        writer = dumps if max(sizes[start:end]) < _LONG_DOCUMENT else to_json
        yield _dumped(writer, values[start:end])
        start = end


def _headed_lists(dumps: _Dumps, documents: Sequence[HeadedText]) -> Generator[bytearray]:
    """Yield the JSON lists of headed texts, each written as one string without being joined."""
    written = bytearray(b"[")
    for heading, text in documents:
        if len(written) > _CHUNK_CHARACTERS:
            written[-1:] = b"]"
            yield written
            written = bytearray(b"[")
        writer = dumps if len(text) < _LONG_DOCUMENT else to_json
        try:
            # Without the closing quote of the heading and the opening quote of the text.
            opened, closed = writer(heading)[:-1], writer(text)[1:]
        except (TypeError, ValueError):
            opened, closed = b"", writer(without_lone_surrogates(heading + text))
        written += opened
        written += closed
        written += b","
    written[-1:] = b"]"
    yield written


def _values_and_sizes(
    documents: Sequence[Ranked],
) -> tuple[Sequence[str | dict[str, str]], list[int]]:
    """Return `documents` as JSON values, and the number of characters of each."""
    if are_strings(documents):
        return documents, list(map(len, documents))
    values = list(map(_value, documents))
    return values, [
        len(value) if isinstance(value, str) else sum(map(len, value.values())) for value in values
    ]


def _value(document: Ranked) -> str | dict[str, str]:
    if isinstance(document, RerankDocument):
        fields = {"text": document.text, "image": document.image}
        return {key: value for key, value in fields.items() if value is not None}
    # The JSON writers use the content of a string, even if it is of a subclass with its own
    # `__str__`.
    return joined_text(document) if is_headed(document) else document


def _dumped(dumps: _Dumps, values: object) -> bytes:
    try:
        return dumps(values)
    except (TypeError, ValueError):
        return dumps(without_lone_surrogates(values))


def _json(value: object, *, non_finite: Literal["constants", "null"] = "constants") -> bytes | None:
    """Return `value` as JSON. `None` if it has no JSON form, or a lone surrogate is in it."""
    try:
        return to_json(value, inf_nan_mode=non_finite)
    except ValueError:
        return None


def _is_finite(value: object) -> bool:
    """Return `True` if neither NaN nor infinity, for which JSON has no form, is in `value`."""
    return _json(value) == _json(value, non_finite="null")


def without_lone_surrogates(value: object) -> object:
    """
    Replace lone surrogates, which UTF-8 cannot express, by U+FFFD, in all strings in `value`.

    The two halves of a surrogate pair that stand side by side become the character that they mean.
    """
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    try:
        tree = _TREE.validate_python(value)
        if isinstance(tree, dict):
            return {
                without_lone_surrogates(key): without_lone_surrogates(item)
                for key, item in tree.items()
            }
        return [without_lone_surrogates(item) for item in tree]
    except (ValidationError, RecursionError):
        # Numbers and the like have no strings. Values that are too deep, or have no JSON form, are
        # left to the JSON writer, which refuses them.
        return value


_TREE = TypeAdapter(dict[str, object] | list[object])
