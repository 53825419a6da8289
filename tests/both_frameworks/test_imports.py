"""Importing a framework class imports the options of a reranker, and nothing that a call needs."""

import subprocess
import sys
from textwrap import dedent

import pytest

# What every program that uses retrievers and chains of the framework has imported.
FRAMEWORKS = {
    "langchain_openrouter_rerank": "from langchain_core.runnables import RunnableSerializable",
    "llamaindex_openrouter_rerank": (
        "from llama_index.core.postprocessor.types import BaseNodePostprocessor"
    ),
}
FOR_CALLS = {
    f"openrouter_rerank.{name}"
    for name in (
        *("_call.arguments", "_call.flow", "_drive", "_score_cache.cache", "_transport.exchange"),
        *("_wire.request", "_wire.response", "client", "documents", "images", "ranking"),
        *("reranker.calls", "reranker.placement"),
    )
}
# The modules that convert documents and report calls to handlers.
OF_ADAPTERS = {
    "langchain_openrouter_rerank": (
        *("_calls", "_convert.documents", "_convert.images", "_convert.items", "_convert.pillow"),
        *("_redaction", "_tracing"),
    ),
    "llamaindex_openrouter_rerank": (
        *("_calls", "_convert.nodes", "_convert.images", "_convert.texts", "_tracing"),
    ),
}

each_adapter = pytest.mark.parametrize("adapter", FRAMEWORKS)


def printed(script: str) -> list[str]:
    """Run `script` in a new process, and return the lines that it prints."""
    finished = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    return finished.stdout.splitlines()


@each_adapter
def test_what_calls_need_is_imported_with_the_first_reranker(adapter):
    """The modules of a call come with the first reranker, not with its class or the first call."""
    for_calls = FOR_CALLS | {f"{adapter}.{name}" for name in OF_ADAPTERS[adapter]}
    script = f"""
        import sys
        from {adapter} import OpenRouterRerank
        for_calls = {for_calls}
        print(*sorted(for_calls & {{*sys.modules}}))
        OpenRouterRerank()
        print(*sorted(for_calls - {{*sys.modules}}))
    """

    assert printed(script) == ["", ""]


@each_adapter
def test_no_http_library_is_imported_beyond_the_frameworks(adapter):
    """A class and a reranker import no HTTP library that their framework has not imported."""
    script = f"""
        import sys
        {FRAMEWORKS[adapter]}
        before = {{*sys.modules}}
        from {adapter} import OpenRouterRerank
        OpenRouterRerank()
        print(*{{"h11", "httpcore", "httpx", "httpx2"}} & ({{*sys.modules}} - before))
    """

    assert printed(script) == [""]


def test_public_names_are_there_whether_or_not_they_were_imported():
    """The core has every name in `__all__`, and the error for another name says which it is."""
    script = """
        import openrouter_rerank
        print({*openrouter_rerank.__all__} == {*dir(openrouter_rerank)})
        for name in openrouter_rerank.__all__:
            getattr(openrouter_rerank, name)
        try:
            openrouter_rerank.Rerank
        except AttributeError as error:
            print(error)
    """

    assert printed(script) == [
        "True",
        "module 'openrouter_rerank' has no attribute 'Rerank'",
    ]
