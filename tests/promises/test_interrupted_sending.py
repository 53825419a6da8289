"""Promise: a time limit of the caller ends a call that is about to send its request."""

import asyncio
import signal
import sys

import httpcore
import httpx
import pytest
from openrouter_rerank import AsyncRerankClient, RerankClient
from openrouter_rerank.local.stage import Fault

from tests.signal_handlers import LONG, handler_raising, needs_signals

pytestmark = needs_signals


def with_alarm_in(package, name, function):
    """Return what `function` returns; `SIGALRM` arrives in the first call of a package's `name`."""

    def profile(frame, event, _):
        module = frame.f_globals.get("__name__", "")
        if event == "call" and frame.f_code.co_name == name and module.startswith(package):
            sys.setprofile(None)
            signal.raise_signal(signal.SIGALRM)

    # A trace function is not used, because it would replace the one of a debugger or of the
    # coverage.
    sys.setprofile(profile)
    try:
        return function()
    finally:
        sys.setprofile(None)


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
        with_alarm_in("httpcore.", function, lambda: client.rerank("q", ["a"]))

    assert caught.value is raised.pop()
    assert len(stage.requests) <= 1


# Large requests are sent in pieces, small ones when the response is read.
@pytest.mark.parametrize("size", [1, 3_000_000], ids=["small", "large"])
@pytest.mark.parametrize("kind", [TimeoutError, ConnectionResetError, httpcore.WriteError])
def test_a_signal_while_a_connection_of_ours_sends_ends_the_call(stage, mode, size, kind):
    """The error of a signal handler ends a call while a connection of ours sends the request."""
    stage.always(Fault.hang())
    options = {"base_url": stage.base_url, "api_key": "k", "timeout": LONG}

    def call():
        if mode == "sync":
            with RerankClient(**options) as client:
                return client.rerank("q", ["a" * size])
        return asyncio.run(AsyncRerankClient(**options).rerank("q", ["a" * size]))

    with handler_raising(kind) as raised, pytest.raises(kind) as caught:
        with_alarm_in("openrouter_rerank._transport.", "_send", call)

    assert caught.value is raised.pop()
    assert len(stage.requests) <= 1
