"""A server that stops at one step of an exchange, and says when it has."""

import socket
import threading
from contextlib import contextmanager, suppress

STEPS = ("sending", "waiting", "reading")
"""While it stops, the client sends its request, waits for the response, or reads its body."""


@contextmanager
def stalling_server(step):
    """Yield a base URL, and a function that waits until a request is at `step`."""

    def serve():
        with suppress(OSError), listener.accept()[0] as connection:
            received = connection.recv(1024)
            if step != "sending":
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65_536)
                head, _, body = received.partition(b"\r\n\r\n")
                missing = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                missing -= len(body)
                while missing > 0:
                    missing -= len(connection.recv(65_536))
            if step == "reading":
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
            reached.set()
            ended.wait()

    reached, ended = threading.Event(), threading.Event()
    with socket.socket() as listener:
        # A small buffer, so that the client cannot send far ahead of the server.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1", reached.wait
        finally:
            ended.set()
            # If the call ended before it connected, the thread still waits in accept().
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
