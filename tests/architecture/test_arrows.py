"""The arrows between modules, read from their imports without running them."""

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

# Lowest first. A module imports from its own row and from those before it, never from a later one.
ROWS = (
    {"_version", "errors"},
    {"_attempt", "budget", "documents", "http_client", "images", "models", "provider", "ranking"}
    | {"_option_docs", "_retry_budget", "rate_limiter", "score_store", "telemetry"},
    {"_wire"},
    {"client_options"},
    {"_call"},
    {"_drive", "_score_cache", "_transport"},
    {"client"},
    {"reranker"},
    {"__init__"},
    {"cli", "demo", "local"},
)
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row}

# The driver, and those who stand where a user stands and hand a client of their own to ours.
MAY_IMPORT_HTTP = {
    *("_transport", "demo", "local"),
}
COVERAGE = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
PURE = [file for name in COVERAGE["report"]["include"] for file in sorted(ROOT.glob(name))]
AMBIENT = {"asyncio", "httpx", "logging", "os", "random", "secrets", "socket", "threading", "time"}
READS_THE_WORLD = {"now", "open", "read_bytes", "read_text", "today"}
SAY_NOTHING = {"base", "common", "constants", "helpers", "misc", "types", "util", "utils"}


def module(file: Path) -> tuple[str, ...]:
    """The dotted name of a source file, in parts."""
    source = next(source for source in SOURCES if file.is_relative_to(source))
    return file.relative_to(source).with_suffix("").parts


ROOMS = {module(file)[1] for file in FILES if module(file)[0] == CORE}


def room(parts: tuple[str, ...]) -> str:
    """The module or folder, directly inside the core, that a dotted name leads into."""
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "__init__"


@functools.cache
def imports(file: Path) -> frozenset[tuple[str, ...]]:
    """The absolute dotted names, in parts, of all that a source file imports, wherever in it."""
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


def test_every_module_of_the_core_has_a_layer():
    """The table of layers names the modules of the core, no fewer and no others."""
    assert set(RANK) == ROOMS


@each_file
def test_arrows_point_down(file):
    """A module of the core imports nothing from a layer above its own."""
    here = room(module(file))
    up = [
        ".".join(parts)
        for parts in imports(file)
        if parts[0] == module(file)[0] == CORE and RANK.get(room(parts), 0) > RANK.get(here, 0)
    ]

    assert up == []


def test_arrows_make_no_circle():
    """The modules of the core can be put in an order in which each needs only those before it."""
    graph: dict[str, set[str]] = {}
    for file in FILES:
        if module(file)[0] == CORE:
            needs = {room(parts) for parts in imports(file) if parts[0] == CORE}
            graph.setdefault(room(module(file)), set()).update(needs - {room(module(file))})

    assert list(TopologicalSorter(graph).static_order())


@each_file
def test_packages_know_only_what_is_below_them(file):
    """The core knows no framework; an adapter knows public names of the core, and no adapter."""
    own = module(file)[0]
    tops = {parts[0] for parts in imports(file)}
    foreign = [parts for parts in imports(file) if parts[0] in {*NAMES} - {own}]

    assert not (own == CORE and [top for top in tops if top.startswith(("langchain", "llama_"))])
    assert not (own in ADAPTERS and tops & ({*ADAPTERS} - {own}))
    assert [parts for parts in foreign if any(part.startswith("_") for part in parts)] == []


@each_file
def test_only_the_driver_knows_http(file):
    """No module imports an HTTP library but those that perform HTTP, or inject it as users do."""
    here = room(module(file)) if module(file)[0] == CORE else None

    if here not in MAY_IMPORT_HTTP:
        assert {parts[0] for parts in imports(file)}.isdisjoint(
            {"h11", "httpcore", "httpx", "httpx2"}
        )


@pytest.mark.parametrize("file", PURE, ids=lambda file: ".".join(module(file)))
def test_pure_modules_use_nothing_ambient(file):
    """A pure module has no clock, chance, environment, tasks or threads, and opens nothing."""
    calls = {
        node.func.id if isinstance(node.func, ast.Name) else node.func.attr
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)
    }

    assert AMBIENT.isdisjoint(parts[0] for parts in imports(file))
    assert READS_THE_WORLD.isdisjoint(calls)


@each_file
def test_rooms_are_named_after_a_concept(file):
    """No module has a name that could hold anything."""
    assert SAY_NOTHING.isdisjoint(part.strip("_") for part in module(file))
