"""
The graph of imports between source files, read without running them.

Each file is a module, also the `__init__.py` of a package. All imports count, also those inside
functions and under `TYPE_CHECKING`. There are two rules for packages:

- `from package import name` counts as an import of the module that defines `name`.
- In an `__init__.py`, imports inside functions and under `TYPE_CHECKING` do not count. They make
  names of the package available without importing its modules first, and with them such packages
  would seem to be part of cycles.
"""

import ast
import importlib.util
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter


@dataclass(frozen=True, kw_only=True)
class Module:
    """A source file."""

    name: str
    is_package: bool
    tree: ast.Module

    def imports(self, nodes):
        """Return each imported module, the name that is imported from it, and its name here."""
        package = self.name if self.is_package else self.name.rpartition(".")[0]
        found = []
        for node in nodes:
            if isinstance(node, ast.Import):
                found += [(alias.name, None, None) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
                found += [(base, alias.name, alias.asname or alias.name) for alias in node.names]
        return found


def import_graph(sources):
    """
    Return the modules that each module imports, by its name.

    Args:
        sources: The folder of each package, by the name of the package.
    """
    modules = {}
    for package, folder in sources.items():
        for file in sorted(folder.rglob("*.py")):
            parts = (package, *file.relative_to(folder).with_suffix("").parts)
            is_package = parts[-1] == "__init__"
            name = ".".join(parts[:-1] if is_package else parts)
            tree = ast.parse(file.read_bytes())
            modules[name] = Module(name=name, is_package=is_package, tree=tree)

    graph = {}
    for module in modules.values():
        nodes = _when_imported(module.tree) if module.is_package else ast.walk(module.tree)
        needs = {_defining(modules, base, name) for base, name, _ in module.imports(nodes)}
        graph[module.name] = sorted(needs - {None, module.name})
    return graph


def longest_chain(graph):
    """
    Return the longest chain of modules of which each imports the one before it.

    Raises:
        graphlib.CycleError: If modules import each other in a cycle.
    """
    chains = {}
    for module in TopologicalSorter(graph).static_order():
        below = max((chains[each] for each in graph[module]), key=len, default=())
        chains[module] = (*below, module)
    return max(chains.values(), key=len, default=())


def cycle(graph):
    """Return modules that import each other in a cycle, or nothing if there are none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return ()


def _when_imported(node):
    """Yield the nodes that run when the module is imported, so not those for type checkers."""
    for child in ast.iter_child_nodes(node):
        is_function = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef)
        if not is_function and not _is_for_type_checkers(child):
            yield child
            yield from _when_imported(child)


def _is_for_type_checkers(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _defining(modules, base, name):
    """Return the module that defines `name` of the module `base`; `None` if it is not ours."""
    if f"{base}.{name}" in modules:
        return f"{base}.{name}"
    package = modules.get(base)
    if package is None:
        return None
    if package.is_package:
        for inner, inner_name, name_here in package.imports(ast.walk(package.tree)):
            if name_here == name is not None:
                return _defining(modules, inner, inner_name) or base
    return base
