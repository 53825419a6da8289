"""
A loopback server that answers rerank requests as Cohere, Jina, Voyage and NVIDIA do.

The first part of a path is the host of the provider: `/api.cohere.com/v2/rerank`. The scores are
those of the lexical scorer, so that a provider and OpenRouter's local server give one order.
"""

import json
import math
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from openrouter_rerank.local.lexical import LexicalScorer

KEY, KEY_WHEN_DOWN = "right-key", "key-when-down"

Ranked = list[tuple[int, float]]
"""Index and score of each document, best first."""


def _cohere(_request: dict[str, Any], ranked: Ranked) -> dict[str, Any]:
    results = [{"index": index, "relevance_score": score} for index, score in ranked]
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return {"id": "07734bd2", "results": results, "meta": meta}


def _jina(request: dict[str, Any], ranked: Ranked) -> dict[str, Any]:
    results = [
        {
            "index": index,
            "relevance_score": score,
            "document": {"text": request["documents"][index]},
        }
        for index, score in ranked
    ]
    return {"model": request["model"], "usage": {"total_tokens": 815}, "results": results}


def _voyage(request: dict[str, Any], ranked: Ranked) -> dict[str, Any]:
    data = [{"index": index, "relevance_score": score} for index, score in ranked]
    usage = {"total_tokens": 26}
    return {"object": "list", "data": data, "model": request["model"], "usage": usage}


def _nvidia(_request: dict[str, Any], ranked: Ranked) -> dict[str, Any]:
    logits = [
        {"index": index, "logit": math.log((score + 1e-6) / (1 + 1e-6 - score))}
        for index, score in ranked
    ]
    return {"rankings": logits}


_ANSWERS: dict[str, Callable[[dict[str, Any], Ranked], dict[str, Any]]] = {
    "/api.cohere.com/v2/rerank": _cohere,
    "/api.jina.ai/v1/rerank": _jina,
    "/api.voyageai.com/v1/rerank": _voyage,
    "/ai.api.nvidia.com/v1/retrieval/nvidia/llama-nemotron-rerank-1b-v2/reranking": _nvidia,
    "/ai.api.nvidia.com/v1/retrieval/nvidia/llama-3_2-nv-rerankqa-1b-v2/reranking": _nvidia,
}


def _texts(request: dict[str, Any]) -> tuple[str, Sequence[str]]:
    """Return the query and the texts of a request; NVIDIA's have other names."""
    if "passages" in request:
        return request["query"]["text"], [passage["text"] for passage in request["passages"]]
    return request["query"], request["documents"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.path not in _ANSWERS:
            self._send(404, {"detail": f"no route {self.path}"})
        elif key == KEY_WHEN_DOWN:
            self._send(503, {"message": "down", "detail": "down"})
        elif key != KEY:
            self._send(401, {"message": "invalid key", "detail": "invalid key"})
        else:
            request = json.loads(body)
            query, texts = _texts(request)
            scores = LexicalScorer().scores(query, texts)
            ranked = sorted(enumerate(scores), key=lambda each: -each[1])
            kept = ranked[: request.get("top_n") or request.get("top_k")]
            self._send(200, _ANSWERS[self.path](request, kept))

    def _send(self, status: int, answer: dict[str, Any]) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def provider_stub() -> Iterator[str]:
    """Run the server, and yield its base URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
