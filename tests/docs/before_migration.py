"""
Runs the code before a migration in `.venv-migrate`, where the packages of the providers are.

Requests go to a loopback server instead of the provider: `https://api.jina.ai/v1/rerank` becomes
`http://127.0.0.1:PORT/api.jina.ai/v1/rerank`. This process can reach no other machine, and it does
not wait before it tries again.

torch is too large to install, so `sentence_transformers.CrossEncoder` is a stand-in that counts
common words. The classes of LangChain and LlamaIndex around it are the real ones.
"""

import asyncio
import contextlib
import functools
import importlib
import inspect
import ipaddress
import json
import os
import sys
import time
import types
from urllib.parse import urlsplit

KEYS = (
    "COHERE_API_KEY",
    "CO_API_KEY",
    "JINA_API_KEY",
    "JINAAI_API_KEY",
    "VOYAGE_API_KEY",
    "NVIDIA_API_KEY",
)
sent: list[str] = []
"""The addresses that the program has sent requests to."""


def texts_and_scores(best):
    """Return the text and the score of each of `best`: documents, nodes, or pairs of both."""
    return [_text_and_score(each) for each in best]


def _text_and_score(each):
    if isinstance(each, tuple):
        return [each[0], float(each[1])]
    if hasattr(each, "page_content"):
        return [each.page_content, each.metadata.get("relevance_score")]
    return [each.node.get_content(), float(each.score)]


def parameters(path):
    """Return the parameters of a class or function, and its fields, with their defaults."""
    module, _, name = path.partition(":")
    found = functools.reduce(getattr, name.split("."), importlib.import_module(module))
    signature = inspect.signature(found).parameters
    defaults = {name: parameter.default for name, parameter in signature.items()}
    for name, field in getattr(found, "model_fields", {}).items():
        defaults.setdefault(name, field.default)
    plain = (str, int, float, bool, type(None))
    return {name: value if isinstance(value, plain) else "..." for name, value in defaults.items()}


def main(stub):
    """
    Print the outcomes of the programs, and the parameters of the classes, as JSON.

    The standard input names both: `{"programs": [{"code": ..., "key": ...}], "classes": [...]}`.
    """
    sys.addaudithook(_refuse_network)
    _redirect_requests(stub)
    _do_not_wait()
    sys.modules["sentence_transformers"] = _sentence_transformers()
    given = json.load(sys.stdin)
    with contextlib.redirect_stdout(sys.stderr):  # litellm prints where to get help
        outcomes = [_outcome(**program) for program in given["programs"]]
        classes = {path: parameters(path) for path in given["classes"]}
    json.dump({"outcomes": outcomes, "classes": classes}, sys.stdout)


def _outcome(code, key):
    """Return the `best` or the error of `code`, with `key` in the environment, and its requests."""
    for name in KEYS:
        os.environ.pop(name, None)
        if key is not None:
            os.environ[name] = key
    sent.clear()
    namespace = {"__name__": "example"}
    try:
        exec(compile(code, "before", "exec"), namespace)  # noqa: S102
    except Exception as error:  # noqa: BLE001
        return {"error": type(error).__name__, "text": str(error), "requests": len(sent)}
    return {"best": texts_and_scores(namespace["best"]), "requests": len(sent)}


def _redirect_requests(stub):
    import aiohttp
    import httpx
    import requests

    def redirected(url):
        parts = urlsplit(str(url))
        if parts.hostname == "127.0.0.1":  # httpx may send by aiohttp
            return url
        sent.append(str(url))
        return f"{stub}/{parts.hostname}{parts.path}"

    def of_requests(_session, request):
        request.url = redirected(request.url)
        return [request]

    def of_httpx(_client, request):
        request.url = httpx.URL(redirected(request.url))
        request.headers["Host"] = request.url.netloc.decode()
        return [request]

    def of_aiohttp(_session, method, url):
        return [method, redirected(url)]

    _change_arguments(requests.Session, "send", of_requests)
    _change_arguments(httpx.Client, "send", of_httpx)
    _change_arguments(httpx.AsyncClient, "send", of_httpx)
    _change_arguments(aiohttp.ClientSession, "_request", of_aiohttp)


def _change_arguments(owner, name, change):
    method = getattr(owner, name)
    setattr(owner, name, lambda self, *given, **more: method(self, *change(self, *given), **more))


def _do_not_wait():
    sleep = asyncio.sleep
    time.sleep = lambda _seconds: None
    asyncio.sleep = lambda _seconds, result=None: sleep(0, result)


def _sentence_transformers():
    import numpy as np

    class CrossEncoder:
        def __init__(self, model_name_or_path, **options):
            self.options = options

        def predict(self, pairs):
            words = [[set(text.lower().rstrip("?.").split()) for text in pair] for pair in pairs]
            return np.array([len(query & text) for query, text in words], dtype=np.float32)

        def rank(self, query, documents, top_k=None):
            scores = self.predict([(query, document) for document in documents])
            order = sorted(range(len(documents)), key=lambda index: -scores[index])
            return [{"corpus_id": index, "score": scores[index]} for index in order[:top_k]]

    module = types.ModuleType("sentence_transformers")
    module.CrossEncoder = CrossEncoder
    return module


def _refuse_network(event, args):
    if event == "socket.connect" and isinstance(args[1], tuple):
        host = args[1][0]
    elif event == "socket.getaddrinfo":
        host = args[0]
    else:
        return
    name = host.decode() if isinstance(host, bytes) else host
    if name not in {None, "localhost"} and not ipaddress.ip_address(name).is_loopback:
        raise RuntimeError(f"only loopback is allowed, not {name}")


if __name__ == "__main__":
    main(sys.argv[1])
