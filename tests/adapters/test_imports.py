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
FOR_CALLS = ("_call", "_clients", "_drive", "_flow", "_http", "_recall", "_wire", "client")

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
def test_the_client_is_imported_with_the_first_reranker(adapter):
    """What sends and reads is imported when a reranker is made, not with its class."""
    script = f"""
        import sys
        from {adapter} import OpenRouterRerank
        for_calls = {{"openrouter_rerank." + name for name in {FOR_CALLS}}}
        print(*sorted(for_calls & {{*sys.modules}}))
        OpenRouterRerank()
        print(for_calls <= {{*sys.modules}})
    """

    assert printed(script) == ["", "True"]


def test_what_calls_of_langchain_need_is_imported_with_the_first_reranker():
    """What reads documents and tells handlers comes with a reranker, not in somebody's loop."""
    script = """
        import sys
        from langchain_openrouter_rerank import OpenRouterRerank
        for_calls = {"calls", "convert", "image_values", "pillow", "redaction", "tracing"}
        for_calls = {"langchain_openrouter_rerank." + name for name in for_calls}
        print(*for_calls & {*sys.modules})
        OpenRouterRerank()
        print(for_calls <= {*sys.modules})
    """

    assert printed(script) == ["", "True"]


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
