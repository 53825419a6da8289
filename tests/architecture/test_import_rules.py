"""The rules for imports between modules, which are read from the source files."""

import ast
import functools
import importlib.util
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORE, *ADAPTERS = NAMES = (
    "openrouter_rerank",
    "langchain_openrouter_rerank",
    "llamaindex_openrouter_rerank",
)
SOURCES = [ROOT / "shared/src", *(ROOT / "packages" / name / "src" for name in ADAPTERS)]
FILES = [file for source in SOURCES for file in sorted(source.rglob("*.py"))]

# A module imports from its own row and from the rows before it. Sub-packages in one row do not
# import each other: the decision of a call and the transport meet only in `_attempt`.
ROWS = (
    {"_forks", "_tracebacks", "_version", "errors"},
    {"_attempt", "budget", "documents", "http_client", "images"}
    | {"models", "provider", "ranking", "rate_limiter", "score_store", "telemetry"},
    {"_wire"},
    {"client_options"},
    {"_call", "_transport"},
    {"_drive", "_score_cache"},
    {"client"},
    {"reranker"},
    {"__init__", "cli", "demo", "evaluation", "local", "mcp"},
)
ROW = {entry: number for number, row in enumerate(ROWS) for entry in row}

# The same for the entries of `evaluation/`. `result` and `settings` are data that all folders use.
EVALUATION_ROWS = (
    {"result", "settings"},
    {"collection"},
    {"asking"},
    {"analysis"},
    {"report"},
    {"judge"},
    {"evaluation"},
    {"evaluating"},
    {"running"},
    {"__init__", "command"},
)
EVALUATION_ROW = {entry: number for number, row in enumerate(EVALUATION_ROWS) for entry in row}

# The transport, and the entries that pass their own HTTP client to our client, as a user does.
MAY_IMPORT_HTTP = {
    *("_transport", "demo", "local"),
}
COVERAGE = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
PURE = [file for name in COVERAGE["report"]["include"] for file in sorted(ROOT.glob(name))]
IMPURE_MODULES = {
    *("asyncio", "httpx", "logging", "os", "random", "secrets", "socket", "threading", "time"),
}
IMPURE_CALLS = {"now", "open", "read_bytes", "read_text", "today"}
VAGUE_NAMES = {"base", "common", "constants", "helpers", "misc", "types", "util", "utils"}


def module(file: Path) -> tuple[str, ...]:
    """Return the parts of a source file's module name."""
    source = next(source for source in SOURCES if file.is_relative_to(source))
    return file.relative_to(source).with_suffix("").parts


MEASURES = (CORE, "evaluation", "analysis", "measures")
ENTRIES = {module(file)[1] for file in FILES if module(file)[0] == CORE}
OF_EVALUATION = [file for file in FILES if module(file)[:2] == (CORE, "evaluation")]


def entry_of(parts: tuple[str, ...]) -> str:
    """Return the entry of the core's folder, a file or a folder, that defines a dotted name."""
    return parts[1] if len(parts) > 1 and parts[1] in ENTRIES else "__init__"


@functools.cache
def imports(file: Path) -> frozenset[tuple[str, ...]]:
    """Return the absolute names of all imports of a source file, also of those in functions."""
    package = ".".join(module(file)[:-1])
    names: list[str] = []
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            relative = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(relative, package)
            names += [f"{base}.{alias.name}" for alias in node.names]
    return frozenset(tuple(name.split(".")) for name in names)


each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: ".".join(module(file)))


def test_every_entry_of_the_core_has_a_row():
    """The rows contain all files and folders in the core's folder, and no others."""
    assert set(ROW) == ENTRIES


@each_file
def test_imports_go_in_one_direction(file):
    """A module of the core imports nothing from a later row or another sub-package of its row."""
    here = entry_of(module(file))
    entries = {entry_of(parts) for parts in imports(file) if parts[0] == module(file)[0] == CORE}
    later = {entry for entry in entries if ROW[entry] > ROW[here]}
    beside = {entry for entry in entries - {here} if ROW[entry] == ROW[here] in {4, 5}}

    assert later | beside == set()


def test_every_entry_of_the_evaluation_has_a_row():
    """The rows contain all files and folders in `evaluation/`, and no others."""
    assert set(EVALUATION_ROW) == {module(file)[2] for file in OF_EVALUATION}


@pytest.mark.parametrize("file", OF_EVALUATION, ids=lambda file: ".".join(module(file)[2:]))
def test_imports_of_the_evaluation_go_in_one_direction(file):
    """A module of the evaluation imports nothing from a later row."""
    here = EVALUATION_ROW[module(file)[2]]
    entries = {parts[2] for parts in imports(file) if parts[:2] == (CORE, "evaluation")}

    assert {entry for entry in entries if EVALUATION_ROW[entry] > here} == set()


def test_imports_of_the_core_make_no_cycle():
    """The core's entries have an order in which each imports only from those before it."""
    graph: dict[str, set[str]] = {}
    for file in FILES:
        if module(file)[0] == CORE:
            needs = {entry_of(parts) for parts in imports(file) if parts[0] == CORE}
            graph.setdefault(entry_of(module(file)), set()).update(needs - {entry_of(module(file))})

    assert list(TopologicalSorter(graph).static_order())


@each_file
def test_packages_import_only_what_they_may(file):
    """The core imports no framework. An adapter imports no other adapter, and no private name."""
    own = module(file)[0]
    packages = {parts[0] for parts in imports(file)}
    foreign = [parts for parts in imports(file) if parts[0] in {*NAMES} - {own}]

    assert not (
        own == CORE and [each for each in packages if each.startswith(("langchain", "llama_"))]
    )
    assert not (own in ADAPTERS and packages & ({*ADAPTERS} - {own}))
    assert [parts for parts in foreign if any(part.startswith("_") for part in parts)] == []


@each_file
def test_only_the_transport_imports_an_http_library(file):
    """Only the transport, and code that injects a client as users do, import an HTTP library."""
    here = entry_of(module(file)) if module(file)[0] == CORE else None

    if here not in MAY_IMPORT_HTTP:
        assert {parts[0] for parts in imports(file)}.isdisjoint(
            {"h11", "httpcore", "httpx", "httpx2"}
        )


@pytest.mark.parametrize("file", PURE, ids=lambda file: ".".join(module(file)))
def test_pure_modules_depend_only_on_their_arguments(file):
    """A pure module uses no clock, randomness, environment, task or thread, and opens no file."""
    calls = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }

    assert IMPURE_MODULES.isdisjoint(parts[0] for parts in imports(file))
    assert IMPURE_CALLS.isdisjoint(calls)


@each_file
def test_modules_are_named_after_a_concept(file):
    """No module has a name such as `utils`, which fits any content."""
    assert VAGUE_NAMES.isdisjoint(part.strip("_") for part in module(file))


@each_file
def test_only_one_module_imports_the_library_of_metrics(file):
    """Only `analysis/measures.py` imports ir-measures, and nothing imports pandas or scipy."""
    packages = {parts[0] for parts in imports(file)}

    assert packages.isdisjoint({"pandas", "scipy", "pytrec_eval"})
    assert "ir_measures" not in packages or module(file) == MEASURES
