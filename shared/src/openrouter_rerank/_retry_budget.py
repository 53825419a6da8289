"""Limits the retries of one client to a small part of its requests, above all in an outage."""

import threading

# 50 tokens outlast a bad minute of a small user. A fifth of a token for each success limits retries
# to a fifth of the requests in the long run (the share that Finagle uses). In an outage no request
# succeeds, so retries end after 50.
_TOKENS = 50.0
_EARNED = 0.2


class TokenBucket:
    """A retry costs one token, and a success earns a fifth of a token. It holds up to 50."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = _TOKENS

    @property
    def tokens(self) -> float:
        """The number of tokens that are left, from 0 to 50."""
        return self._tokens

    def spend(self) -> bool:
        """Take a token for a retry. Return `False` if there is none."""
        with self._lock:
            enough = self._tokens >= 1
            self._tokens -= enough
            return enough

    def earn(self) -> None:
        """Record a request that succeeded."""
        with self._lock:
            self._tokens = min(_TOKENS, self._tokens + _EARNED)
