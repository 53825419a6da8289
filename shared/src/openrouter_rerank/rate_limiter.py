"""What can be passed as `rate_limiter`, and a limiter that is ready for `:free` models."""

import asyncio
import sys
import threading
import time
from collections import deque
from typing import Protocol, runtime_checkable

from .errors import ConfigurationError

__all__ = ["RateLimiter", "WindowRateLimiter"]


@runtime_checkable
class RateLimiter(Protocol):
    """
    Gives permission for each request, with the verbs of LangChain's `BaseRateLimiter`.

    It is asked once before every HTTP request, those of retries and of the parts of a large call
    included. Waiting counts against `timeout`.
    """

    def acquire(self, *, blocking: bool = True) -> bool:
        """Tell whether a request may be sent now; if `blocking`, wait until it may."""
        ...

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Tell whether a request may be sent now; if `blocking`, wait until it may."""
        ...


def checked_limiter(limiter: object) -> RateLimiter | None:
    """
    Return what was passed as `rate_limiter`, if anything was.

    Raises:
        ConfigurationError: It is no such limiter; with what would be one.
    """
    if isinstance(limiter, type):
        raise ConfigurationError(
            f"rate_limiter is the class {limiter.__name__}: pass an object of it, "
            f"{limiter.__name__}(...)"
        )
    if limiter is None or isinstance(limiter, RateLimiter):
        return limiter
    raise ConfigurationError(
        f"rate_limiter is of type {type(limiter).__name__}, which lacks one of acquire and "
        "aacquire: pass a WindowRateLimiter, or one of LangChain's"
    )


class WindowRateLimiter:
    """
    Permits at most `requests` in any `seconds`; by default what OpenRouter grants `:free` models.

    It may be shared by clients, threads and event loops of one process. In another process it is
    another one, so what is shared by several belongs into Redis, behind the same verbs.

    Args:
        requests: How many may be sent in each period, 1 or more. They may be sent at once.
        seconds: The length of the period, wherever it begins.

    Raises:
        ConfigurationError: If one of them is not positive.
    """

    def __init__(self, requests: int = 20, seconds: float = 60.0) -> None:
        if not _is_count(requests):
            raise ConfigurationError(
                f"requests must be a whole number, 1 or more, got {requests!r:.50}"
            )
        if not _is_period(seconds):
            raise ConfigurationError(
                f"seconds must be a positive number of seconds, got {seconds!r:.50}"
            )
        self.requests = requests
        self.seconds = float(seconds)
        self._permitted: deque[float] = deque(maxlen=requests)
        self._lock = threading.Lock()

    def acquire(self, *, blocking: bool = True) -> bool:
        """Tell whether a request may be sent now; if `blocking`, wait until it may."""
        while (wait := self._wait()) > 0:
            if not blocking:
                return False
            time.sleep(min(wait, _LONGEST))
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Tell whether a request may be sent now; if `blocking`, wait until it may."""
        while (wait := self._wait()) > 0:
            if not blocking:
                return False
            await asyncio.sleep(min(wait, _LONGEST))
        return True

    def _wait(self) -> float:
        """Note a permission and return 0, or return the seconds until there may be one."""
        with self._lock:
            now = time.monotonic()
            if len(self._permitted) == self.requests:
                wait = self._permitted[0] + self.seconds - now
                if wait > 0:
                    return wait
            # The oldest falls out.
            self._permitted.append(now)
            return 0.0

    def __repr__(self) -> str:
        return f"WindowRateLimiter({self.requests}, seconds={self.seconds:g})"

    def __copy__(self) -> "WindowRateLimiter":
        return self

    def __deepcopy__(self, memo: object) -> "WindowRateLimiter":
        return self

    def __reduce__(self) -> tuple[type["WindowRateLimiter"], tuple[int, float]]:
        # In another process it is another limiter: what is sent from there is not known here.
        return type(self), (self.requests, self.seconds)


# Seconds: longer waits are taken in steps, for clocks refuse those of some centuries.
_LONGEST = 1e6


def _is_count(requests: object) -> bool:
    return isinstance(requests, int) and not isinstance(requests, bool) and requests >= 1


def _is_period(seconds: object) -> bool:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return False
    return 0 < seconds <= sys.float_info.max
