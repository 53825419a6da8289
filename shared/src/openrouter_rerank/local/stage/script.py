"""What the stage will say: lines for one request each, and what follows when they are spent."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from openrouter_rerank.local.stage.fault import Fault
from openrouter_rerank.local.stage.ranking import word_overlap
from openrouter_rerank.local.stage.reply import Reply, error
from openrouter_rerank.local.stage.request import RecordedRequest

Scripted: TypeAlias = "Reply | Fault | Callable[[RecordedRequest], Scripted]"

_logger = logging.getLogger(__name__)


class Script:
    """
    A queue of lines with a default behind them.

    Written by the test's threads and read by the stage's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lines: deque[Scripted] = deque()
        self._default: Scripted = word_overlap

    def add(self, *lines: Scripted) -> None:
        """Put lines at the end; `TypeError` for what is none."""
        checked = [_checked(line) for line in lines]
        with self._lock:
            self._lines.extend(checked)

    def always(self, line: Scripted) -> None:
        """Set the default; `TypeError` for what is no line."""
        self._default = _checked(line)

    @property
    def unused(self) -> list[Scripted]:
        """The lines that served no request yet."""
        with self._lock:
            return list(self._lines)

    def early(self) -> Fault | None:
        """Take the next line if it is a fault that strikes before its request is read."""
        with self._lock:
            line = self._lines[0] if self._lines else self._default
            if not (isinstance(line, Fault) and line.early):
                return None
            if self._lines:
                self._lines.popleft()
            return line

    def take(self, request: RecordedRequest) -> Reply | Fault:
        """Take the next line, as it reads for this request."""
        with self._lock:
            line = self._lines.popleft() if self._lines else self._default
        return _read(line, request)

    def right_answer(self, request: RecordedRequest) -> Reply:
        """What this request would be answered if nothing went wrong."""
        answer = _read(self._default, request)
        return answer if isinstance(answer, Reply) else word_overlap(request)


def _checked(line: Scripted) -> Scripted:
    if isinstance(line, Reply | Fault) or callable(line):
        return line
    raise TypeError(f"expected a Reply, a Fault or a function that makes one, got {line!r}")


def _read(line: Scripted, request: RecordedRequest) -> Reply | Fault:
    if isinstance(line, Reply | Fault):
        return line
    try:
        return _read(_checked(line(request)), request)
    except Exception as problem:
        _logger.exception("a scripted function raised")
        return error(500, f"the scripted function {line!r} raised {problem!r}")
