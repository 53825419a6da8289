"""
The local service without I/O: a request in, an answer out, whatever shell carries them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    An HTTP response that no shell has sent yet.
    """

    status: int
    headers: dict[str, str]
    body: bytes


class LocalOpenRouter:
    """
    Answers OpenRouter's rerank protocol with a scorer on this machine.

    One service may be shared by any number of threads.
    """

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """
        Answer one request; never raise for anything a client can send.
        """
        raise NotImplementedError
