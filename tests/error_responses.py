"""Errors that the client makes of responses, for tests."""

import datetime as dt
import json

from openrouter_rerank._attempt import Response
from openrouter_rerank._wire.error_response import status_error
from openrouter_rerank._wire.server_text import json_body

RECEIVED = dt.datetime(2026, 11, 2, 12, 0, 0, tzinfo=dt.UTC)


def error_for(body=b"", *, status=503, headers=None, model="the/slug", url=""):
    """Return the error of a response with `body`, which is bytes or a JSON value."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = Response(
        status=status,
        headers=headers or {},
        body=content,
        received=RECEIVED.timestamp(),
        url=url,
    )
    return error_of(response, model)


def error_of(response, model="the/slug"):
    """Return the error of a response."""
    return status_error(response, json_body(response.body), model)
