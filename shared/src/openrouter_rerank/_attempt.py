"""
The values that the decision of a call, the wire format and the transport exchange. No I/O.

The generators in `_call/` yield an `Attempt`. The transport makes it and sends back a `Response` or
a `Failure`. `Cost` says what a failed attempt may have cost, which decides whether the request is
sent again.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal, Protocol

from .errors import APIStatusError, InvalidResponseError

# The service may echo all documents, so a response is about as large as its request. It is larger
# where the service escapes more (an emoji is 4 bytes in UTF-8 and 12 bytes in JSON escapes), and by
# the other fields of each result.
_ECHO_FACTOR = 4
_BYTES_PER_RESULT = 512
_SPARE_BYTES = 1 << 20
# Brackets and commas: a result with a document has 6, and `usage` and other fields have some.
_MARKS_PER_RESULT = 12
_SPARE_MARKS = 1_000

_FREE_STATUSES = frozenset({429, 503, 529})


class SpendingLimit(Protocol):
    """A `Budget`, as far as attempts need it."""

    limit: float

    @property
    def spent(self) -> float:
        """US dollars that have been spent."""
        ...

    def charge(self, cost: float | None) -> None:
        """Add the cost of a request, in US dollars. `None`: the service did not report it."""
        ...


def is_spent(budget: SpendingLimit | None) -> bool:
    """Return `True` if there is a budget and no request may be sent any more."""
    return budget is not None and budget.spent >= budget.limit


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
    method: Literal["POST", "GET"] = "POST"
    """`"GET"` for a request without a body."""
    spare_bytes: int = _SPARE_BYTES
    """Bytes that a valid response can have beyond the documents and their results."""
    what: str = "rerank"
    """What is requested, for the log."""

    @property
    def longest_response(self) -> int:
        """The largest number of bytes that a valid response can have."""
        return self.body.size * _ECHO_FACTOR + self.documents * _BYTES_PER_RESULT + self.spare_bytes

    @property
    def most_marks(self) -> int:
        """The largest number of brackets and commas outside strings in a valid response."""
        return self.documents * _MARKS_PER_RESULT + _SPARE_MARKS


class _NoBody:
    """The body of a request without one."""

    size = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


def get_request(what: str, *, longest_response: int) -> Request:
    """
    Return a request without a body.

    Args:
        what: What is requested, for the log.
        longest_response: The largest number of bytes that a valid response can have.
    """
    return Request(
        body=_NoBody(),
        model="",
        documents=0,
        results=0,
        method="GET",
        spare_bytes=longest_response,
        what=what,
    )


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
    budget: SpendingLimit | None = None
    """Checked before the request is sent, and charged for the response."""

    @property
    def is_over_budget(self) -> bool:
        """`True` if the request must not be sent, because the budget is spent."""
        return is_spent(self.budget)


def _unchanged(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A complete HTTP response."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Looked up by names in lower case."""
    body: bytes = field(repr=False)
    received: float = 0.0
    """Unix time in seconds. Dates in headers are relative to it if there is no `Date` header."""
    url: str = ""
    """The URL that the request was sent to, which error messages show."""
    masked: Callable[[str], str] = field(default=_unchanged, repr=False)
    """Masks the secrets of the request in a text of the response: a server may echo them."""


class Cost(Enum):
    """What a failed attempt may have cost, which decides whether the request is sent again."""

    FREE = auto()
    """Refused before any work was done: retried as often as `max_retries` allows."""
    MAYBE_BILLED = auto()
    """The provider did the work, or may have done it: retried once."""
    FINAL = auto()
    """The same request would fail again: not retried."""


