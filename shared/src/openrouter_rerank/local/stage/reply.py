"""HTTP responses as values, and error responses in OpenRouter's format."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import h11

if TYPE_CHECKING:
    from openrouter_rerank.local.stage.recorded_request import JSON

FRAMING = frozenset({"content-length", "transfer-encoding"})
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """
    One HTTP response, which the stage sends unchanged.

    Raises:
        ValueError: If the status, the delay or a header is invalid.
        TypeError: If the body is neither bytes nor text, and cannot be encoded as JSON.
    """

    status: int = 200
    body: object = b""
    """Bytes are sent unchanged, text is sent as an HTML page, and any other value as JSON."""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    """Added to the default `content-type`, or replacing it. The stage sets the length itself."""
    delay: float = 0.0
    """Seconds to wait before the first byte is sent."""

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
        """The encoded body, empty for the statuses 204 and 304."""
        if self.status in _WITHOUT_BODY:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        text = (
            self.body
            if isinstance(self.body, str)
            else json.dumps(self.body, ensure_ascii=False, separators=(",", ":"))
        )
        # UTF-8 cannot encode a lone surrogate, but its backslash form is a valid JSON escape.
        return text.encode("utf-8", "backslashreplace")

    def head(self, framing: Mapping[str, str]) -> h11.Response:
        """Return the status and the headers, with the `framing` headers, which delimit the body."""
        html = isinstance(self.body, str)
        headers = {"content-type": "text/html; charset=UTF-8" if html else "application/json"}
        headers |= {name.lower(): value for name, value in self.headers.items()} | dict(framing)
        # UTF-8, because a test may send any character, such as non-ASCII digits in Retry-After.
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        return h11.Response(status_code=self.status, headers=encoded)


def error(
    code: int,
    message: str,
    *,
    status: int | None = None,
    retry_after: float | str | None = None,
    metadata: Mapping[str, JSON] | None = None,
) -> Reply:
    """
    Return an error response in OpenRouter's format.

    Args:
        code: The code in the body.
        message: The message in the body.
        status: The HTTP status. By default, the code; 200 sends an error with a success status.
        retry_after: The value of the header `Retry-After`, valid or not.
        metadata: The metadata in the body.
    """
    content: dict[str, JSON] = {"message": message, "code": code}
    if metadata is not None:
        content["metadata"] = dict(metadata)
    return Reply(
        status=code if status is None else status,
        body={"error": content},
        headers={} if retry_after is None else {"retry-after": str(retry_after)},
    )
