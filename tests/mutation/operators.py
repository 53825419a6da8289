"""What may replace a node of a syntax tree, so that a test should notice it."""

import ast
import copy
from collections.abc import Iterator

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "startswith": "endswith",
    "endswith": "startswith",
    "lower": "upper",
    "casefold": "upper",
    "lstrip": "rstrip",
    "rstrip": "lstrip",
}
STATEMENTS = (ast.Expr, ast.AugAssign, ast.Raise, ast.Delete)
# Type checkers see to `frozen` and `kw_only`; the others save memory.
DECLARATIONS = {"frozen", "kw_only", "maxsize", "slots"}
# Limits far above all sensible numbers: nothing depends on whether they are included.
LARGEST = {"sys.maxsize", "sys.float_info.max"}
ONLY_TYPES = {"Protocol", "TypedDict", "Literal", "TypeVar", "ParamSpec", "NewType", "overload"}


def is_left_alone(parent: ast.AST, node: ast.AST) -> bool:
    """Return whether no test can notice a change of this node: docstrings, types, assertions."""
    match node:
        case (
            ast.Expr(value=ast.Constant() | ast.Call(func=ast.Name(id="assert_never")))
            | ast.Assert()
            | ast.AnnAssign(value=None)
            | ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")])
            | ast.If(test=ast.Name(id="TYPE_CHECKING"))
        ):
            return True
        case ast.keyword(arg=name):
            return name in DECLARATIONS or (name == "strict" and _is_call_of("zip", parent))
        case ast.Constant(value=bool()):  # An option: it is removed as a whole
            return isinstance(parent, ast.keyword)
        case ast.Constant():
            return isinstance(parent, ast.JoinedStr) or _is_call_of("cast", parent)
    return _is_type(node)


def _is_type(node: ast.AST) -> bool:
    match node:
        case ast.ClassDef(bases=names) | ast.FunctionDef(decorator_list=names):
            pass
        case ast.Assign(value=ast.Call(func=name)) | ast.Subscript(value=name):
            names = [name]
        case ast.AnnAssign(annotation=ast.Name(id="TypeAlias")):
            return True
        case _:
            names = []
    return any(ast.unparse(name).split("[")[0] in ONLY_TYPES for name in names)


def _is_call_of(name: str, node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == name


def replacements(parent: ast.AST, field: str, node: ast.AST) -> Iterator[ast.AST | None]:
    """Yield what may replace the node in this field of its parent; None to remove it."""
    if change := CHANGES.get(type(node)):
        yield from change(node)
    if isinstance(node, STATEMENTS):
        yield ast.Pass()
    if isinstance(node, ast.Name | ast.Attribute) and isinstance(node.ctx, ast.Load):
        yield from _other_name(node)
    if isinstance(parent, ast.ExceptHandler) and isinstance(node, ast.Tuple):
        yield from (_with(node, elts=rest) for rest in _without_one(node.elts))
    if field == "test" and not isinstance(parent, ast.While):
        yield ast.Constant(value=True)
    if field == "test" and not isinstance(node, ast.Constant):
        yield ast.Constant(value=False)
    if field in {"ifs", "guard"}:
        yield ast.Constant(value=True)


def _other_constant(node):
    match node.value:
        case bool():
            yield ast.Constant(not node.value)
        case int() | float():
            yield ast.Constant(node.value + 1)
        case str():
            yield ast.Constant("" if node.value else "mutant")
        case bytes():
            yield ast.Constant(b"" if node.value else b"mutant")


def _other_name(node):
    field = "id" if isinstance(node, ast.Name) else "attr"
    if other := NAMES.get(getattr(node, field)):
        yield _with(node, **{field: other})


def _other_comparison(node):
    for index, operator in enumerate(node.ops):
        if ast.unparse(node.comparators[index]) in LARGEST:
            continue
        operators = [*node.ops]
        operators[index] = COMPARISONS[type(operator)]()
        yield _with(node, ops=operators)


def _other_condition(node):
    yield _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for rest in _without_one(node.values):
        yield _with(node, values=rest) if len(rest) > 1 else copy.copy(rest[0])


def _other_arithmetic(node):
    if other := ARITHMETIC.get(type(node.op)):
        yield _with(node, op=other())


def _only_the_operand(node):
    if isinstance(node.op, ast.Not | ast.USub):
        yield copy.copy(node.operand)


def _other_slice(node):
    for bound in ("lower", "upper", "step"):
        if getattr(node, bound):
            yield _with(node, **{bound: None})


def _other_return(node):
    # A constant is changed itself; most callers ask only whether it is true.
    if node.value and not isinstance(node.value, ast.Constant):
        yield ast.Return(ast.Constant(None))


CHANGES = {
    ast.Constant: _other_constant,
    ast.JoinedStr: lambda node: [ast.Constant("")],
    ast.Compare: _other_comparison,
    ast.BoolOp: _other_condition,
    ast.UnaryOp: _only_the_operand,
    ast.BinOp: _other_arithmetic,
    ast.Slice: _other_slice,
    ast.Return: _other_return,
    ast.Continue: lambda node: [ast.Break()],
    ast.Break: lambda node: [ast.Continue()],
    ast.ExceptHandler: lambda node: [_with(node, body=[ast.Raise()])],
    ast.keyword: lambda node: [None],
}


def _without_one(values):
    return [values[:index] + values[index + 1 :] for index in range(len(values))]


def _with(node, **fields):
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed
