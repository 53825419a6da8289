"""Addresses where nobody answers, for what happens before there is a connection."""

from __future__ import annotations

import contextlib
import select
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

# A connect to loopback that is not through by now waits for a place in the backlog.
_CONNECT_TIME = 0.05


@contextlib.contextmanager
def refusing_address() -> Generator[str]:
    """A base URL where every connection is refused, and that nobody else can take meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield _base_url(bound)


@contextlib.contextmanager
def unaccepting_address() -> Generator[str]:
    """A base URL where a connection is neither accepted nor refused: connecting takes for ever."""
    with contextlib.ExitStack() as sockets:
        listener = sockets.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        through = True
        while through:
            filler = sockets.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
            through = bool(select.select([], [filler], [], _CONNECT_TIME)[1])
        yield _base_url(listener)


def _base_url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/api/v1"
