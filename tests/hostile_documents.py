"""
Reranks documents and nodes that name files and addresses, and prints which of these were opened.

`python -m tests.hostile_documents 10000` uses a mock transport inside the process, so there is no
reason to open anything. It prints the events that Python's audit hook has reported.
"""

import asyncio
import itertools
import json
import logging
import os
import sys
from pathlib import Path

import httpx
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llama_index.core.schema import (
    ImageDocument,
    ImageNode,
    IndexNode,
    MediaResource,
    NodeWithScore,
    TextNode,
)
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank

WATCHED = ("open", "os.", "socket.", "subprocess.", "urllib.", "http.", "ftplib.", "glob.")
BATCH = 500
TARGETS = (
    *("/etc/passwd", "file:///etc/passwd", "~/.ssh/id_rsa", "../../secret.png", "C:\\a.png", "|id"),
    *("http://169.254.169.254/latest", "http://127.0.0.1:9/a.png", "https://host.example/a.png"),
    *("//host.example/a.png", "\\\\host\\share\\a.png", "ftp://host.example/a", "gopher://h/1"),
    *("s3://bucket/a.png", "/dev/zero", "/proc/self/environ", "a.png\0.txt", "${HOME}", "$(id)"),
    *("data:image/png;base64,AAAA", "data:text/plain,x", "x" * 5_000, "{{ open('/etc/passwd') }}"),
)
FIELDS = ("image", "image_path", "image_url", "source", "file_path", "url", "path", "file_name")


def documents():
    """Generate LangChain documents with a target as text and in each metadata field."""
    for number in itertools.count():
        for target, field in itertools.product(TARGETS, FIELDS):
            yield Document(f"{number} {target}", metadata={field: target})
            yield Document("", metadata={field: target, "number": number})


def nodes():
    """Generate LlamaIndex nodes with a target in each field that can name a file or a URL."""
    for number in itertools.count():
        for target, field in itertools.product(TARGETS, FIELDS):
            metadata = {field: target, "number": number}
            yield TextNode(text=f"{number} {target}", metadata=metadata)
            yield IndexNode(text=target, index_id=target, metadata=metadata)
            for kind in ("image", "image_url", "image_path"):
                yield ImageNode(text=f"{number}", metadata=metadata, **{kind: target})
            for kind in ("path", "url"):
                resource = MediaResource.model_construct(**{kind: target})
                yield ImageDocument.model_construct(metadata=metadata, image_resource=resource)


def respond(request):
    """Return a ranking that keeps the order of the documents."""
    count = len(json.loads(request.content)["documents"])
    rows = [{"index": index, "relevance_score": 1 / (index + 1)} for index in range(count)]
    return httpx.Response(200, json={"results": rows})


def rerankers():
    """Return a generator and a rerank function for documents, and another pair for nodes."""
    transport = httpx.MockTransport(respond)
    options = {
        "api_key": "k",
        "image_mode": "always",
        "http_client": httpx.Client(transport=transport),
        "http_async_client": httpx.AsyncClient(transport=transport),
    }
    langchain = LangChainRerank(image_key="image_path", rank_fields=["source"], **options)
    llamaindex = LlamaIndexRerank(**options)

    def rerank_documents(batch, run):
        run(langchain.acompress_documents(batch, "q"))
        return langchain.compress_documents(batch, "q")

    def rerank_nodes(batch, run):
        scored = [NodeWithScore(node=node) for node in batch]
        run(llamaindex.apostprocess_nodes(scored, query_str="q"))
        return llamaindex.postprocess_nodes(scored, query_str="q")

    return (documents, rerank_documents), (nodes, rerank_nodes)


class Audit:
    """Records audit events about files, processes and the network while its `with` block runs."""

    def __init__(self):
        self.active = False
        self.events = []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        """Record the event if it is watched."""
        if self.active and event.startswith(WATCHED):
            self.events.append((event, arguments))

    def __enter__(self):
        self.active = True

    def __exit__(self, *_):
        self.active = False


def main(count):
    """Rerank at least `count` documents and as many nodes, and print the audit events."""
    # The warnings of a reranker go to standard error.
    logging.disable()
    audit = Audit()
    with asyncio.Runner() as runner:
        for generate, rerank in rerankers():
            hostile = generate()
            # The first calls import modules, so they are not watched.
            rerank([*itertools.islice(hostile, BATCH)], runner.run)
            reranked = 0
            with audit:
                while reranked < count:
                    reranked += len(rerank([*itertools.islice(hostile, BATCH)], runner.run))
            print(reranked, generate.__name__, audit.events)
    with audit, Path(os.devnull).open():
        pass
    print(audit.events)


if __name__ == "__main__":
    main(int(sys.argv[1]))
