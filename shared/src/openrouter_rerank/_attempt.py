"""
The values that the decision of a call, the wire format and the transport exchange. No I/O.

The generators in `_call/` yield an `Attempt`. The transport makes it and sends back a `Response` or
a `Failure`. `Cost` says what a failed attempt may have cost, which decides whether the request is
sent again.
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

# The service may echo all documents, so a response is about as large as its request. It is larger
# where the service escapes more (an emoji is 4 bytes in UTF-8 and 12 bytes in JSON escapes), and by
# the other fields of each result.
_ECHO_FACTOR = 4
_BYTES_PER_RESULT = 512
_SPARE_BYTES = 1 << 20

_FREE_STATUSES = frozenset({429, 503, 529})


class Body(Protocol):
    """The bytes of a request's body, in pieces. Every iteration yields the same bytes."""

    @property
    def size(self) -> int:
        """The number of bytes of all pieces together."""
        ...

    def __iter__(self) -> Iterator[bytes]:
        """Yield the pieces in order."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The body of one HTTP request, and what is needed to read its response."""

    body: Body = field(repr=False)
    model: str
    documents: int
    """The number of documents in the body."""
    results: int
    """The number of results that a valid response has at least."""

    @property
    def longest_response(self) -> int:
        """The largest number of bytes that a valid response can have."""
        return self.body.size * _ECHO_FACTOR + self.documents * _BYTES_PER_RESULT + _SPARE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One exchange to make: wait `delay` seconds, send `request`, give up after `timeout` more."""

    request: Request
    timeout: float
    """Seconds, counted from the end of the delay."""
    delay: float = 0.0
    """Seconds."""
    is_on_new_connection: bool = False
    """`True` if the attempt must not use a connection that was kept open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A complete HTTP response."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Looked up by names in lower case."""
    body: bytes = field(repr=False)
    received: float = 0.0
    """Unix time in seconds. Dates in headers are relative to it if there is no `Date` header."""


class Cost(StrEnum):
    """What a failed attempt may have cost, which decides whether the request is sent again."""

    FREE = "free"
    """Refused before any work was done: retried as often as `max_retries` allows."""
    MAYBE_BILLED = "maybe billed"
    """The provider did the work, or may have done it: retried once."""
    FINAL = "final"
    """The same request would fail again: not retried."""


class FailureKind(StrEnum):
    """The reason why an attempt has no response. The values are texts of error messages."""

    UNSENT = "could not connect"
    UNTRUSTED = "the server's certificate is not trusted"
    UNSENDABLE = "the request cannot be sent"
    STALE = "the reused connection was closed"
    LOST = "the connection was lost"
    BUSY = "as many requests as max_concurrency allows were in flight all the time"
    UNPERMITTED = "the rate limiter gave no permission in time for the request"
    BROKEN_LIMITER = "the rate limiter failed"
    TIMEOUT = "no response in time"
    DEADLINE = "no response by the deadline"
    OVERSIZED = "the response is larger than a valid response can be"


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
_NOTHING_SENT = frozenset({FailureKind.BUSY, FailureKind.UNPERMITTED, FailureKind.BROKEN_LIMITER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An attempt without a complete response."""

    kind: FailureKind
    detail: str = ""
    """The class name of the library's error. Never its message, which may quote a header."""

    @property
    def was_sent(self) -> bool:
        """`True` if the attempt got a request slot and permission, so that its exchange began."""
        return self.kind not in _NOTHING_SENT

    @property
    def cost(self) -> Cost:
        """What the attempt may have cost."""
        return _COSTS[self.kind]

    def error(self, model: str) -> OpenRouterRerankError:
        """Return this failure as the error to raise, for an attempt with `model`."""
        text = f"{self.kind} ({self.detail})" if self.detail else str(self.kind)
        match self.kind:
            case FailureKind.DEADLINE | FailureKind.BUSY | FailureKind.UNPERMITTED:
                return DeadlineExceededError(text, model=model, retryable=True)
            case FailureKind.OVERSIZED:
                return InvalidResponseError(text, model=model, retryable=True)
            case _:
                retryable = self.cost is not Cost.FINAL
                return APIConnectionError(text, model=model, retryable=retryable)


def cost(error: APIStatusError | InvalidResponseError) -> Cost:
    """Return what an attempt may have cost whose response means `error`."""
    if error.status_code in _FREE_STATUSES:
        return Cost.FREE
    return Cost.MAYBE_BILLED if error.retryable else Cost.FINAL
