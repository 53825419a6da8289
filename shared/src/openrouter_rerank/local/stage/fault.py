"""
Faults: what can go wrong below HTTP. Each fault is a small function over a connection.

A valid HTTP response is a `Reply` instead, also if it is an error.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

from openrouter_rerank.local.stage.reply import Reply

if TYPE_CHECKING:
    from openrouter_rerank.local.stage.server_connection import ServerConnection

Act: TypeAlias = Callable[["ServerConnection", Reply], Awaitable[None]]

_MIB = 1024 * 1024
_PIECE = 65_536
# Seconds for the client to read what was sent: after a reset, its kernel discards unread data.
_READING_TIME = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    Something that goes wrong instead of a normal response.

    Create it with one of the class methods. Faults that send a response, or a part of one, use the
    correct response to the request.
    """

    name: str
    act: Act
    early: bool = False
    """`True` if it happens at the first bytes of a request, which is then not recorded."""

    @classmethod
    def reset_before(cls) -> Fault:
        """Reset the connection before the request is read, while the client may still send it."""
        return cls(name="reset_before", act=_reset, early=True)

    @classmethod
    def reset_after(cls) -> Fault:
        """Read the request, then reset the connection."""
        return cls(name="reset_after", act=_reset)

    @classmethod
    def reset_mid_body(cls) -> Fault:
        """Send the head and half of the body of the response, then reset the connection."""
        return cls(name="reset_mid_body", act=_reset_mid_body)

    @classmethod
    def close(cls) -> Fault:
        """Read the request, then close the connection normally, without a response."""
        return cls(name="close", act=_close)

    @classmethod
    def truncated(cls) -> Fault:
        """Declare the length of the whole body, send half of the body, and close normally."""
        return cls(name="truncated", act=_truncated)

    @classmethod
    def cut(cls) -> Fault:
        """Send the head and half of the body, then end the connection, without `close_notify`."""
        return cls(name="cut", act=_cut)

    @classmethod
    def wrong_length(cls) -> Fault:
        """Send more than the declared length, and leave the connection open."""
        return cls(name="wrong_length", act=_wrong_length)

    @classmethod
    def bad_chunk(cls) -> Fault:
        """Send a chunk whose size is not a number."""
        return cls(name="bad_chunk", act=_bad_chunk)

    @classmethod
    def late_head(cls, seconds: float = 0.5) -> Fault:
        """Send the response, but only after `seconds`."""
        return cls(name="late_head", act=partial(_late_head, seconds))

    @classmethod
    def drip_head(cls, interval: float = 0.05) -> Fault:
        """Send the head of the response byte by byte, `interval` seconds apart."""
        return cls(name="drip_head", act=partial(_drip_head, interval))

    @classmethod
    def drip_body(cls, interval: float = 0.05) -> Fault:
        """Send the body of the response byte by byte, `interval` seconds apart."""
        return cls(name="drip_body", act=partial(_drip_body, interval))

    @classmethod
    def hang(cls) -> Fault:
        """Send nothing until `Stage.release`, then the response."""
        return cls(name="hang", act=_hang)

    @classmethod
    def garbage(cls, data: bytes = bytes(range(256))) -> Fault:
        """Send bytes that are not HTTP, and close."""
        return cls(name="garbage", act=partial(_garbage, data))

    @classmethod
    def huge_body(cls, size: int = 64 * _MIB) -> Fault:
        """Send the response with `size` spaces before the JSON, which JSON allows."""
        return cls(name="huge_body", act=partial(_huge_body, size))

    @classmethod
    def gzip_bomb(cls, size: int = 64 * _MIB) -> Fault:
        """Send the body of `huge_body`, compressed with gzip to about a thousandth of its size."""
        return cls(name="gzip_bomb", act=partial(_gzip_bomb, size))

    @classmethod
    def redirect(
        cls, url: str = "https://elsewhere.invalid/api/v1/rerank", status: int = 307
    ) -> Fault:
        """Redirect to another host, by default with a status that asks to send the body again."""
        return cls(name="redirect", act=partial(_redirect, url, status))

    @classmethod
    def every(cls) -> tuple[Fault, ...]:
        """
        Return one fault of each kind.

        Use it as `@pytest.mark.parametrize("fault", Fault.every(), ids=str)`.
        """
        return (
            cls.reset_before(),
            cls.reset_after(),
            cls.reset_mid_body(),
            cls.close(),
            cls.truncated(),
            cls.cut(),
            cls.wrong_length(),
            cls.bad_chunk(),
            cls.late_head(),
            cls.drip_head(),
            cls.drip_body(),
            cls.hang(),
            cls.garbage(),
            cls.huge_body(),
            cls.gzip_bomb(),
            cls.redirect(),
        )

    def __str__(self) -> str:
        return self.name


