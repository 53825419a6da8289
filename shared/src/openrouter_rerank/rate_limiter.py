"""The interface of a `rate_limiter`, and a limiter whose defaults fit `:free` models."""

import asyncio
import inspect
import sys
import time
from collections import deque
from typing import Protocol, runtime_checkable

from ._forks import new_lock
from ._tracebacks import ErrorsSuppressed
from .errors import ConfigurationError, shown_value

__all__ = ["RateLimiter", "WindowRateLimiter"]

# Seconds. Longer waits are made in steps, because clocks refuse waits of some centuries.
_LONGEST_SLEEP = 1e6


@runtime_checkable
class RateLimiter(Protocol):
    """
    Permits requests. It has the methods of LangChain's `BaseRateLimiter`.

    Every attempt takes one permission before it is sent: retries and all requests of a split call
    included. The wait counts towards `timeout`.
    """

    def acquire(self, *, blocking: bool = True) -> bool:
        """Return `True` if a request may be sent now. If `blocking`, wait until it may be sent."""
        ...

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Return `True` if a request may be sent now. If `blocking`, wait until it may be sent."""
        ...


def checked_limiter(limiter: object) -> RateLimiter | None:
    """
    Return `limiter` if it is a rate limiter or `None`.

    Raises:
        ConfigurationError: If it is anything else. The message says what to pass instead.
    """
    if isinstance(limiter, type):
        raise ConfigurationError(
            f"rate_limiter is the class {limiter.__name__}: pass an object of it, "
            f"{limiter.__name__}(...)"
        )
    if limiter is None:
        return None
    if isinstance(limiter, RateLimiter):
        if inspect.iscoroutinefunction(limiter.acquire):
            raise _async_acquire(limiter)
        return limiter
    raise ConfigurationError(
        f"rate_limiter is of type {type(limiter).__name__}, which lacks one of acquire and "
        "aacquire: pass a WindowRateLimiter, or one of LangChain's"
    )


def permission(limiter: RateLimiter) -> bool:
    """
    Ask `limiter` for a permission, without a wait.

    Raises:
        ConfigurationError: If `acquire` returns an awaitable, which would count as a permission.
    """
    returned: object = limiter.acquire(blocking=False)
    if inspect.isawaitable(returned):
        if inspect.iscoroutine(returned):
            returned.close()
        raise _async_acquire(limiter)
    return bool(returned)


async def apermission(limiter: RateLimiter) -> bool:
    """
    Wait for a permission of `limiter`.

    Raises:
        ConfigurationError: If `aacquire` returns something that cannot be awaited.
    """
    returned: object = limiter.aacquire()
    if not inspect.isawaitable(returned):
        raise ConfigurationError(
            f"rate_limiter.aacquire of {type(limiter).__name__} returns {shown_value(returned)}, "
            "which cannot be awaited: make it an async function that returns True or False"
        )
    return bool(await returned)


def _async_acquire(limiter: RateLimiter) -> ConfigurationError:
    return ConfigurationError(
        f"rate_limiter.acquire of {type(limiter).__name__} is async, so synchronous calls cannot "
        "wait for it: make it a plain function that returns True or False. Only aacquire is async"
    )


class WindowRateLimiter:
    """
    Permits at most `requests` requests in any period of `seconds` seconds.

    The defaults are OpenRouter's limits for `:free` models: 20 requests in 60 seconds. Clients,
    threads and event loops of one process can share it. Each process has its own; for a limit
    shared by several processes, write a limiter with the same methods that counts in Redis.

    Args:
        requests: The number of requests in each period, 1 or more. They may follow each other
            without a pause. Default: 20.
        seconds: The length of the period, more than 0. It may begin at any time. Default: 60.

    Raises:
        ConfigurationError: If one of the two is not positive, or not a finite number.
    """

    def __init__(self, requests: int = 20, seconds: float = 60.0) -> None:
        if not _is_count(requests):
            raise ConfigurationError(
                f"requests must be a whole number, 1 or more, got {shown_value(requests)}"
            )
        if not _is_period(seconds):
            raise ConfigurationError(
                f"seconds must be a positive number, got {shown_value(seconds)}"
            )
        self.requests = requests
        self.seconds = float(seconds)
        self._permitted: deque[float] = deque(maxlen=requests)
        self._lock = new_lock()

    def acquire(self, *, blocking: bool = True) -> bool:
        """Return `True` if a request may be sent now. If `blocking`, wait until it may be sent."""
        while (wait := self._wait()) > 0:
            if not blocking:
                return False
            time.sleep(min(wait, _LONGEST_SLEEP))
        return True

    async def aacquire(self, *, blocking: bool = True) -> bool:
        """Return `True` if a request may be sent now. If `blocking`, wait until it may be sent."""
        while (wait := self._wait()) > 0:
            if not blocking:
                return False
            await asyncio.sleep(min(wait, _LONGEST_SLEEP))
        return True

    def _wait(self) -> float:
        """Record a permission and return 0, or return the seconds until there may be one."""
        with self._lock:
            now = time.monotonic()
            if len(self._permitted) == self.requests:
                wait = self._permitted[0] + self.seconds - now
                if wait > 0:
                    return wait
            # The deque drops its oldest item.
            self._permitted.append(now)
            return 0.0

    def __repr__(self) -> str:
        # Crash reporters show a limiter that could not be created, too.
        if not hasattr(self, "seconds"):
            return "WindowRateLimiter()"
        return f"WindowRateLimiter({self.requests}, seconds={self.seconds:g})"

    def __copy__(self) -> "WindowRateLimiter":
        return self

    def __deepcopy__(self, memo: object) -> "WindowRateLimiter":
        return self

    def __reduce__(self) -> tuple[type["WindowRateLimiter"], tuple[int, float]]:
        # The copy in another process begins with no permissions: processes do not share them.
        return type(self), (self.requests, self.seconds)


def _is_count(requests: object) -> bool:
    with ErrorsSuppressed():  # The methods of a user's class may raise any exception
        # No deque is longer than `sys.maxsize`.
        return (
            isinstance(requests, int)
            and not isinstance(requests, bool)
            and 1 <= requests <= sys.maxsize
        )
    return False


def _is_period(seconds: object) -> bool:
    with ErrorsSuppressed():
        return (
            isinstance(seconds, int | float)
            and not isinstance(seconds, bool)
            and 0 < seconds <= sys.float_info.max
        )
    return False
