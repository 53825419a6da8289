"""The thread of a stage: a listening socket, an event loop, and the open connections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from typing import TYPE_CHECKING

import h11

from openrouter_rerank.local.stage.reply import error
from openrouter_rerank.local.stage.server_connection import ServerConnection

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Coroutine

_BACKLOG = 1024
_ITERATIONS_TO_ACCEPT = 5
_logger = logging.getLogger(__name__)


class ServerThread:
    """Listens on a loopback port and serves each connection in a separate task."""

    def __init__(
        self,
        serve: Callable[[ServerConnection], Awaitable[None]],
        changed: threading.Condition,
        tls: ssl.SSLContext | None,
    ) -> None:
        """
        Create a thread that is not running yet.

        Args:
            serve: Serves one connection, which is closed afterwards.
            changed: Notified when a connection is opened or closed.
            tls: The context that secures the connections, if they are to be secured.
        """
        self.accepted = 0
        self.connections: dict[ServerConnection, asyncio.Task[None]] = {}
        self._serve = serve
        self._changed = changed
        self._tls = tls
        self._port: int | None = None

    @property
    def port(self) -> int:
        """
        The port of the listening socket.

        Raises:
            RuntimeError: If the thread is not running.
        """
        if self._port is None:
            raise RuntimeError("the stage runs only inside `with Stage() as stage:`")
        return self._port

    def start(self) -> None:
        """
        Listen on a free port, and start the thread.

        Raises:
            RuntimeError: If the thread is running already.
        """
        if self._port is not None:
            raise RuntimeError("the stage is running already; make another one")
        listener = socket.create_server(("127.0.0.1", 0), backlog=_BACKLOG)
        # Accepted connections inherit it. The event loop sets it only if the socket names TCP.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # With a loop factory, a runner does not replace the event loop that is set for this thread.
        runner = asyncio.Runner(loop_factory=asyncio.new_event_loop)
        self._port = listener.getsockname()[1]
        self._loop = runner.get_loop()
        self._stopped = asyncio.Event()
        self._thread = threading.Thread(
            target=self._run_loop, args=(runner, listener), name="openrouter-stage", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close all connections and the socket, and wait for the end of the thread."""
        self._port = None
        self._loop.call_soon_threadsafe(self._stopped.set)
        self._thread.join()

    def run(self, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """
        Run `work` in the event loop of the thread, and wait until it has finished.

        Raises:
            RuntimeError: If the thread is not running.
        """
        _ = self.port
        asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    async def close_connections(self) -> None:
        """End every connection, also those that are still in the backlog."""
        # The loop needs a few iterations to accept the connections made before this call.
        for _ in range(_ITERATIONS_TO_ACCEPT):
            await asyncio.sleep(0)
        tasks = list(self.connections.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        # An aborted transport closes its socket in the next iteration of the loop.
        await asyncio.sleep(0)
        self.accepted = 0

    async def release(self) -> None:
        """End every wait that lasts until `release`."""
        for connection in self.connections:
            connection.release()

    def _run_loop(self, runner: asyncio.Runner, listener: socket.socket) -> None:
        with runner:
            runner.run(self._listen(listener))

    async def _listen(self, listener: socket.socket) -> None:
        async with await asyncio.start_server(
            self._accept, sock=listener, backlog=_BACKLOG, ssl=self._tls
        ):
            await self._stopped.wait()
            await self.close_connections()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = ServerConnection(reader, writer)
        task = self._loop.create_task(self._serve_connection(connection))
        # A `finally` would not run if the task were cancelled before its first step.
        task.add_done_callback(lambda _: self._remove(connection))
        with self._changed:
            self.accepted += 1
            self.connections[connection] = task
            self._changed.notify_all()

    async def _serve_connection(self, connection: ServerConnection) -> None:
        try:
            await self._serve(connection)
            await connection.close()
        except h11.RemoteProtocolError as problem:
            with contextlib.suppress(ConnectionError):
                await connection.send_reply(error(400, f"not HTTP: {problem}"))
                await connection.close()
        except ConnectionError:
            pass
        except Exception:
            _logger.exception("the stage failed")

    def _remove(self, connection: ServerConnection) -> None:
        connection.abort()
        with self._changed:
            del self.connections[connection]
            self._changed.notify_all()
