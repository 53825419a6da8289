"""The watchdog of synchronous calls over injected clients, and the socket that it shuts down."""

import socket
import sys
import time
from contextlib import closing

import httpx
import httpx2
import pytest
from openrouter_rerank import RerankClient
from openrouter_rerank._transport.bounds import Bounds


def late_when_closed(library):
    """Return a transport of `library` whose calls are late when their connection is released."""

    class Stream(library.SyncByteStream):
        def __init__(self, stream, bounds):
            self._stream, self._bounds = stream, bounds

        def __iter__(self):
            return iter(self._stream)

        def close(self):
            self._stream.close()
            # What the watchdog does at the deadline.
            self._bounds.shut_down()

    class Transport(library.HTTPTransport):
        def handle_request(self, request):
            response = super().handle_request(request)
            response.stream = Stream(response.stream, request.extensions["trace"].__self__)
            return response

    return Transport()


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_a_connection_that_another_call_may_use_is_not_shut_down(stage, library):
    """A deadline that comes just after a response leaves the connection to the next call."""
    with (
        library.Client(transport=late_when_closed(library)) as injected,
        RerankClient(base_url=stage.base_url, api_key="k", http_client=injected) as client,
    ):
        for _ in range(3):
            assert client.rerank("q", ["a"]).attempts == 1

    assert stage.connections == 1


@pytest.mark.parametrize("line", range(1, 6))
def test_the_end_of_an_exchange_does_not_disturb_the_watchdog(line):
    """If an exchange ends at any line of `shut_down`, the thread of the watchdog goes on."""
    lines = []

    def trace(frame, event, _):
        if frame.f_code is not Bounds.shut_down.__code__:
            return None
        if event == "line":
            lines.append(frame.f_lineno)
            if len(lines) == line:
                bounds.trace("http11.response_closed.started", {})
        return trace

    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        bounds = Bounds(time.monotonic(), 0.0, "", str)
        bounds.socket = ours
        before = sys.gettrace()
        sys.settrace(trace)
        try:
            bounds.shut_down()
        finally:
            sys.settrace(before)

    assert bounds.socket is None or line > len(lines)
