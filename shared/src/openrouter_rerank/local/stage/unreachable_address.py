"""Base URLs to which no client can connect, to test what happens before there is a connection."""

from __future__ import annotations

import contextlib
import select
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

# Seconds. A connect to loopback that takes longer waits for room in the listener's backlog.
_CONNECT_TIME = 0.05


@contextlib.contextmanager
def refusing_address() -> Generator[str]:
    """
    Yield a base URL where every connection is refused.

    Its port stays reserved until the end of the `with`, so no other program can listen there.
    """
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield _base_url(bound)


@contextlib.contextmanager
def unaccepting_address() -> Generator[str]:
    """
    Yield a base URL where connections are neither accepted nor refused.

    A client waits until its own connect timeout.
    """
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        connected = True
        while connected:
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            connected = bool(select.select([], [filler], [], _CONNECT_TIME)[1])
        yield _base_url(listener)


def _base_url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
