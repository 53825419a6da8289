"""Both servers send the end of a response without a wait, also on a connection used before."""

import gc
import os
import signal
import socket
import subprocess
import sys
import threading
from urllib.parse import urlsplit

from openrouter_rerank.local.http_server import serve


def no_delay(base_url):
    """Make a request to a server of this process, and return `TCP_NODELAY` of its connection."""
    with socket.create_connection(("127.0.0.1", urlsplit(base_url).port)) as client:
        client.sendall(b"GET /api/v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.recv(1)
        sockets = (found for found in gc.get_objects() if type(found) is socket.socket)
        (accepted,) = (found for found in sockets if is_other_end(found, client))
        return accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def is_other_end(found, client):
    """Return `True` if a socket of this process is the other end of the client's connection."""
    try:
        return found.getpeername() == client.getsockname()
    except OSError:
        return False  # It is closed, or listens


def serve_one_request():
    """Run the local service for one request, and print `TCP_NODELAY` of its connection."""

    def check(base_url):
        try:
            sys.stdout.write(f"{no_delay(base_url)}\n")
            sys.stdout.flush()
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    serve(port=0, ready=lambda base_url: threading.Thread(target=check, args=[base_url]).start())


def test_the_connections_of_the_stage_do_not_wait_for_acknowledgements(stage):
    """The stage sets `TCP_NODELAY` on each connection that it accepts."""
    assert no_delay(stage.base_url) != 0


def test_the_connections_of_the_local_service_do_not_wait_for_acknowledgements():
    """`serve` sets `TCP_NODELAY` on each connection that it accepts with asyncio's event loop."""
    program = (
        # Uvicorn prefers uvloop, which sets the option itself.
        "import sys; sys.modules['uvloop'] = None;"
        "from tests.local.test_no_delay import serve_one_request; serve_one_request()"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert int(done.stdout) != 0
