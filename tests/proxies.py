"""Proxies whose tunnels lead to one port, and the TLS of the host behind them."""

import asyncio
import socket
import ssl
import threading
from concurrent.futures import Future
from contextlib import contextmanager

import pytest
import trustme

HOST = "gateway.example"


async def http_tunnel(reader, writer):
    """Read an HTTP request for a tunnel; return the host and port that it names."""
    head = await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
    return head.split()[1].decode()


async def socks_tunnel(reader, writer):
    """Read a SOCKS 5 request (RFC 1928) for a tunnel; return the host and port that it names."""
    await reader.readexactly((await reader.readexactly(2))[1])
    writer.write(b"\x05\x00")
    *_, size = await reader.readexactly(5)
    host, port = await reader.readexactly(size), await reader.readexactly(2)
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
    return f"{host.decode()}:{int.from_bytes(port, 'big')}"


async def socks_tunnel_with_password(reader, writer):
    """Read a user name and a password (RFC 1929), and then a SOCKS 5 request for a tunnel."""
    await reader.readexactly((await reader.readexactly(2))[1])
    writer.write(b"\x05\x02")
    await reader.readexactly((await reader.readexactly(2))[1])
    await reader.readexactly((await reader.readexactly(1))[0])
    writer.write(b"\x01\x00")
    *_, size = await reader.readexactly(5)
    host, port = await reader.readexactly(size), await reader.readexactly(2)
    writer.write(b"\x05\x00\x00\x01" + bytes(6))
    return f"{host.decode()}:{int.from_bytes(port, 'big')}"


async def forward(reader, writer):
    """Forward bytes until the connection ends."""
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


@contextmanager
def proxy(handshake, port, tls, *, send_back=forward):
    """
    Run a proxy whose tunnels all lead to `port`; yield its port and the requested targets.

    `send_back` forwards what the host sends.
    """

    async def serve(reader, writer):
        writers = [writer]
        try:
            targets.append(await handshake(reader, writer))
            target_reader, target_writer = await asyncio.open_connection("127.0.0.1", port)
            writers.append(target_writer)
            await asyncio.gather(forward(reader, target_writer), send_back(target_reader, writer))
        finally:
            # Here too, because a task that is cancelled before it starts executes no `finally`.
            for each in writers:
                each.transport.abort()

    async def run():
        loop, stopped = asyncio.get_running_loop(), asyncio.Event()
        async with await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls) as server:
            proxy_port = server.sockets[0].getsockname()[1]
            ready.set_result((proxy_port, lambda: loop.call_soon_threadsafe(stopped.set)))
            await stopped.wait()

    targets, ready = [], Future()
    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    proxy_port, stop = ready.result()
    try:
        yield proxy_port, targets
    finally:
        stop()
        thread.join()


@contextmanager
def trusted_tls():
    """Yield the TLS context of the host and the proxy, with a certificate that clients trust."""
    authority = trustme.CA()
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "127.0.0.1").configure_cert(server)
    with authority.cert_pem.tempfile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", file)
        yield server


class ScriptedProxy:
    """A proxy that sends the next of `replies` after each message, and then sends nothing more."""

    def __init__(self, *replies, closes=False, tls=None):
        self.connections = self.open_connections = 0
        self._clients = set()
        self.steps = 0
        """The number of replies that were sent."""
        self._replies, self._closes, self._tls = replies, closes, tls
        self._changed = threading.Condition()

    async def _serve(self, reader, writer):
        self._clients.add(writer.get_extra_info("peername"))
        self._note(opened=1)
        try:
            if self._tls is not None:
                await writer.start_tls(self._tls)
            for reply in self._replies:
                if not await reader.read(4096):
                    return
                for start in range(len(reply)):
                    # Byte by byte, so that no message arrives in one piece.
                    writer.write(reply[start : start + 1])
                    await writer.drain()
                    await asyncio.sleep(0)
                self._note(steps=1)
            while not self._closes and await reader.read(4096):
                pass
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._note(opened=-1)

    def _note(self, *, opened=0, steps=0):
        with self._changed:
            self.open_connections += opened
            self.connections += max(opened, 0)
            self.steps += steps
            self._changed.notify_all()

    def wait_until(self, condition):
        """Wait until a condition is true, such as `lambda: proxy.open_connections == 0`."""
        with self._changed:
            assert self._changed.wait_for(condition, 30)

    def wait_until_closed(self, port):
        """Wait until all connections that clients have made so far are closed."""
        # Connections are accepted in the order in which they were made.
        with socket.create_connection(("127.0.0.1", port)) as last:
            name = last.getsockname()
            self.wait_until(lambda: name in self._clients)
        self.wait_until(lambda: self.open_connections == 0)

    @contextmanager
    def running(self):
        """Run the proxy; yield its port."""

        async def run():
            loop, stopped = asyncio.get_running_loop(), asyncio.Event()
            async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                ready.set_result((port, lambda: loop.call_soon_threadsafe(stopped.set)))
                await stopped.wait()

        ready = Future()
        thread = threading.Thread(target=asyncio.run, args=(run(),))
        thread.start()
        port, stop = ready.result()
        try:
            yield port
        finally:
            stop()
            thread.join()
