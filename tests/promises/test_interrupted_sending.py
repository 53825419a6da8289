"""Promise: a time limit of the caller ends a call whose injected client is about to send."""

import signal
import sys

import httpcore
import httpx
import pytest
from openrouter_rerank import RerankClient
from openrouter_rerank.local.stage import Fault

from tests.signal_handlers import LONG, handler_raising, needs_signals

pytestmark = needs_signals


def with_alarm_in(name, function):
    """Return what `function` returns; `SIGALRM` arrives in the first call of httpcore's `name`."""

    def trace(frame, event, _):
        code = frame.f_code
        if code.co_name == name and "httpcore" in code.co_filename:
            sys.settrace(before)
            signal.raise_signal(signal.SIGALRM)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        return function()
    finally:
        sys.settrace(before)


@pytest.mark.parametrize("kind", [TimeoutError, ConnectionResetError, httpcore.WriteError])
@pytest.mark.parametrize("function", ["_send_request_headers", "write", "_send_request_body"])
def test_a_signal_while_a_request_is_sent_ends_the_call(stage, function, kind):
    """
    The error of a signal handler ends a call while its request is sent.

    httpcore goes on to read the response after a `WriteError`, which may be of the handler.
    """
    stage.always(Fault.hang())
    options = {"base_url": stage.base_url, "api_key": "k", "timeout": LONG}
    with (
        httpx.Client() as injected,
        RerankClient(http_client=injected, **options) as client,
        handler_raising(kind) as raised,
        pytest.raises(kind) as caught,
    ):
        with_alarm_in(function, lambda: client.rerank("q", ["a"]))

    assert caught.value is raised.pop()
    assert len(stage.requests) <= 1
