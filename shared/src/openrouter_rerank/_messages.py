"""The two messages of an HTTP exchange, without HTTP. Their `repr` shows neither text nor image."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ._request_body import RequestBody

# Documents are echoed: an answer is about as large as its request, or larger by what the two sides'
# escapes differ in (an emoji is 4 bytes in UTF-8 and 12 as escapes), plus its own fields.
_ECHO_FACTOR = 4
_ROW_BYTES = 512
_SPARE_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The body of one HTTP request, and what is needed to read its answer."""

    body: RequestBody = field(repr=False)
    model: str
    documents: int
    results: int
    """How many results the answer must have at least."""

    @property
    def longest_answer(self) -> int:
        """How many bytes an honest answer can have."""
        return self.body.size * _ECHO_FACTOR + self.documents * _ROW_BYTES + _SPARE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An HTTP answer, whole."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Asked for by their names in lower case."""
    body: bytes = field(repr=False)
    received: float = 0.0
    """Seconds since the epoch, by which dates in the headers are understood."""
