"""
A scripted OpenRouter on a real loopback socket: the double that tests talk to instead of a mock.

```python
import httpx

from openrouter_rerank.local.stage import Stage, error, scores

with Stage() as stage:
    stage.script(error(429, "Rate limit exceeded", retry_after=1), scores(0.1, 0.9))
    first, second = (
        httpx.post(
            f"{stage.base_url}/rerank",
            headers={"Authorization": f"Bearer {stage.api_key}"},
            json={"model": "cohere/rerank-v3.5", "query": "q", "documents": ["a", "b"]},
        )
        for _ in range(2)
    )
    assert first.headers["retry-after"] == "1"
    assert second.json()["results"][0]["index"] == 1
    assert stage.requests[1].documents == ["a", "b"]
```
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self, TypeAlias

from openrouter_rerank.local.stage_fault import Fault
from openrouter_rerank.local.stage_reply import Reply, error, results, scores, word_overlap
from openrouter_rerank.local.stage_request import RecordedRequest
from openrouter_rerank.local.stage_server import Server

if TYPE_CHECKING:
    from openrouter_rerank.local.stage_connection import Connection

__all__ = [
    "Fault",
    "RecordedRequest",
    "Reply",
    "Scripted",
    "Stage",
    "error",
    "results",
    "scores",
    "word_overlap",
]

Scripted: TypeAlias = Reply | Fault | Callable[[RecordedRequest], Reply | Fault]

_logger = logging.getLogger(__name__)


class Stage:
    """
    A server that answers each request with the next line of a script, and by default for real.

    It runs on a thread of its own for the length of its `with`, so that sync and async code alike
    can be tested against it. All of it may be used from any thread.
    """

    api_key: Final = "sk-or-v1-stage"

    def __init__(self) -> None:
        """
        Make a stage that starts with `with`.
        """
        self._changed = threading.Condition()
        self._server = Server(self._attend, self._changed)
        self._clear()

    def _clear(self) -> None:
        self._script: deque[Scripted] = deque()
        self._default: Scripted = word_overlap
        self._requests: list[RecordedRequest] = []
        self._in_flight_peak = 0

    def __enter__(self) -> Self:
        """
        Start to listen.
        """
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """
        Hang up on everyone and be gone: no thread, no socket is left.
        """
        self._server.stop()

    @property
    def base_url(self) -> str:
        """
        What to give a client in place of OpenRouter's address.

        Raises:
            RuntimeError: The stage is not running.
        """
        return f"http://127.0.0.1:{self._server.port}/api/v1"

    def script(self, *replies: Scripted) -> None:
        """
        Add to the script: each reply serves one request, in order; then the default takes over.

        Raises:
            TypeError: One of them is no reply, fault or function.
        """
        checked = [_checked(reply) for reply in replies]
        with self._changed:
            self._script.extend(checked)

    def always(self, reply: Scripted) -> None:
        """
        Set the default: what is answered when the script is used up.

        A function is called on the stage's own thread, so it must not wait.

        Raises:
            TypeError: It is no reply, fault or function.
        """
        self._default = _checked(reply)

    @property
    def requests(self) -> list[RecordedRequest]:
        """
        The requests read so far, in the order in which they were complete.
        """
        with self._changed:
            return list(self._requests)

    @property
    def unused(self) -> list[Scripted]:
        """
        What is left of the script.
        """
        with self._changed:
            return list(self._script)

    @property
    def connections(self) -> int:
        """
        How many connections were accepted so far.
        """
        return self._server.accepted

    @property
    def open_connections(self) -> int:
        """
        How many connections are open now.
        """
        return len(self._server.connections)

    @property
    def in_flight(self) -> int:
        """
        How many requests are read and not yet answered.
        """
        return sum(connection.busy for connection in list(self._server.connections))

    @property
    def in_flight_peak(self) -> int:
        """
        How many requests were in flight together at most.
        """
        return self._in_flight_peak

    def wait_until(self, condition: Callable[[], bool], *, timeout: float = 5.0) -> None:
        """
        Wait for something to happen on stage: `stage.wait_until(lambda: stage.in_flight == 2)`.

        It blocks its thread; a coroutine says `await asyncio.to_thread(stage.wait_until, ...)`.

        Raises:
            TimeoutError: It did not happen within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                message = f"not within {timeout} s; the stage is {self!r}"
                raise TimeoutError(message)

    def release(self) -> None:
        """
        Let every request that hangs now have its answer.
        """
        self._server.run(self._server.release)

    def reset(self) -> None:
        """
        Hang up on everyone and forget all: the script, the default, what was recorded.

        The address stays.
        """
        self._server.run(self._server.hang_up)
        with self._changed:
            self._clear()

    def __repr__(self) -> str:
        """
        Say how far it got.
        """
        return (
            f"<Stage: {len(self._requests)} requests, {self.in_flight} in flight,"
            f" {self.open_connections} of {self.connections} connections open,"
            f" {len(self._script)} lines of the script left>"
        )

    async def _attend(self, connection: Connection) -> None:
        while await connection.opened():
            if (fault := self._early()) is not None:
                await fault.act(connection, Reply())
                return
            request = self._record(await connection.receive())
            await self._perform(connection, request)
            if not connection.again():
                return
            with self._changed:
                self._changed.notify_all()

    def _early(self) -> Fault | None:
        with self._changed:
            upcoming = self._script[0] if self._script else self._default
            if not (isinstance(upcoming, Fault) and upcoming.early):
                return None
            if self._script:
                self._script.popleft()
            return upcoming

    def _record(self, request: RecordedRequest) -> RecordedRequest:
        with self._changed:
            request = replace(request, number=len(self._requests) + 1)
            self._requests.append(request)
            self._in_flight_peak = max(self._in_flight_peak, self.in_flight)
            self._changed.notify_all()
            return request

    async def _perform(self, connection: Connection, request: RecordedRequest) -> None:
        with self._changed:
            scripted = self._script.popleft() if self._script else self._default
        reply = _answer(scripted, request)
        if isinstance(reply, Reply):
            await connection.respond(reply)
            return
        right = _answer(self._default, request)
        await reply.act(connection, right if isinstance(right, Reply) else word_overlap(request))


def _checked(scripted: Scripted) -> Scripted:
    if isinstance(scripted, Reply | Fault) or callable(scripted):
        return scripted
    message = f"expected a Reply, a Fault or a function that makes one, got {scripted!r}"
    raise TypeError(message)


def _answer(scripted: Scripted, request: RecordedRequest) -> Reply | Fault:
    if isinstance(scripted, Reply | Fault):
        return scripted
    try:
        return scripted(request)
    except Exception as problem:
        _logger.exception("a scripted function raised")
        return error(500, f"the scripted function {scripted!r} raised {problem!r}")
