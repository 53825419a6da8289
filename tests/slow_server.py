"""A line that takes a large request slowly."""

import socket
import threading
from contextlib import contextmanager, suppress

ANSWER = b'{"results":[{"index":0,"relevance_score":1}]}'


@contextmanager
def slow_line(pause):
    """A server that takes 64 KiB of a request at a time, with pauses, and then answers it."""

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
                ended.wait(pause)
            connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(ANSWER))
            connection.sendall(ANSWER)

    ended = threading.Event()
    with socket.socket() as listener:
        # So that little of a request is on the way.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            ended.set()
            # A call whose time was up before it connected leaves the thread accepting.
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
