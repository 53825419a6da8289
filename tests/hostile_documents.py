"""
Reranks documents and nodes that ask for files and addresses, and tells what of that was touched.

`python -m tests.hostile_documents 10000` answers in the process itself, so that there is no reason
to open anything, and prints what Python's audit hook has seen.
"""

import asyncio
import itertools
import json
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
AT_ONCE = 500
PLACES = (
    *("/etc/passwd", "file:///etc/passwd", "~/.ssh/id_rsa", "../../secret.png", "C:\\a.png", "|id"),
    *("http://169.254.169.254/latest", "http://127.0.0.1:9/a.png", "https://host.example/a.png"),
    *("//host.example/a.png", "\\\\host\\share\\a.png", "ftp://host.example/a", "gopher://h/1"),
    *("s3://bucket/a.png", "/dev/zero", "/proc/self/environ", "a.png\0.txt", "${HOME}", "$(id)"),
    *("data:image/png;base64,AAAA", "data:text/plain,x", "x" * 5_000, "{{ open('/etc/passwd') }}"),
)
FIELDS = ("image", "image_path", "image_url", "source", "file_path", "url", "path", "file_name")


def documents():
    """Make LangChain documents that name such places wherever a name can stand."""
    for number in itertools.count():
        for place, field in itertools.product(PLACES, FIELDS):
            yield Document(f"{number} {place}", metadata={field: place})
            yield Document("", metadata={field: place, "number": number})


def nodes():
    """Make LlamaIndex nodes that do the same."""
    for number in itertools.count():
        for place, field in itertools.product(PLACES, FIELDS):
            metadata = {field: place, "number": number}
            yield TextNode(text=f"{number} {place}", metadata=metadata)
            yield IndexNode(text=place, index_id=place, metadata=metadata)
            for kind in ("image", "image_url", "image_path"):
                yield ImageNode(text=f"{number}", metadata=metadata, **{kind: place})
            for kind in ("path", "url"):
                resource = MediaResource.model_construct(**{kind: place})
                yield ImageDocument.model_construct(metadata=metadata, image_resource=resource)


def answer(request):
    """Rank whatever is asked for, as it came."""
    count = len(json.loads(request.content)["documents"])
    rows = [{"index": index, "relevance_score": 1 / (index + 1)} for index in range(count)]
    return httpx.Response(200, json={"results": rows})


def rerankers():
    """Make what reranks either kind, in both modes."""
    transport = httpx.MockTransport(answer)
    options = {
        "api_key": "k",
        "image_mode": "always",
        "http_client": httpx.Client(transport=transport),
        "http_async_client": httpx.AsyncClient(transport=transport),
    }
    langchain = LangChainRerank(image_key="image_path", rank_fields=["source"], **options)
    llamaindex = LlamaIndexRerank(**options)

    def rerank_documents(found, run):
        run(langchain.acompress_documents(found, "q"))
        return langchain.compress_documents(found, "q")

    def rerank_nodes(found, run):
        scored = [NodeWithScore(node=node) for node in found]
        run(llamaindex.apostprocess_nodes(scored, query_str="q"))
        return llamaindex.postprocess_nodes(scored, query_str="q")

    return (documents, rerank_documents), (nodes, rerank_nodes)


class Audit:
    """Notes what Python reports of files, processes and the network while it listens."""

    def __init__(self):
        self.listens = False
        self.events = []
        sys.addaudithook(self)

    def __call__(self, event, arguments):
        """Note an event."""
        if self.listens and event.startswith(WATCHED):
            self.events.append((event, arguments))

    def __enter__(self):
        self.listens = True

    def __exit__(self, *_):
        self.listens = False


def main(count):
    """Rerank so many of each, and print what was touched."""
    audit = Audit()
    with asyncio.Runner() as runner:
        for make, rerank in rerankers():
            hostile = make()
            rerank([*itertools.islice(hostile, AT_ONCE)], runner.run)  # Imports are done by now
            back = 0
            with audit:
                while back < count:
                    back += len(rerank([*itertools.islice(hostile, AT_ONCE)], runner.run))
            print(back, make.__name__, audit.events)
    with audit, Path(os.devnull).open():
        pass
    print(audit.events)


if __name__ == "__main__":
    main(int(sys.argv[1]))