class FailureKind(Enum):
    """The reason why an attempt has no response."""

    UNSENT = auto()
    """There was no connection."""
    EXHAUSTED = auto()
    """The process or the system has no more threads, open files or memory for a connection."""
    PROXY_REFUSED = auto()
    """The proxy forbids the connection, or wants another user name or password."""
    UNTRUSTED = auto()
    """The certificate of the server is not trusted."""
    UNSENDABLE = auto()
    """The HTTP library refused the request."""
    BROKEN_CLIENT = auto()
    """An event hook or a transport of the user's `http_client` failed."""
    STALE = auto()
    """A reused connection was closed before the response began."""
    LOST = auto()
    """The connection was lost."""
    OVER_BUDGET = auto()
    """The budget was spent before the request was sent."""
    BUSY = auto()
    """All request slots of the client were in use until the deadline."""
    UNPERMITTED = auto()
    """The rate limiter gave no permission until the deadline."""
    BROKEN_LIMITER = auto()
    """The rate limiter failed."""
    TIMEOUT = auto()
    """A timeout of the HTTP library ended, before the deadline."""
    DEADLINE = auto()
    """The deadline came before the end of the response."""
    OVERSIZED = auto()
    """The response is larger than a valid response can be."""


_COSTS = {
    FailureKind.UNSENT: Cost.FREE,
    FailureKind.EXHAUSTED: Cost.FREE,
    FailureKind.PROXY_REFUSED: Cost.FINAL,
    FailureKind.UNTRUSTED: Cost.FINAL,
    FailureKind.UNSENDABLE: Cost.FINAL,
    FailureKind.BROKEN_CLIENT: Cost.FINAL,
    FailureKind.STALE: Cost.MAYBE_BILLED,
    FailureKind.LOST: Cost.MAYBE_BILLED,
    FailureKind.OVER_BUDGET: Cost.FINAL,
    FailureKind.BUSY: Cost.FINAL,
    FailureKind.UNPERMITTED: Cost.FINAL,
    FailureKind.BROKEN_LIMITER: Cost.FREE,
    FailureKind.TIMEOUT: Cost.MAYBE_BILLED,
    FailureKind.DEADLINE: Cost.MAYBE_BILLED,
    FailureKind.OVERSIZED: Cost.MAYBE_BILLED,
}
_NOTHING_SENT = frozenset(
    {
        FailureKind.OVER_BUDGET,
        FailureKind.BUSY,
        FailureKind.UNPERMITTED,
        FailureKind.BROKEN_LIMITER,
    }
)


class Step(Enum):
    """What an attempt waits for, in the order of its steps."""

    SLOT = auto()
    """One of the request slots of the client."""
    PERMISSION = auto()
    """The permission of the rate limiter."""
    CONNECTION = auto()
    RESPONSE = auto()
    BODY = auto()
    """The rest of the response, after its head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An attempt without a complete response."""

    kind: FailureKind
    url: str = ""
    """The URL that the request is sent to."""
    step: Step = Step.RESPONSE
    """What the attempt waited for when it failed."""
    proxy: str = ""
    """The proxy, without its user name and password. Empty if there is none that we know."""
    is_injected: bool = False
    """`True` if the exchange used the `http_client` of the user."""
    reason: str = ""
    """The reason of the system or the library: one line, without secrets."""
    cause: OSError | None = field(default=None, repr=False)
    """The error of the system: a new object, without a traceback and without secrets."""
    waited: float = 0.0
    """Seconds that the attempt took, from the wait for its request slot on."""
    slot_wait: float = 0.0
    """Seconds that the attempt waited for its request slot."""
    slots: int = 0
    """The number of request slots of the client."""

    @property
    def was_sent(self) -> bool:
        """`True` if the attempt got a request slot and permission, so that its exchange began."""
        return self.kind not in _NOTHING_SENT

    @property
    def cost(self) -> Cost:
        """What the attempt may have cost."""
        return _COSTS[self.kind]


def cost(error: APIStatusError | InvalidResponseError) -> Cost:
    """Return what an attempt may have cost whose response means `error`."""
    if not error.retryable or (isinstance(error, InvalidResponseError) and error.is_incomplete):
        return Cost.FINAL
    return Cost.FREE if error.status_code in _FREE_STATUSES else Cost.MAYBE_BILLED
