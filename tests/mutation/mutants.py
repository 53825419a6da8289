"""The mutants of a module: copies of it with one small change."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.mutation.operators import is_left_alone, replacements

SIMPLE = (ast.Expr, ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Raise, ast.Delete)
NOT_EXECUTED = {"annotation", "returns", "type_ignores", "type_params", "format_spec"}


@dataclass(frozen=True)
class Mutant:
    """One change of one node of a module."""

    file: Path
    line: int
    code: str
    """The line, without its indentation."""
    change: str
    lines: range
    """A test that executes one of these lines may notice the change."""
    path: tuple[tuple[str, int | None], ...]
    """The fields that lead from the module to the node."""
    new: ast.AST | None
    """What replaces the node; None removes it from its list."""

    def tree(self) -> ast.Module:
        """Return the changed module."""
        tree = ast.parse(self.file.read_bytes())
        node: ast.AST = tree
        for field, index in self.path[:-1]:
            node = getattr(node, field) if index is None else getattr(node, field)[index]
        field, index = self.path[-1]
        if index is None:
            setattr(node, field, self.new)
        else:
            getattr(node, field)[index : index + 1] = [] if self.new is None else [self.new]
        return ast.fix_missing_locations(tree)


def mutants(file: Path) -> Iterator[Mutant]:
    """Yield every mutant of the module."""
    source = file.read_text(encoding="utf-8")
    code = source.splitlines()
    for node, statement, path, new in _changes(ast.parse(source), None, ()):
        around = statement if isinstance(statement, SIMPLE) else node
        after = ast.unparse(new) if new else "nothing"
        yield Mutant(
            file=file,
            line=node.lineno,
            code=code[node.lineno - 1].strip(),
            change=" ".join(f"{ast.unparse(node)} -> {after}".split()),
            lines=range(around.lineno, around.end_lineno + 1),
            path=path,
            new=new,
        )


def _changes(node, statement, path):
    """Yield each change below this node: the old node, its statement, its path, the new node."""
    for field, value in ast.iter_fields(node):
        if field in NOT_EXECUTED:
            continue
        children = enumerate(value) if isinstance(value, list) else [(None, value)]
        for index, child in children:
            if not isinstance(child, ast.AST) or is_left_alone(node, child):
                continue
            here = (*path, (field, index))
            around = child if isinstance(child, ast.stmt | ast.excepthandler) else statement
            for new in replacements(node, field, child):
                if new is not None:
                    ast.copy_location(new, child)
                yield child, around, here, new
            yield from _changes(child, around, here)
