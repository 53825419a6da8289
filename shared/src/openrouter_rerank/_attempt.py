"""
What the decision of a call, the wire format and the transport exchange: values without I/O. Pure.

The flows in `_call` yield an `Attempt`; the transport makes it and sends back a `Response` or a
`Failure`. A `Failure` knows what the attempt may have cost, which decides whether it is repeated.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from .errors import (
    APIConnectionError,
    APIStatusError,
    DeadlineExceededError,
    InvalidResponseError,
    OpenRouterRerankError,
)

# Documents are echoed: an answer is about as large as its request, or larger by what the two sides'
# escapes differ in (an emoji is 4 bytes in UTF-8 and 12 as escapes), plus its own fields.
_ECHO_FACTOR = 4
_ROW_BYTES = 512
_SPARE_BYTES = 1 << 20


class Body(Protocol):
    """The bytes of a request body, in pieces. Every iteration yields the same bytes."""

    @property
    def size(self) -> int:
        """The number of bytes of all pieces together."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The body of one HTTP request, and what is needed to read its answer."""

    body: Body = field(repr=False)
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Please wait `delay` seconds, then send `request` and give up after `timeout` more."""

    request: Request
    timeout: float
    delay: float = 0.0
    is_on_new_connection: bool = False
    """Whether a connection that was kept may not be used."""


class Cost(StrEnum):
    """What a failed attempt may have cost, which decides whether it is repeated."""

    FREE = "free"
    """Refused before any work: tried again as often as `max_retries` allows."""
    MAYBE_BILLED = "maybe billed"
    """May have completed upstream, or did: tried again once."""
    FINAL = "final"
    """The same request would fail again: not tried again."""


_FREE_STATUSES = frozenset({429, 503, 529})


def cost(error: APIStatusError | InvalidResponseError) -> Cost:
    """Tell what the attempt whose answer was `error` may have cost."""
    if error.status_code in _FREE_STATUSES:
        return Cost.FREE
    return Cost.MAYBE_BILLED if error.retryable else Cost.FINAL


class FailureKind(StrEnum):
    """In which way no answer came."""

    UNSENT = "could not connect"
    UNTRUSTED = "the server's certificate is not trusted"
    UNSENDABLE = "the request cannot be sent"
    STALE = "the kept connection was closed"
    LOST = "the connection was lost"
    BUSY = "as many requests as max_concurrency allows were in flight all the time"
    UNPERMITTED = "the rate limiter gave no permission in time for the request"
    BROKEN_LIMITER = "the rate limiter failed"
    TIMEOUT = "no answer in time"
    DEADLINE = "no answer by the deadline"
    OVERSIZED = "the answer is larger than any honest one"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """No answer came."""

    kind: FailureKind
    detail: str = ""
    """The name of the error of the HTTP library; never its message, which may quote a header."""

    @property
    def was_sent(self) -> bool:
        """Whether an attempt was made at all."""
        return self.kind not in _NOTHING_SENT

    @property
    def cost(self) -> Cost:
        """What the attempt may have cost."""
        return _COSTS[self.kind]

    def error(self, model: str) -> OpenRouterRerankError:
        """Return the error that it is, of an attempt that asked `model`."""
        text = f"{self.kind} ({self.detail})" if self.detail else str(self.kind)
        match self.kind:
            case FailureKind.DEADLINE | FailureKind.BUSY | FailureKind.UNPERMITTED:
                return DeadlineExceededError(text, model=model, retryable=True)
            case FailureKind.OVERSIZED:
                return InvalidResponseError(text, model=model, retryable=True)
            case _:
                retryable = self.cost is not Cost.FINAL
                return APIConnectionError(text, model=model, retryable=retryable)


_NOTHING_SENT = frozenset({FailureKind.BUSY, FailureKind.UNPERMITTED, FailureKind.BROKEN_LIMITER})
_COSTS = {
    FailureKind.UNSENT: Cost.FREE,
    FailureKind.UNTRUSTED: Cost.FINAL,
    FailureKind.UNSENDABLE: Cost.FINAL,
    FailureKind.STALE: Cost.MAYBE_BILLED,
    FailureKind.LOST: Cost.MAYBE_BILLED,
    FailureKind.BUSY: Cost.FINAL,
    FailureKind.UNPERMITTED: Cost.FINAL,
    FailureKind.BROKEN_LIMITER: Cost.FREE,
    FailureKind.TIMEOUT: Cost.MAYBE_BILLED,
    FailureKind.DEADLINE: Cost.MAYBE_BILLED,
    FailureKind.OVERSIZED: Cost.MAYBE_BILLED,
}
