"""
The body of a request, in pieces.

As a whole it would be in memory twice, and be moved about while it grows.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
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


class RequestBody:
    """
    An object with a list of documents, of which nothing is kept that was sent.

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
        self._written = deque(self._pieces())
        self.size = sum(map(len, self._written))
        """Bytes."""

    def __iter__(self) -> Iterator[bytes]:
        pieces, self._written = self._written or deque(self._pieces()), deque[bytes]()
        while pieces:
            yield pieces.popleft()

    def _pieces(self) -> Generator[bytes]:
        head = self._head
        group: list[object] = []
        size = 0
        for document in self._documents:
            if size >= _PIECE:
                yield self._piece(head, group, size, b",")
                head, group, size = b"", [], 0
            if isinstance(document, str):
                group.append(document)
                size += len(document)
            else:
                group.append(given := _given(document))
                size += sum(map(len, given.values()))
        yield self._piece(head, group, size, b"]}")

    def _piece(self, head: bytes, group: list[object], size: int, end: bytes) -> bytes:
        # orjson reserves eight times what it is given, which is much for an image.
        dumps = self._dumps if size < 2 * _PIECE else to_json
        try:
            written = dumps(group)
        except (TypeError, ValueError):
            written = dumps(mended(group))
        # Without the brackets of the group.
        return b"".join((head, memoryview(written)[1:-1], end))


def _given(document: RerankDocument) -> dict[str, str]:
    fields = {"text": document.text, "image": document.image}
    return {key: value for key, value in fields.items() if value is not None}
