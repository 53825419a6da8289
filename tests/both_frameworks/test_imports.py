"""The import of a framework package imports no module that only calls need."""

import subprocess
import sys
from textwrap import dedent

import pytest

# Statements that import what every program with retrievers of the framework imports.
FRAMEWORK_IMPORTS = {
    "langchain_openrouter_rerank": "from langchain_core.runnables import RunnableSerializable",
    "llamaindex_openrouter_rerank": (
        "from llama_index.core.postprocessor.types import BaseNodePostprocessor"
    ),
}
CORE_MODULES_OF_CALLS = {
    f"openrouter_rerank.{name}"
    for name in (
        *("_call.arguments", "_call.flow", "_drive", "_score_cache.cache", "_transport.exchange"),
        *("_wire.request", "_wire.response", "client", "documents", "images", "ranking"),
        *("reranker.calls", "reranker.placement"),
    )
}
# The modules that convert documents, and report calls to callback and event handlers.
PACKAGE_MODULES_OF_CALLS = {
    "langchain_openrouter_rerank": (
        *("_calls", "_convert.documents", "_convert.images", "_convert.items", "_convert.pillow"),
        *("_redaction", "_tracing"),
    ),
    "llamaindex_openrouter_rerank": (
        *("_calls", "_convert.nodes", "_convert.images", "_convert.texts", "_tracing"),
    ),
}

each_package = pytest.mark.parametrize("package", FRAMEWORK_IMPORTS)


def lines_of(script):
    """Run `script` in a new process, and return the lines that it prints."""
    process = subprocess.run(
        [sys.executable, "-c", dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, "")
    return process.stdout.splitlines()


@each_package
def test_the_modules_of_calls_are_imported_with_the_first_reranker(package):
    """The class does not import the modules of calls. The first reranker imports all of them."""
    package_modules = {f"{package}.{name}" for name in PACKAGE_MODULES_OF_CALLS[package]}
    script = f"""
        import sys
        from {package} import OpenRouterRerank
        modules_of_calls = {CORE_MODULES_OF_CALLS | package_modules}
        print(*sorted(modules_of_calls & {{*sys.modules}}))
        OpenRouterRerank()
        print(*sorted(modules_of_calls - {{*sys.modules}}))
    """

    assert lines_of(script) == ["", ""]


@each_package
def test_no_other_http_library_is_imported(package):
    """The class and a reranker import no HTTP library that the framework has not imported."""
    script = f"""
        import sys
        {FRAMEWORK_IMPORTS[package]}
        before = {{*sys.modules}}
        from {package} import OpenRouterRerank
        OpenRouterRerank()
        print(*{{"h11", "httpcore", "httpx", "httpx2"}} & ({{*sys.modules}} - before))
    """

    assert lines_of(script) == [""]


@pytest.mark.parametrize(
    "module", ["openrouter_rerank", "openrouter_rerank.reranker", "langchain_openrouter_rerank"]
)
def test_public_names_are_imported_when_they_are_used(module):
    """A module lists and has every name in `__all__`. Another name is an error with this name."""
    script = f"""
        import {module} as module
        print({{*module.__all__}} == {{*dir(module)}})
        for name in module.__all__:
            getattr(module, name)
        try:
            module.Unknown
        except AttributeError as error:
            print(error)
    """

    assert lines_of(script) == ["True", f"module '{module}' has no attribute 'Unknown'"]
