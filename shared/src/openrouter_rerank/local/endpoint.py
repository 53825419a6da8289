"""
The local service without I/O: OpenRouter's rerank endpoint, its list of models, and `GET /key`.

Cohere's v2 clients can use it too: their path `/v2/rerank` is accepted below any base URL.

A request comes in as values and a response goes out as a value, so an HTTP server
(`http_server.py`), an httpx transport (`transport.py`) and a scripted server for tests
(`stage.answered_by`) can all use it.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from openrouter_rerank.local.installed_scorers import installed_scorers
from openrouter_rerank.local.key_details import KEY_DETAILS
from openrouter_rerank.local.model_list import model_list
from openrouter_rerank.local.rejection import RequestRejectedError
from openrouter_rerank.local.rerank_request import decode_request
from openrouter_rerank.local.rerank_response import rerank_response
from openrouter_rerank.local.scorer import Scorer
from openrouter_rerank.telemetry import logger

RERANK_PATH = "/api/v1/rerank"
MODELS_PATH = "/api/v1/models"
KEY_PATH = "/api/v1/key"

_COHERE_PATH = "/v2/rerank"
_METHODS = {RERANK_PATH: "POST", MODELS_PATH: "GET", KEY_PATH: "GET"}
_MAX_BODY_BYTES = 100 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalResponse:
    """An HTTP response, as a value."""

    status: int
    headers: dict[str, str]
    body: bytes


class LocalOpenRouter:
    """
    Handles requests of OpenRouter's rerank protocol with a scorer on this machine.

    It accepts the slugs of hosted models too, and ranks with the local scorer; `model` and
    `provider` of the response say so. Any number of threads may share one service.
    """

    def __init__(
        self,
        *,
        scorers: Mapping[str, Scorer] | None = None,
        max_body_bytes: int = _MAX_BODY_BYTES,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """
        Create a service. A large model is loaded by the first request that needs it.

        Args:
            scorers: By model slug. The first one also scores for the hosted models. By default,
                the installed scorers.
            max_body_bytes: Longer request bodies are rejected with status 413.
            clock: Returns the Unix time, for the ids of responses.

        Raises:
            ModuleNotFoundError: If no scorer is installed; the message names the extra.
        """
        self._scorers = installed_scorers() if scorers is None else dict(scorers)
        self._max_body_bytes = max_body_bytes
        self._clock = clock

    @property
    def max_body_bytes(self) -> int:
        """The longest accepted body. A server need not keep more than one byte above it."""
        return self._max_body_bytes

    def handle(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> LocalResponse:
        """
        Return the response to one request.

        No request and no scorer makes it raise an error: if a scorer fails, the status is 500.

        Args:
            method: The HTTP method, in capitals.
            path: The path, with the query string if there is one.
            headers: The headers, with names in upper or lower case.
            body: The body, empty if there is none.
        """
        path, _, query = path.partition("?")
        response = self._response(method, path, query, headers, body)
        logger.debug("answered: method=%r path=%r status=%d", method, path, response.status)
        return response

    def _response(
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> LocalResponse:
        is_cohere = path.endswith(_COHERE_PATH)
        route = RERANK_PATH if is_cohere else path
        try:
            _check_route(method, route)
            if route == MODELS_PATH:
                return _json_response(200, model_list(query, self._scorers))
            _check_key(headers)
            if route == KEY_PATH:
                return _json_response(200, KEY_DETAILS)
            return _json_response(200, self._rerank(body, is_cohere=is_cohere))
        except RequestRejectedError as rejection:
            allow = {"allow": _METHODS[route]} if rejection.status == 405 else {}
            return _json_response(rejection.status, rejection.body(), allow)
        except Exception as error:
            logger.exception("the local scorer failed")
            # Without the text of the error, which may quote a document.
            failure = RequestRejectedError(500, f"The local scorer failed: {type(error).__name__}")
            return _json_response(failure.status, failure.body())

    def _rerank(self, body: bytes, *, is_cohere: bool) -> dict[str, object]:
        if len(body) > self._max_body_bytes:
            raise RequestRejectedError(413, f"Payload larger than {self._max_body_bytes} bytes")
        request = decode_request(body)
        if is_cohere and "/" not in request.model:
            # Cohere's clients name the model without its author.
            request = request.model_copy(update={"model": f"cohere/{request.model}"})
        return rerank_response(request, self._scorers, received=int(self._clock()))


def _check_route(method: str, route: str) -> None:
    if route not in _METHODS:
        hint = "The base URL ends with /api/v1"
        if route.endswith("/chat/completions"):
            hint = "The local scorer has no chat models: use those of OpenRouter"
        raise RequestRejectedError(404, f"Not Found: {route}. {hint}")
    if method != _METHODS[route]:
        message = f"Method {method} not allowed, only {_METHODS[route]}"
        raise RequestRejectedError(405, message)


def _check_key(headers: Mapping[str, str]) -> None:
    """Reject a request without a bearer token; its value does not matter."""
    value = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
    scheme, _, key = value.partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise RequestRejectedError(401, "Missing Authentication header")


def _json_response(
    status: int, content: object, headers: Mapping[str, str] | None = None
) -> LocalResponse:
    return LocalResponse(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        body=json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(),
    )
