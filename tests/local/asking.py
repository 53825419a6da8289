"""How the tests of the stage ask it, and what they ask."""

import json
import socket

import httpx
from openrouter_rerank.local.stage import RecordedRequest, Stage

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]
PAYLOAD = {"model": "cohere/rerank-v3.5", "query": QUERY, "documents": DOCUMENTS}
KEY = {"Authorization": f"Bearer {Stage.api_key}"}


def rerank(client, **changes):
    """Ask the stage to rank."""
    return client.post("/rerank", json=PAYLOAD | changes)


def connect(stage):
    """A socket that is connected to the stage."""
    return socket.create_connection(("127.0.0.1", httpx.URL(stage.base_url).port), timeout=5)


def wire():
    """A request as it goes over the wire."""
    body = json.dumps(PAYLOAD).encode()
    head = (
        "POST /api/v1/rerank HTTP/1.1\r\nhost: stage\r\n"
        f"authorization: Bearer key\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def everything(plug, received=None):
    """All that comes from a socket until it is closed."""
    received = bytearray() if received is None else received
    while data := plug.recv(65_536):
        received += data
    return bytes(received)


def asked(*, method="POST", path="/api/v1/rerank", headers=None, body=None, **changes):
    """A recorded request that no client sent."""
    return RecordedRequest(
        method=method,
        path=path,
        headers={"authorization": "Bearer key"} if headers is None else headers,
        body=json.dumps(PAYLOAD | changes).encode() if body is None else body,
    )
