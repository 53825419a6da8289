"""
What can go wrong on the wire, below HTTP: each fault is one small function over a connection.

Whatever is a proper HTTP response, however unwelcome, is a `Reply` instead.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from openrouter_rerank.local.stage_connection import Connection
from openrouter_rerank.local.stage_reply import Reply

Act: TypeAlias = Callable[[Connection, Reply], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    Something that goes wrong in place of an answer.

    Made by the constructors below. Where part of an answer is sent, it is part of the right one.
    """

    name: str
    act: Act
    early: bool = False
    """True when it strikes at the first bytes of a request, which is then never recorded."""

    @classmethod
    def hang(cls) -> Fault:
        """
        Read the request and say nothing until `Stage.release`, then give the right answer.
        """
        return cls(name="hang", act=_hang)


async def _hang(connection: Connection, answer: Reply) -> None:
    await connection.idle(None)
    await connection.respond(answer)
