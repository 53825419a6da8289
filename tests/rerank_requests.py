"""Rerank requests for the tests of the stage: sent by a client, as raw bytes, or recorded."""

import json
import socket

import httpx
from openrouter_rerank.local.stage import RecordedRequest, Stage

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]
PAYLOAD = {"model": "cohere/rerank-v3.5", "query": QUERY, "documents": DOCUMENTS}
KEY = {"Authorization": f"Bearer {Stage.api_key}"}


def rerank(client, **changes):
    """Send the rerank request with these changes to its fields."""
    return client.post("/rerank", json=PAYLOAD | changes)


def connect(stage):
    """Return a socket that is connected to the stage."""
    return socket.create_connection(("127.0.0.1", httpx.URL(stage.base_url).port), timeout=5)


def raw_request():
    """Return the bytes of a rerank request."""
    body = json.dumps(PAYLOAD).encode()
    head = (
        "POST /api/v1/rerank HTTP/1.1\r\nhost: stage\r\n"
        f"authorization: Bearer key\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def read_to_end(connection, received=None):
    """Return all bytes that a socket receives until it is closed."""
    received = bytearray() if received is None else received
    while data := connection.recv(65_536):
        received += data
    return bytes(received)


def recorded_request(*, method="POST", path="/api/v1/rerank", headers=None, body=None, **changes):
    """Return a recorded request that no client has sent, with these changes to its fields."""
    return RecordedRequest(
        method=method,
        path=path,
        headers={"authorization": "Bearer key"} if headers is None else headers,
        body=json.dumps(PAYLOAD | changes).encode() if body is None else body,
    )
