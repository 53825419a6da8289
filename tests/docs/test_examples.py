"""Every Python example in the documentation runs against the local server."""

import ast
import inspect
from pathlib import Path

import pytest
from langchain_core.load import loads

ROOT = Path(__file__).parents[2]
CAN_ALLOW_OBJECTS = "allowed_objects" in inspect.signature(loads).parameters
# Pages whose examples need an extra that the tests with the lowest versions do not install.
NEEDED = {"docs/evaluate.md": "ir_measures", "docs/mcp.md": "mcp"}
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for pattern in ("README.md", "shared/README.md", "packages/*/README.md", "docs/**/*.md")
    for page in ROOT.glob(pattern)
)


def python_examples(page: str) -> list[tuple[int, str]]:
    """Return the Python examples of `page`, each with the number of its first line."""
    examples: list[tuple[int, str]] = []
    code: list[str] | None = None
    start = 0
    for number, line in enumerate((ROOT / page).read_text("utf-8").splitlines(), start=1):
        if code is None and line.strip() == "```python":
            code, start = [], number + 1
        elif code is not None and line.strip() == "```":
            examples.append((start, "\n".join(code)))
            code = None
        elif code is not None:
            code.append(line)
    return examples


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page, local_openrouter, monkeypatch, tmp_path):
    """The Python examples of a page run from top to bottom, including the tests among them."""
    if page in NEEDED:
        pytest.importorskip(NEEDED[page], reason=f"the extra {NEEDED[page]} is not installed")
    monkeypatch.setenv("OPENROUTER_API_KEY", local_openrouter.api_key)
    monkeypatch.setenv("OPENROUTER_API_BASE", local_openrouter.base_url)
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, object] = {"__name__": "example"}
    fixtures = {"local_openrouter": local_openrouter, "monkeypatch": monkeypatch}

    examples = python_examples(page)
    if any("allowed_objects" in code for _, code in examples) and not CAN_ALLOW_OBJECTS:
        pytest.skip("langchain-core before 1.2.5 has no option for the objects that it may load")
    for line, code in examples:
        tree = ast.parse(code, filename=page)
        ast.increment_lineno(tree, line - 1)
        exec(compile(tree, page, "exec"), namespace)  # noqa: S102
        for name in [name for name in namespace if name.startswith("test_")]:
            test = namespace.pop(name)
            local_openrouter.reset()
            test(**{name: fixtures[name] for name in inspect.signature(test).parameters})

    assert examples or page.startswith("docs/")
