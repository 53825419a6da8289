"""What importing the framework classes imports: of ours, no more than describes a reranker."""

import subprocess
import sys
from textwrap import dedent

import pytest

# What whoever has a framework's retrievers and chains has imported.
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
# What reads documents and tells handlers.
OF_ADAPTERS = {
    "langchain_openrouter_rerank": (
        *("arguments", "_calls", "_convert.documents", "_convert.images", "_convert.pillow"),
        *("_redaction", "_tracing"),
    ),
    "llamaindex_openrouter_rerank": (
        *("arguments", "_calls", "_convert.nodes", "_convert.images", "_convert.texts", "_tracing"),
    ),
}

each_adapter = pytest.mark.parametrize("adapter", FRAMEWORKS)


def printed(script: str) -> list[str]:
    """What a new process prints."""
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
    """What reads, sends and places comes with a reranker, not with its class nor in a loop."""
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
    """Neither the class nor a reranker imports what speaks HTTP, unless its framework has."""
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
    """The core offers every name of its own, and says which it has not."""
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
