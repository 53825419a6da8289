"""In which ways no answer comes, what each may have cost, and which error it is. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from .errors import (
    APIConnectionError,
    DeadlineExceededError,
    InvalidResponseError,
    OpenRouterRerankError,
)
from .policy import Cost


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
