"""
Copies the descriptions of options from the fields to the keyword classes.

Editors show the descriptions of keywords when a user hovers over an argument.
"""

import ast
import textwrap
from collections.abc import Mapping

from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank.reranker import RerankOptions
from pydantic import AliasChoices, BaseModel
from pydantic.fields import FieldInfo

from .pages import ROOT

CORE = "shared/src/openrouter_rerank"
LANGCHAIN = "packages/langchain_openrouter_rerank"
LLAMAINDEX = "packages/llamaindex_openrouter_rerank"
KEYWORDS: dict[str, type[BaseModel]] = {
    f"{CORE}/client_options/keywords.py": RerankOptions,
    f"{CORE}/reranker/keywords.py": RerankOptions,
    f"{LANGCHAIN}/src/langchain_openrouter_rerank/keywords.py": LangChainRerank,
    f"{LLAMAINDEX}/src/llamaindex_openrouter_rerank/keywords.py": LlamaIndexRerank,
}
# An option of one call has another description than that of a client: it replaces that one.
_WRITTEN_BY_HAND = {"ClientOverrides", "CallOptions"}
_WIDTH = 100


def module_with_descriptions(module: str) -> str:
    """Return the source of a module in which each keyword has the description of its field."""
    source = (ROOT / module).read_text("utf-8")
    descriptions = _descriptions(KEYWORDS[module].model_fields)
    lines = source.splitlines()
    keywords = [
        (node.lineno, node.end_lineno, node.target.id)
        for kind in ast.parse(source).body
        if isinstance(kind, ast.ClassDef) and _is_typed_dict(kind)
        for node in kind.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    # From the end, so that the line numbers of the others stay right.
    for _, end, name in reversed(keywords):
        at = end or 0
        # Fields of the frameworks have no description.
        text = descriptions[name]
        lines[at : at + _docstring_lines(lines[at:])] = _docstring(text) if text else []
    return "\n".join(lines) + "\n"


def _is_typed_dict(kind: ast.ClassDef) -> bool:
    return bool(kind.keywords) and kind.name not in _WRITTEN_BY_HAND


def _docstring_lines(lines: list[str]) -> int:
    """Return how many lines the docstring has that `lines` begin with."""
    if not lines or not lines[0].strip().startswith('"""'):
        return 0
    if lines[0].strip() != '"""' and lines[0].rstrip().endswith('"""'):
        return 1
    return next(at for at, line in enumerate(lines[1:], 2) if line.rstrip().endswith('"""'))


def _docstring(text: str) -> list[str]:
    short = f'    """{text}"""'
    if len(short) <= _WIDTH:
        return [short]
    quotes = '    """'
    return [
        quotes,
        *textwrap.wrap(text, _WIDTH - 4, initial_indent="    ", subsequent_indent="    "),
        quotes,
    ]


def _descriptions(fields: Mapping[str, FieldInfo]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, field in fields.items():
        found |= dict.fromkeys(aliases(name, field), f"Another name of `{name}`.")
        found[name] = field.description or ""
    return found


def aliases(name: str, field: FieldInfo) -> list[str]:
    """Return the other names of an option."""
    alias = field.validation_alias
    return (
        [str(each) for each in alias.choices if each != name]
        if isinstance(alias, AliasChoices)
        else []
    )
