"""What keeps the retries of one client a small part of its requests, in an outage above all."""

import threading

# Generous to a small user, for whom 50 tokens outlast a bad minute, and a fifth of the requests at
# most in the long run (Finagle's share). In an outage nothing is earned, and retries end after 50.
_TOKENS = 50.0
_EARNED = 0.2


class TokenBucket:
    """A retry costs one token and a success earns a fifth of one, up to fifty."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens = _TOKENS

    @property
    def tokens(self) -> float:
        """How many are left: from 0 to 50."""
        return self._tokens

    def spend(self) -> bool:
        """Take a token for a retry; `False` if there is none."""
        with self._lock:
            enough = self._tokens >= 1
            self._tokens -= enough
            return enough

    def earn(self) -> None:
        """Note a success."""
        with self._lock:
            self._tokens = min(_TOKENS, self._tokens + _EARNED)
