"""The scripted replies of a stage, in a queue, and the default for when the queue is empty."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from openrouter_rerank.local.stage.fault import Fault
from openrouter_rerank.local.stage.recorded_request import RecordedRequest
from openrouter_rerank.local.stage.reply import Reply, error
from openrouter_rerank.local.stage.rerank_replies import word_overlap

Scripted: TypeAlias = "Reply | Fault | Callable[[RecordedRequest], Scripted]"

_logger = logging.getLogger(__name__)


class ReplyQueue:
    """
    Scripted replies, one for each request, and a default.

    The threads of the test add replies; the thread of the stage takes them.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._replies: deque[Scripted] = deque()
        self._default: Scripted = word_overlap

    def add(self, *replies: Scripted) -> None:
        """
        Add replies to the end of the queue.

        Raises:
            TypeError: If one of them is not a reply, fault or function.
        """
        checked = [_checked(reply) for reply in replies]
        with self._lock:
            self._replies.extend(checked)

    def set_default(self, reply: Scripted) -> None:
        """
        Set the reply for all requests that come when the queue is empty.

        Raises:
            TypeError: If it is not a reply, fault or function.
        """
        self._default = _checked(reply)

    @property
    def unused(self) -> list[Scripted]:
        """The replies that no request has taken yet."""
        with self._lock:
            return list(self._replies)

    def take_early_fault(self) -> Fault | None:
        """Take the next reply if it is a fault that happens before its request is read."""
        with self._lock:
            reply = self._replies[0] if self._replies else self._default
            if not (isinstance(reply, Fault) and reply.early):
                return None
            if self._replies:
                self._replies.popleft()
            return reply

    def take(self, request: RecordedRequest) -> Reply | Fault:
        """Take the next reply; if it is a function, call it with `request`."""
        with self._lock:
            reply = self._replies.popleft() if self._replies else self._default
        return _evaluated(reply, request)

    def correct_reply(self, request: RecordedRequest) -> Reply:
        """Return the default reply to `request`: what a fault sends whole or in part."""
        reply = _evaluated(self._default, request)
        return reply if isinstance(reply, Reply) else word_overlap(request)


def _checked(reply: Scripted) -> Scripted:
    if isinstance(reply, Reply | Fault) or callable(reply):
        return reply
    raise TypeError(f"expected a Reply, a Fault or a function that makes one, got {reply!r}")


def _evaluated(reply: Scripted, request: RecordedRequest) -> Reply | Fault:
    if isinstance(reply, Reply | Fault):
        return reply
    try:
        return _evaluated(_checked(reply(request)), request)
    except Exception as problem:
        _logger.exception("a scripted function raised")
        return error(500, f"the scripted function {reply!r} raised {problem!r}")
