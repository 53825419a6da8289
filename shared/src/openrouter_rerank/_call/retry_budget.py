"""Limits the retries of one client to a small part of its requests, above all in an outage."""

from collections import deque

# 50 tokens outlast a bad minute of a small user. A fifth of a token for each success limits retries
# to a fifth of the requests in the long run (the share that Finagle uses). In an outage no request
# succeeds, so retries end after 50.
_TOKENS = 50
_PARTS = 5


class TokenBucket:
    """
    A retry costs one token, and a success earns a fifth of a token. It holds up to 50.

    Threads share it without a lock, because each operation of a deque is atomic. If two threads
    want the last token at the same moment, maybe none of them gets it.
    """

    def __init__(self) -> None:
        # One item for each fifth of a token. A full deque drops one for each that is appended.
        self._parts = deque([None] * (_TOKENS * _PARTS), maxlen=_TOKENS * _PARTS)

    @property
    def tokens(self) -> float:
        """The number of tokens that are left, from 0 to 50."""
        return len(self._parts) / _PARTS

    def spend(self) -> bool:
        """Take a token for a retry. Return `False` if there is none."""
        taken: list[None] = []
        try:
            while len(taken) < _PARTS:
                taken.append(self._parts.pop())
        except IndexError:
            self._parts.extend(taken)
            return False
        return True

    def earn(self) -> None:
        """Record a request that succeeded."""
        self._parts.append(None)
