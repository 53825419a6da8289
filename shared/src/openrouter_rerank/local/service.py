"""
The local service without I/O: a request in, an answer out, whatever shell carries them.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from openrouter_rerank.local.installed import installed_scorers
from openrouter_rerank.local.listing import listing
from openrouter_rerank.local.ranked import ranked
from openrouter_rerank.local.refusal import RefusedError
from openrouter_rerank.local.rerank_request import decode
from openrouter_rerank.local.scorer import Scorer

RERANK_PATH = "/api/v1/rerank"
MODELS_PATH = "/api/v1/models"

_METHODS = {RERANK_PATH: "POST", MODELS_PATH: "GET"}
_MAX_BODY_BYTES = 100 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP response that no shell has sent yet."""

    status: int
    headers: dict[str, str]
    body: bytes


class LocalOpenRouter:
    """
    Answers OpenRouter's rerank protocol with a scorer on this machine.

    The slugs of hosted models are answered too, by the local scorer, which `model` and `provider`
    of the response say. One service may be shared by any number of threads.
    """

    def __init__(
        self,
        *,
        scorers: Mapping[str, Scorer] | None = None,
        max_body_bytes: int = _MAX_BODY_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Prepare the scorers; a large model is loaded by the first request that needs it.

        Args:
            scorers: By model slug; the first one answers for hosted models. Those that are
                installed by default.
            max_body_bytes: What is longer is refused with 413.
            clock: Tells Unix time, for the ids of responses.

        Raises:
            ModuleNotFoundError: No scorer is installed; the message names the extra.
        """
        self._scorers = installed_scorers() if scorers is None else dict(scorers)
        self._max_body_bytes = max_body_bytes
        self._clock = clock

    @property
    def max_body_bytes(self) -> int:
        """A shell need not keep more of a body than one byte above it."""
        return self._max_body_bytes

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """
        Answer one request; never raise for anything a client can send.

        Args:
            method: In capitals, as it stands on the wire.
            path: With the query string, if there is one.
            headers: Names in any case.
            body: Empty if there is none.
        """
        route, _, query = path.partition("?")
        try:
            _check_route(method, route)
            if route == MODELS_PATH:
                return _json(200, listing(query, self._scorers))
            return _json(200, self._ranking(headers, body))
        except RefusedError as refusal:
            allow = {"allow": _METHODS[route]} if refusal.status == 405 else {}
            return _json(refusal.status, refusal.envelope(), allow)

    def _ranking(self, headers: Mapping[str, str], body: bytes) -> dict[str, object]:
        if not _has_key(headers):
            raise RefusedError(401, "Missing Authentication header")
        if len(body) > self._max_body_bytes:
            raise RefusedError(413, f"Payload larger than {self._max_body_bytes} bytes")
        request = decode(body)
        return ranked(request, self._scorers, received=int(self._clock()))


def _check_route(method: str, route: str) -> None:
    if route not in _METHODS:
        raise RefusedError(404, f"Not Found: {route}. The base URL ends with /api/v1")
    if method != _METHODS[route]:
        raise RefusedError(405, f"Method {method} not allowed, only {_METHODS[route]}")


def _has_key(headers: Mapping[str, str]) -> bool:
    """Tell whether there is a key; any will do."""
    found = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    scheme, _, key = found.partition(" ")
    return scheme.lower() == "bearer" and bool(key.strip())


def _json(status: int, content: object, headers: Mapping[str, str] | None = None) -> Answer:
    return Answer(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        body=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
    )
