"""The thread the stage plays on: a listening socket, an event loop, and who is connected."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from typing import TYPE_CHECKING

import h11

from openrouter_rerank.local.stage.connection import Connection
from openrouter_rerank.local.stage.reply import error

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine

_BACKLOG = 1024
_ROUNDS_TO_ACCEPT = 5
_logger = logging.getLogger(__name__)


class Server:
    """Listens on a loopback port and attends to each connection in a task of its own."""

    def __init__(
        self,
        attend: Callable[[Connection], Awaitable[None]],
        changed: threading.Condition,
        tls: ssl.SSLContext | None,
    ) -> None:
        """
        Make a server that is not running yet.

        Args:
            attend: What to do with a connection; it is closed afterwards.
            changed: Told of every connection that comes or goes.
            tls: What connections are secured with, if they are.
        """
        self.accepted = 0
        self.connections: dict[Connection, asyncio.Task[None]] = {}
        self._attend = attend
        self._changed = changed
        self._tls = tls
        self._port: int | None = None

    @property
    def port(self) -> int:
        """
        The port it listens on.

        Raises:
            RuntimeError: It is not running.
        """
        if self._port is None:
            raise RuntimeError("the stage plays only inside `with Stage() as stage:`")
        return self._port

    def start(self) -> None:
        """
        Listen on a free port, from a new thread.

        Raises:
            RuntimeError: It is running already.
        """
        if self._port is not None:
            raise RuntimeError("the stage is running already; make another one")
        listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        # Given a factory, a runner leaves alone the event loop that this thread may have set.
        runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._port = listener.getsockname()[1]
        self._loop = runner.get_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(
            target=self._play, args=(runner, listener), name="openrouter-stage", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close everything, and wait until the thread has ended."""
        self._port = None
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def run(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """
        Do something on the server's thread, and wait for it.

        Raises:
            RuntimeError: It is not running.
        """
        _ = self.port
        asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    async def hang_up(self) -> None:
        """End every connection, those still in the backlog too."""
        # Accepting takes the loop a few rounds: whoever connected before this call is met below.
        for _ in range(_ROUNDS_TO_ACCEPT):
            await asyncio.sleep(0)
        tasks = list(self.connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # An aborted transport closes its socket in the next round.
        await asyncio.sleep(0)
        self.accepted = 0

    async def release(self) -> None:
        """Let all who are held go on."""
        for connection in self.connections:
            connection.release()

    def _play(self, runner: asyncio.Runner, listener: socket.socket) -> None:
        with runner:
            runner.run(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        async with await asyncio.start_server(
            self._accept, sock=listener, backlog=_BACKLOG, ssl=self._tls
        ):
            await self._stopped.wait()
            await self.hang_up()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        task = self._loop.create_task(self._host(connection))
        # A callback and no `finally`, because a task cancelled before its first step has none.
        task.add_done_callback(lambda _: self._leave(connection))
        with self._changed:
            self.accepted += 1
            self.connections[connection] = task
            self._changed.notify_all()

    async def _host(self, connection: Connection) -> None:
        try:
            await self._attend(connection)
            await connection.close()
        except h11.RemoteProtocolError as problem:
            with contextlib.suppress(ConnectionError):
                await connection.respond(error(400, f"not HTTP: {problem}"))
                await connection.close()
        except ConnectionError:
            pass
        except Exception:
            _logger.exception("the stage failed")

    def _leave(self, connection: Connection) -> None:
        connection.abort()
        with self._changed:
            del self.connections[connection]
            self._changed.notify_all()
