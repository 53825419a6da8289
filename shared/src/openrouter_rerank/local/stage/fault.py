"""
What can go wrong on the wire, below HTTP: each fault is one small function over a connection.

Whatever is a proper HTTP response, however unwelcome, is a `Reply` instead.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING, TypeAlias

from openrouter_rerank.local.stage.reply import Reply

if TYPE_CHECKING:
    from openrouter_rerank.local.stage.connection import Connection

Act: TypeAlias = Callable[["Connection", Reply], Awaitable[None]]

_MIB = 1024 * 1024
_PIECE = 65_536
# Time for the client to read what was sent: a reset makes its kernel forget the unread rest.
_READING_TIME = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    Something that goes wrong in place of an answer.

    Made by the constructors below. Where an answer or a part of one is sent, it is the right one.
    """

    name: str
    act: Act
    early: bool = False
    """True when it strikes at the first bytes of a request, which is then never recorded."""

    @classmethod
    def reset_before(cls) -> Fault:
        """Reset the connection before the request is read, while the client may still write it."""
        return cls(name="reset_before", act=_reset, early=True)

    @classmethod
    def reset_after(cls) -> Fault:
        """Read the request, then reset the connection."""
        return cls(name="reset_after", act=_reset)

    @classmethod
    def reset_mid_body(cls) -> Fault:
        """Reset the connection after half of the answer's body."""
        return cls(name="reset_mid_body", act=_reset_mid_body)

    @classmethod
    def close(cls) -> Fault:
        """Read the request, then close the connection in good order, without a word."""
        return cls(name="close", act=_close)

    @classmethod
    def truncated(cls) -> Fault:
        """Announce the whole body, send half of it, close in good order."""
        return cls(name="truncated", act=_truncated)

    @classmethod
    def cut(cls) -> Fault:
        """Send half of the answer and end the connection, without the goodbye that TLS has."""
        return cls(name="cut", act=_cut)

    @classmethod
    def wrong_length(cls) -> Fault:
        """Send more than was announced, and leave the connection open."""
        return cls(name="wrong_length", act=_wrong_length)

    @classmethod
    def bad_chunk(cls) -> Fault:
        """Send a chunk whose size is no number."""
        return cls(name="bad_chunk", act=_bad_chunk)

    @classmethod
    def late_head(cls, seconds: float = 0.5) -> Fault:
        """Answer, but only after `seconds`."""
        return cls(name="late_head", act=partial(_late_head, seconds))

    @classmethod
    def drip_head(cls, interval: float = 0.05) -> Fault:
        """Send the head of the answer byte by byte, `interval` seconds apart."""
        return cls(name="drip_head", act=partial(_drip_head, interval))

    @classmethod
    def drip_body(cls, interval: float = 0.05) -> Fault:
        """Send the body of the answer byte by byte, `interval` seconds apart."""
        return cls(name="drip_body", act=partial(_drip_body, interval))

    @classmethod
    def hang(cls) -> Fault:
        """Say nothing until `Stage.release`, then answer."""
        return cls(name="hang", act=_hang)

    @classmethod
    def garbage(cls, data: bytes = bytes(range(256))) -> Fault:
        """Send bytes that are no HTTP, and close."""
        return cls(name="garbage", act=partial(_garbage, data))

    @classmethod
    def huge_body(cls, size: int = 64 * _MIB) -> Fault:
        """Send the answer after `size` bytes of blanks, which JSON allows."""
        return cls(name="huge_body", act=partial(_huge_body, size))

    @classmethod
    def gzip_bomb(cls, size: int = 64 * _MIB) -> Fault:
        """Send the same as `huge_body`, a thousand times smaller on the wire."""
        return cls(name="gzip_bomb", act=partial(_gzip_bomb, size))

    @classmethod
    def redirect(
        cls, url: str = "https://elsewhere.invalid/api/v1/rerank", status: int = 307
    ) -> Fault:
        """Point to another host, with a status that asks to send the body there too."""
        return cls(name="redirect", act=partial(_redirect, url, status))

    @classmethod
    def every(cls) -> tuple[Fault, ...]:
        """One fault of each kind: `@pytest.mark.parametrize("fault", Fault.every(), ids=str)`."""
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


async def _reset(connection: Connection, _answer: Reply) -> None:
    connection.reset()


async def _reset_mid_body(connection: Connection, answer: Reply) -> None:
    await connection.send(connection.head(answer) + _half(answer))
    await connection.idle(_READING_TIME)
    connection.reset()


async def _close(connection: Connection, _answer: Reply) -> None:
    await connection.close()


async def _truncated(connection: Connection, answer: Reply) -> None:
    await connection.send(connection.head(answer) + _half(answer))


async def _cut(connection: Connection, answer: Reply) -> None:
    await connection.send(connection.head(answer) + _half(answer))
    await connection.idle(_READING_TIME)
    connection.abort()


async def _wrong_length(connection: Connection, answer: Reply) -> None:
    head = connection.head(answer, content_length=str(len(_half(answer))))
    await connection.finish(head + answer.content)
    await connection.idle(None)


async def _bad_chunk(connection: Connection, answer: Reply) -> None:
    head = connection.head(answer, transfer_encoding="chunked")
    await connection.send(head + b"size?\r\n" + answer.content + b"\r\n0\r\n\r\n")


async def _late_head(seconds: float, connection: Connection, answer: Reply) -> None:
    await connection.respond(replace(answer, delay=seconds))


async def _drip_head(interval: float, connection: Connection, answer: Reply) -> None:
    await _drip(interval, connection, connection.head(answer))
    await connection.finish(connection.body(answer))


async def _drip_body(interval: float, connection: Connection, answer: Reply) -> None:
    await connection.send(connection.head(answer))
    body = connection.body(answer)
    await _drip(interval, connection, body[:-1])
    await connection.finish(body[-1:])


async def _hang(connection: Connection, answer: Reply) -> None:
    await connection.idle(None)
    await connection.respond(answer)


async def _garbage(data: bytes, connection: Connection, _answer: Reply) -> None:
    await connection.send(data)


async def _huge_body(size: int, connection: Connection, answer: Reply) -> None:
    length = str(size + len(answer.content))
    await connection.send(connection.head(answer, content_length=length))
    for piece in _blanks(size):
        await connection.send(piece)
    await connection.finish(answer.content)


async def _gzip_bomb(size: int, connection: Connection, answer: Reply) -> None:
    body = _after_blanks(size)(answer.content)
    headers = {**answer.headers, "content-encoding": "gzip"}
    await connection.respond(replace(answer, body=body, headers=headers))


async def _redirect(url: str, status: int, connection: Connection, _answer: Reply) -> None:
    await connection.respond(Reply(status=status, headers={"location": url}))


async def _drip(interval: float, connection: Connection, data: bytes) -> None:
    for byte in data:
        await connection.send(bytes([byte]))
        await connection.idle(interval)


def _half(answer: Reply) -> bytes:
    return answer.content[: len(answer.content) // 2]


def _blanks(size: int) -> Iterable[bytes]:
    piece = b" " * _PIECE
    for start in range(0, size, _PIECE):
        yield piece[: size - start]


@cache
def _after_blanks(size: int) -> Callable[[bytes], bytes]:
    gzip = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)
    blanks = b"".join(map(gzip.compress, _blanks(size)))

    def compressed(content: bytes) -> bytes:
        rest = gzip.copy()
        return blanks + rest.compress(content) + rest.flush()

    return compressed
