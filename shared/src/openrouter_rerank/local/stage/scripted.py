"""
The server itself: it answers each request with the next line of its script.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from openrouter_rerank.local.stage.fault import Fault
from openrouter_rerank.local.stage.reply import Reply
from openrouter_rerank.local.stage.request import RecordedRequest
from openrouter_rerank.local.stage.script import Script, Scripted
from openrouter_rerank.local.stage.server import Server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from openrouter_rerank.local.stage.connection import Connection


class Stage:
    """
    A server that answers each request with the next line of a script, and by default for real.

    It runs on a thread of its own for the length of its `with`, so that sync and async code alike
    can be tested against it. All of it may be used from any thread.

    Args:
        tls: Speak HTTPS, with the certificate of this context; plain HTTP by default.
    """

    api_key: Final = "sk-or-v1-stage"

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._scheme = "http" if tls is None else "https"
        self._changed = threading.Condition()
        self._server = Server(self._attend, self._changed, tls)
        self._clear()

    def _clear(self) -> None:
        self._script = Script()
        self._requests: list[RecordedRequest] = []
        self._in_flight_peak = 0

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    @property
    def base_url(self) -> str:
        """
        What to give a client in place of OpenRouter's address.

        Raises:
            RuntimeError: The stage is not running.
        """
        return f"{self._scheme}://127.0.0.1:{self._server.port}/api/v1"

    def script(self, *replies: Scripted) -> None:
        """
        Add to the script: each reply serves one request, in order; then the default takes over.

        Raises:
            TypeError: One of them is no reply, fault or function.
        """
        self._script.add(*replies)

    def always(self, reply: Scripted) -> None:
        """
        Set the default: what is answered when the script is used up.

        A function is called on the stage's own thread, so it must not wait.

        Raises:
            TypeError: It is no reply, fault or function.
        """
        self._script.always(reply)

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests read so far, in the order in which they were complete."""
        with self._changed:
            return list(self._requests)

    @property
    def unused(self) -> list[Scripted]:
        """What is left of the script."""
        return self._script.unused

    @property
    def connections(self) -> int:
        """How many connections were accepted so far."""
        return self._server.accepted

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return len(self._server.connections)

    @property
    def in_flight(self) -> int:
        """How many requests are read and not yet answered."""
        return sum(connection.busy for connection in list(self._server.connections))

    @property
    def in_flight_peak(self) -> int:
        """How many requests were in flight together at most."""
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
                raise TimeoutError(f"not within {timeout} s; the stage is {self!r}")

    def release(self) -> None:
        """Let every request that hangs now have its answer."""
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
        return (
            f"<Stage: {len(self._requests)} requests, {self.in_flight} in flight,"
            f" {self.open_connections} of {self.connections} connections open,"
            f" {len(self.unused)} lines of the script left>"
        )

    async def _attend(self, connection: Connection) -> None:
        while await connection.opened():
            if (fault := self._script.early()) is not None:
                await fault.act(connection, Reply())
                return
            request = self._record(await connection.receive())
            match self._script.take(request):
                case Reply() as reply:
                    await connection.respond(reply)
                case Fault() as fault:
                    await fault.act(connection, self._script.right_answer(request))
            if not connection.again():
                return
            with self._changed:
                self._changed.notify_all()

    def _record(self, request: RecordedRequest) -> RecordedRequest:
        with self._changed:
            numbered = replace(request, number=len(self._requests) + 1)
            self._requests.append(numbered)
            self._in_flight_peak = max(self._in_flight_peak, self.in_flight)
            self._changed.notify_all()
            return numbered
