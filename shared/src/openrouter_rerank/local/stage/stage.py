"""
The class `Stage`: a server that sends scripted replies.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Self

from openrouter_rerank.local.stage.fault import Fault
from openrouter_rerank.local.stage.recorded_request import RecordedRequest
from openrouter_rerank.local.stage.reply import Reply
from openrouter_rerank.local.stage.reply_queue import ReplyQueue, Scripted
from openrouter_rerank.local.stage.server_thread import ServerThread

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from openrouter_rerank.local.stage.server_connection import ServerConnection


class Stage:
    """
    A server that sends one scripted reply for each request, and a valid ranking by default.

    It runs in a separate thread until the end of its `with`, so it serves sync and async code. Its
    methods and properties may be used from any thread.

    Args:
        tls: Serve HTTPS with the certificate of this context. By default, serve plain HTTP.
    """

    api_key: Final = "sk-or-v1-stage"

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._scheme = "http" if tls is None else "https"
        self._changed = threading.Condition()
        self._server = ServerThread(self._serve, self._changed, tls)
        self._clear()

    def _clear(self) -> None:
        self._replies = ReplyQueue()
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
        The base URL for clients, instead of OpenRouter's.

        Raises:
            RuntimeError: If the stage is not running.
        """
        return f"{self._scheme}://127.0.0.1:{self._server.port}/api/v1"

    def script(self, *replies: Scripted) -> None:
        """
        Add replies, one for each of the next requests, in order.

        When all are used, the default of `always` follows.

        Args:
            *replies: A `Reply`, a `Fault`, or a function that gets the request and returns either.

        Raises:
            TypeError: If one of them is not a reply, fault or function.
        """
        self._replies.add(*replies)

    def always(self, reply: Scripted) -> None:
        """
        Set the default: the reply to each request when no scripted reply is left.

        A function is called in the thread of the stage, so it must not block.

        Raises:
            TypeError: If it is not a reply, fault or function.
        """
        self._replies.set_default(reply)

    @property
    def requests(self) -> list[RecordedRequest]:
        """The requests received so far, in the order in which they were completely read."""
        with self._changed:
            return list(self._requests)

    @property
    def unused(self) -> list[Scripted]:
        """The scripted replies that no request has used yet."""
        return self._replies.unused

    @property
    def connections(self) -> int:
        """The number of connections accepted so far."""
        return self._server.accepted

    @property
    def open_connections(self) -> int:
        """The number of connections that are open now."""
        return len(self._server.connections)

    @property
    def in_flight(self) -> int:
        """The number of requests that are read and whose response is not yet sent."""
        return sum(connection.busy for connection in list(self._server.connections))

    @property
    def in_flight_peak(self) -> int:
        """The highest number of requests that were in flight at the same time."""
        return self._in_flight_peak

    def wait_until(self, condition: Callable[[], bool], *, timeout: float = 5.0) -> None:
        """
        Wait until a condition is true, such as `lambda: stage.in_flight == 2`.

        This blocks the thread. In a coroutine, `await asyncio.to_thread(stage.wait_until, ...)`.

        Args:
            condition: Checked when a request arrives, after a response is sent, and when a
                connection is opened or closed.
            timeout: Seconds to wait at most.

        Raises:
            TimeoutError: If the condition was not true within `timeout` seconds.
        """
        with self._changed:
            if not self._changed.wait_for(condition, timeout):
                raise TimeoutError(f"not within {timeout} s; the stage is {self!r}")

    def release(self) -> None:
        """Send the response to every request that hangs now because of `Fault.hang`."""
        self._server.run(self._server.release)

    def reset(self) -> None:
        """
        Close all connections, and forget the scripted replies, the default and the requests.

        The base URL stays the same.
        """
        self._server.run(self._server.close_connections)
        with self._changed:
            self._clear()

    def __repr__(self) -> str:
        # Crash reporters show a stage that could not be created, too.
        if not hasattr(self, "_in_flight_peak"):
            return "<Stage>"
        return (
            f"<Stage: {len(self._requests)} requests, {self.in_flight} in flight,"
            f" {self.open_connections} of {self.connections} connections open,"
            f" {len(self.unused)} scripted replies left>"
        )

    async def _serve(self, connection: ServerConnection) -> None:
        while await connection.wait_for_request():
            if (fault := self._replies.take_early_fault()) is not None:
                await fault.act(connection, Reply())
                return
            request = self._record(await connection.read_request())
            match self._replies.take(request):
                case Reply() as reply:
                    await connection.send_reply(reply)
                case Fault() as fault:
                    await fault.act(connection, self._replies.correct_reply(request))
            if not connection.start_next_request():
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