async def _reset(connection: ServerConnection, _reply: Reply) -> None:
    connection.reset()


async def _reset_mid_body(connection: ServerConnection, reply: Reply) -> None:
    await connection.send(connection.head_bytes(reply) + _half(reply))
    await connection.wait(_READING_TIME)
    connection.reset()


async def _close(connection: ServerConnection, _reply: Reply) -> None:
    await connection.close()


async def _truncated(connection: ServerConnection, reply: Reply) -> None:
    await connection.send(connection.head_bytes(reply) + _half(reply))


async def _cut(connection: ServerConnection, reply: Reply) -> None:
    await connection.send(connection.head_bytes(reply) + _half(reply))
    await connection.wait(_READING_TIME)
    connection.abort()


async def _wrong_length(connection: ServerConnection, reply: Reply) -> None:
    head = connection.head_bytes(reply, content_length=str(len(_half(reply))))
    await connection.send_last(head + reply.content)
    await connection.wait(None)


async def _bad_chunk(connection: ServerConnection, reply: Reply) -> None:
    head = connection.head_bytes(reply, transfer_encoding="chunked")
    await connection.send(head + b"size?\r\n" + reply.content + b"\r\n0\r\n\r\n")


async def _late_head(seconds: float, connection: ServerConnection, reply: Reply) -> None:
    await connection.send_reply(replace(reply, delay=seconds))


async def _drip_head(interval: float, connection: ServerConnection, reply: Reply) -> None:
    await _drip(interval, connection, connection.head_bytes(reply))
    await connection.send_last(connection.body_bytes(reply))


async def _drip_body(interval: float, connection: ServerConnection, reply: Reply) -> None:
    await connection.send(connection.head_bytes(reply))
    body = connection.body_bytes(reply)
    await _drip(interval, connection, body[:-1])
    await connection.send_last(body[-1:])


async def _hang(connection: ServerConnection, reply: Reply) -> None:
    await connection.wait(None)
    await connection.send_reply(reply)


async def _garbage(data: bytes, connection: ServerConnection, _reply: Reply) -> None:
    await connection.send(data)


async def _huge_body(size: int, connection: ServerConnection, reply: Reply) -> None:
    length = str(size + len(reply.content))
    await connection.send(connection.head_bytes(reply, content_length=length))
    for piece in _spaces(size):
        await connection.send(piece)
    await connection.send_last(reply.content)


async def _gzip_bomb(size: int, connection: ServerConnection, reply: Reply) -> None:
    body = _gzip_after_spaces(size)(reply.content)
    headers = {**reply.headers, "content-encoding": "gzip"}
    await connection.send_reply(replace(reply, body=body, headers=headers))


async def _redirect(url: str, status: int, connection: ServerConnection, _reply: Reply) -> None:
    await connection.send_reply(Reply(status=status, headers={"location": url}))


async def _drip(interval: float, connection: ServerConnection, data: bytes) -> None:
    for byte in data:
        await connection.send(bytes([byte]))
        await connection.wait(interval)


def _half(reply: Reply) -> bytes:
    return reply.content[: len(reply.content) // 2]


def _spaces(size: int) -> Iterable[bytes]:
    piece = b" " * _PIECE
    for start in range(0, size, _PIECE):
        yield piece[: size - start]


@cache
def _gzip_after_spaces(size: int) -> Callable[[bytes], bytes]:
    gzip = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    spaces = b"".join(map(gzip.compress, _spaces(size)))

    def compressed(content: bytes) -> bytes:
        rest = gzip.copy()
        return spaces + rest.compress(content) + rest.flush()

    return compressed
