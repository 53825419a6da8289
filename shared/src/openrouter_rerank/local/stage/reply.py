"""What the stage says over HTTP: responses as values, and errors in OpenRouter's envelope."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h11

if TYPE_CHECKING:
    from openrouter_rerank.local.stage.request import JSON

FRAMING = frozenset({"content-length", "transfer-encoding"})
_BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    One HTTP response, sent as it is.

    Raises:
        ValueError: The status, the delay or a header cannot be sent.
        TypeError: The body is neither bytes, text nor JSON.
    """

    status: int = 200
    body: object = b""
    """Bytes and text go out unchanged, text as an HTML page; anything else goes out as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to `content-type`, or in its place; the length is the stage's own affair."""
    delay: float = 0.0
    """Seconds to wait before the first byte."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.delay) and self.delay >= 0):
            raise ValueError(f"delay must be a number of seconds from 0 up, got {self.delay!r}")
        for name in self.headers:
            if name.lower() in FRAMING:
                raise ValueError(f"{name!r} follows from the body; a `Fault` can make it wrong")
        try:
            self.head({"content-length": str(len(self.content))})
        except h11.LocalProtocolError as problem:
            raise ValueError(f"{self!r} cannot be sent: {problem}") from None

    @property
    def content(self) -> bytes:
        """The body as bytes."""
        if self.status in _BODILESS:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        text = (
            self.body
            if isinstance(self.body, str)
            else json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        )
        # A lone surrogate cannot be UTF-8, but its backslash form is the JSON escape for it.
        return text.encode("utf-8", "backslashreplace")

    def head(self, framing: Mapping[str, str]) -> h11.Response:
        """The status and headers to send, with those that frame the body."""
        html = isinstance(self.body, str)
        headers = {"content-type": "text/html; charset=UTF-8" if html else "application/json"}
        headers |= {name.lower(): value for name, value in self.headers.items()} | dict(framing)
        # Any byte may be scripted (digits of another script in Retry-After), hence UTF-8.
        lines = [(name.encode(), value.encode()) for name, value in headers.items()]
        return h11.Response(status_code=self.status, headers=lines)


def error(
    code: int,
    message: str,
    *,
    status: int | None = None,
    retry_after: float | str | None = None,
    metadata: Mapping[str, JSON] | None = None,
) -> Reply:
    """
    An error in OpenRouter's envelope.

    `status` is the HTTP status where it differs from the code: 200 for an error inside a success.
    `retry_after` is the header of that name, whatever its value.
    """
    envelope: dict[str, JSON] = {"message": message, "code": code}
    if metadata is not None:
        envelope["metadata"] = dict(metadata)
    return Reply(
        status=code if status is None else status,
        body={"error": envelope},
        headers={} if retry_after is None else {"retry-after": str(retry_after)},
    )
