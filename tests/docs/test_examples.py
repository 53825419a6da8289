"""Every Python example in the documentation runs against the local server."""

import ast
import inspect
import io
import logging
import re
from contextlib import nullcontext, redirect_stdout
from itertools import pairwise
from pathlib import Path

import pytest
from langchain_core.load import loads

from tests.docs.fences import Fence, fences

ROOT = Path(__file__).parents[2]
CAN_ALLOW_OBJECTS = "allowed_objects" in inspect.signature(loads).parameters
# Pages whose examples need an extra that the tests with the lowest versions do not install.
NEEDED = {
    "docs/guides/evaluate.md": "ir_measures",
    "docs/guides/mcp.md": "mcp",
}
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "shared/README.md", "packages/*/README.md", "docs/**/*.md")
    for page in ROOT.glob(pattern)
)


def python_examples(page: str) -> list[tuple[int, str]]:
    """Return the Python examples of `page`, each with the number of its first line."""
    return [(fence.line, fence.code) for fence in runnable(page)]


def runnable(page: str) -> list[Fence]:
    """Return the fences to run, without those that show the code before a migration."""
    return [
        fence
        for fence in fences(ROOT / page)
        if fence.language == "python" and ".before" not in fence.info
    ]


def printed_below(page: str) -> dict[int, str]:
    """Return the `text` fence that directly follows an example, by the line of the example."""
    both = list(fences(ROOT / page))
    return {
        first.line: second.code
        for first, second in pairwise(both)
        if first.language == "python" and second.language == "text" and not second.follows
    }


@pytest.fixture
def _loggers():
    """The levels and the handlers of the loggers, which an example may change."""
    loggers = [logging.getLogger(name) for name in (None, "openrouter_rerank")]
    before = [(logger.level, [*logger.handlers]) for logger in loggers]
    yield
    for logger, (level, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.handlers[:] = handlers


@pytest.mark.usefixtures("_loggers")
@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page, local_openrouter, monkeypatch, tmp_path):
    """The Python examples of a page run from top to bottom, and print what the page shows."""
    if page in NEEDED:
        pytest.importorskip(NEEDED[page], reason=f"the extra {NEEDED[page]} is not installed")
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "example"}
    fixtures = {"local_openrouter": local_openrouter, "monkeypatch": monkeypatch}

    examples = runnable(page)
    if any("allowed_objects" in example.code for example in examples) and not CAN_ALLOW_OBJECTS:
        pytest.skip("langchain-core before 1.2.5 has no option for the objects that it may load")
    shown = printed_below(page)
    for example in examples:
        printed = io.StringIO()
        tree = ast.parse(example.code, filename=page)
        ast.increment_lineno(tree, example.line - 1)
        with redirect_stdout(printed) if example.line in shown else nullcontext():
            exec(compile(tree, page, "exec"), namespace)  # noqa: S102
        for name in [name for name in namespace if name.startswith("test_")]:
            test = namespace.pop(name)
            local_openrouter.reset()
            test(**{name: fixtures[name] for name in inspect.signature(test).parameters})
        if example.line in shown:
            assert lines(printed.getvalue()) == lines(shown[example.line]), example.line


def lines(text: str) -> list[str]:
    """Return the lines of an output, with single spaces."""
    return [re.sub(r"\s+", " ", line).strip() for line in text.strip().splitlines()]


@pytest.mark.parametrize("page", PAGES)
def test_the_example_files_that_a_page_names_exist(page):
    """A paragraph with a link to the examples names files of the folder `examples`."""
    for paragraph in (ROOT / page).read_text(encoding="utf-8").split("\n\n"):
        if "start/examples.md)" in paragraph:
            for name in re.findall(r"`(\w+\.(?:py|ipynb))`", paragraph):
                assert (ROOT / "examples" / name).is_file(), name
