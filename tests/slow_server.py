"""A server that receives large requests slowly."""

import socket
import threading
from contextlib import contextmanager, suppress

RESPONSE_BODY = b'{"results":[{"index":0,"relevance_score":1}]}'


@contextmanager
def slow_server(pause):
    """
    Yield the base URL of a server that receives one request slowly, and then answers it.

    It reads at most 64 KiB of the body at a time, and then waits `pause` seconds.
    """

    def serve():
        with suppress(OSError), listener.accept()[0] as connection:
            received = b""
            while b"\r\n\r\n" not in received:
                if not (piece := connection.recv(4096)):
                    return
                received += piece
            head, _, body = received.partition(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            missing = length - len(body)
            while missing and (piece := connection.recv(min(missing, 65_536))):
                missing -= len(piece)
                stopped.wait(pause)
            connection.sendall(
                b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(RESPONSE_BODY)
            )
            connection.sendall(RESPONSE_BODY)

    stopped = threading.Event()
    with socket.socket() as listener:
        # A small buffer, so that the client cannot send far ahead of the server.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            stopped.set()
            # If the call timed out before it connected, the thread still waits in accept().
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
