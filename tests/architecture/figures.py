"""
How many files a reader has to follow: `python -m tests.architecture.figures`.

The program prints each figure and its limit. With `--list`, it prints the files too.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import langchain_openrouter_rerank
import llamaindex_openrouter_rerank
from langchain_core.documents import Document
from llama_index.core.schema import NodeWithScore, TextNode
from openrouter_rerank import RerankClient
from openrouter_rerank.local.stage import Stage

from tests.architecture.import_graph import cycle, import_graph, longest_chain

ROOT = Path(__file__).parents[2]
CORE, LANGCHAIN, LLAMAINDEX = PACKAGES = (
    "openrouter_rerank",
    "langchain_openrouter_rerank",
    "llamaindex_openrouter_rerank",
)
FOLDERS = {
    CORE: ROOT / "shared/src" / CORE,
    **{name: ROOT / "packages" / name / "src" / name for name in (LANGCHAIN, LLAMAINDEX)},
}
# The only cycle that is allowed: `as_retriever` makes a retriever, which has a reranker as a field.
AS_RETRIEVER = (f"{LANGCHAIN}.rerank", f"{LANGCHAIN}.retriever")

# Programs, which only the table of commands names.
EVALUATION, DEMO = PROGRAMS = (f"{CORE}.evaluation", f"{CORE}.demo")

QUERY = "capital of France"
TEXTS = [f"{city} is a capital." for city in ("Berlin", "Paris", "Rome", "Oslo", "Bern")]


def graph_of(*packages):
    """Return the graph of imports of these packages, without the import of `as_retriever`."""
    graph = import_graph({package: FOLDERS[package] for package in packages})
    return {
        module: [each for each in imported if (module, each) != AS_RETRIEVER]
        for module, imported in graph.items()
    }


def without_programs(graph):
    """Return the graph without the evaluation and the demo: only their commands import them."""
    return {
        module: [each for each in imported if not each.startswith(PROGRAMS)]
        for module, imported in graph.items()
        if not module.startswith(PROGRAMS)
    }


def graph_of_program(program):
    """Return the graph of imports between the modules of a program."""
    return {
        module: [each for each in imported if each.startswith(program)]
        for module, imported in graph_of(CORE).items()
        if module.startswith(program)
    }


def entries_of_the_core():
    """Return the files and folders directly in the core's folder."""
    return sorted(entry.name for entry in FOLDERS[CORE].iterdir() if entry.name != "__pycache__")


def files_of_compress_documents():
    """Return the files that run when LangChain's reranker ranks 5 documents."""
    documents = [Document(text) for text in TEXTS]
    with Stage() as stage:
        reranker = langchain_openrouter_rerank.OpenRouterRerank(
            api_key=stage.api_key, base_url=stage.base_url
        )
        return files_of(lambda: reranker.compress_documents(documents, QUERY))


def files_of_postprocess_nodes():
    """Return the files that run when LlamaIndex's reranker ranks 5 nodes with metadata."""
    nodes = [NodeWithScore(node=TextNode(text=text, metadata={"page": 1})) for text in TEXTS]
    with Stage() as stage:
        reranker = llamaindex_openrouter_rerank.OpenRouterRerank(
            api_key=stage.api_key, base_url=stage.base_url
        )
        return files_of(lambda: reranker.postprocess_nodes(nodes, query_str=QUERY))


def files_of_the_client():
    """Return the files that run when the client ranks 5 texts."""
    with (
        Stage() as stage,
        RerankClient(api_key=stage.api_key, base_url=stage.base_url) as client,
    ):
        return files_of(lambda: client.rerank(QUERY, TEXTS))


def files_of(call):
    """
    Return the files of the packages that run code in this thread during `call`, without `local`.

    `call` is called twice. The first call imports modules and connects, and is not recorded.
    """
    call()
    ran = set()

    def note(frame, event, _):
        if event == "call":
            ran.add(Path(frame.f_code.co_filename))

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(before)
    return sorted(
        f"{package}/{file.relative_to(folder).as_posix()}"
        for package, folder in FOLDERS.items()
        for file in ran
        if file.is_relative_to(folder) and not file.is_relative_to(folder / "local")
    )


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number of files, and its limit."""

    name: str
    files: Callable[[], Sequence[str]]
    limit: int


FIGURES = (
    Figure(
        name="import levels of the core",
        files=lambda: longest_chain(without_programs(graph_of(CORE))),
        limit=12,
    ),
    Figure(
        name="import levels of the core and both framework packages",
        files=lambda: longest_chain(without_programs(graph_of(*PACKAGES))),
        limit=15,
    ),
    Figure(
        name="import levels of the evaluation",
        files=lambda: longest_chain(graph_of_program(EVALUATION)),
        limit=15,
    ),
    Figure(
        name="import levels of the demo",
        files=lambda: longest_chain(graph_of_program(DEMO)),
        limit=8,
    ),
    Figure(
        name="modules in an import cycle",
        files=lambda: cycle(graph_of(*PACKAGES)),
        limit=0,
    ),
    Figure(name="entries in the core's folder", files=entries_of_the_core, limit=30),
    Figure(
        name="files of a warm call of LangChain's compress_documents",
        files=files_of_compress_documents,
        limit=31,
    ),
    Figure(
        name="files of a warm call of LlamaIndex's postprocess_nodes",
        files=files_of_postprocess_nodes,
        limit=29,
    ),
    Figure(name="files of a warm call of the client", files=files_of_the_client, limit=20),
)


def main():
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m tests.architecture.figures")
    parser.add_argument("--list", action="store_true", help="print the files of each figure too")
    options = parser.parse_args()
    from tests.conftest import pytest_configure

    # As in the tests. Otherwise, with some environment variables, LangChain would trace the calls.
    pytest_configure()
    for figure in FIGURES:
        files = figure.files()
        print(f"{len(files):3} (at most {figure.limit:2}) {figure.name}")
        for file in files if options.list else ():
            print(f"        {file}")


if __name__ == "__main__":
    main()
