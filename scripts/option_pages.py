"""
Writes docs/reference/options-*.md: every option with its type, its default and its meaning.

Each option has a heading, so that a page can link to it, and so that the search finds it.
"""

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import ClientOptions
from openrouter_rerank.client_options.display import default_text
from openrouter_rerank.reranker import RerankOptions
from pydantic import BaseModel

from .keyword_descriptions import CORE, aliases
from .pages import ROOT

_GROUPS = {
    "Model and result": (
        "model",
        "fallback_models",
        "top_n",
        "score_threshold",
        "score_key",
        "keep_retrieval_score",
        "unscorable",
    ),
    "What is ranked": (
        "rank_fields",
        "document_converter",
        "metadata_mode",
        "document_fn",
        "image_key",
        "image_mode",
        "image_root",
        "max_image_bytes",
        "long_documents",
        "passage_tokens",
        "max_passages",
    ),
    "Key and address": (
        "api_key",
        "base_url",
        "allow_insecure_http",
        "http_client",
        "http_async_client",
        "default_headers",
        "extra_headers",
        "app_url",
        "app_title",
        "app_categories",
    ),
    "Limits and failures": (
        "timeout",
        "max_retries",
        "max_concurrency",
        "max_documents_per_request",
        "rate_limiter",
        "on_error",
    ),
    "Cost": ("budget", "score_store", "score_ttl", "on_response"),
    "Sent to OpenRouter": ("provider", "session_id", "user", "trace", "extra_body"),
}
_CLIENT_KEYWORDS = f"{CORE}/client_options/keywords.py"
_RERANKER_KEYWORDS = (_CLIENT_KEYWORDS, f"{CORE}/reranker/keywords.py")
_CALL = ("RequestFields", "ClientOverrides")
_OTHER_NAMES = (
    "Other names of options are those of LangChain's `ChatOpenRouter`, and `api_base` is that of "
    "LlamaIndex's `OpenRouter`."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Option:
    """One keyword of a class or of a call."""

    type: str
    description: str
    default: str | None = None
    """`None`: that of the client."""
    other_names: tuple[str, ...] = ()


def framework_page(framework: str, package: str, kind: type[BaseModel]) -> str:
    """Return the page of the options of a framework's class."""
    source = f"packages/{package}/src/{package}/keywords.py"
    options = _fields(kind, _keywords(*_RERANKER_KEYWORDS, source))
    return _page(framework, _introduction(package), options)


def python_page() -> str:
    """Return the page of the options of the clients and of their calls."""
    client = _fields(ClientOptions, _keywords(_CLIENT_KEYWORDS))
    of_reranker = _fields(RerankOptions, _keywords(*_RERANKER_KEYWORDS))
    call = {name: replace(of_reranker[name], other_names=()) for name in ("model", "top_n")}
    call |= _keywords(_CLIENT_KEYWORDS, classes=_CALL)
    return _page(
        "plain Python",
        "The first part has the options of `RerankClient(...)` and `AsyncRerankClient(...)`, which "
        "also take an `http_client`: see [Network](../production/network.md). The second part has "
        "the options of a call, such as `client.rerank(query, documents, top_n=5)`. They replace "
        f"those of the client, unless they are `None`. {_OTHER_NAMES}",
        client,
    ) + "\n".join(
        [
            "",
            "## Options of a call",
            "",
            *_entries(sorted(call, key=_position), call, prefix="call-"),
        ]
    )


def _introduction(package: str) -> str:
    return (
        f"Each option is a keyword of `OpenRouterRerank(...)` from `{package}`, and an attribute "
        f"that you can change later. A changed option is checked like a new one. {_OTHER_NAMES}"
    )


def _page(audience: str, introduction: str, options: Mapping[str, _Option]) -> str:
    lines = [
        "---",
        f'description: "Every option for {audience}, with its type and default."',
        "---",
        "",
        f"# Options for {audience}",
        "",
        introduction,
        "",
    ]
    missing = options.keys() - {name for names in _GROUPS.values() for name in names}
    if missing:
        raise ValueError(f"add these options to a group: {sorted(missing)}")
    for title, names in _GROUPS.items():
        if present := [name for name in names if name in options]:
            lines += [f"## {title}", "", *_entries(present, options)]
    return "\n".join(lines)


def _entries(
    names: Iterable[str], options: Mapping[str, _Option], *, prefix: str = ""
) -> list[str]:
    lines: list[str] = []
    for name in names:
        option = options[name]
        facts = [f"Type: `{option.type}`."]
        is_described = "Default:" in option.description and option.default in {"None", "()"}
        if option.default is not None and not is_described:
            facts.append(f"Default: `{option.default}`.")
        if option.other_names:
            others = ", ".join(f"`{each}`" for each in option.other_names)
            facts.append(f"Other names: {others}.")
        lines += [
            f"### `{name}` {{ #{prefix}{name} }}",
            "",
            option.description,
            "",
            " ".join(facts),
            "",
        ]
    return lines


def _fields(kind: type[BaseModel], keywords: Mapping[str, _Option]) -> dict[str, _Option]:
    """Return the options of a class: the types of its keywords, and the rest of its fields."""
    return {
        name: _Option(
            type=keywords[name].type,
            description=field.description,
            default=default_text(field),
            other_names=tuple(aliases(name, field)),
        )
        for name, field in kind.model_fields.items()
        if field.description
    }


def _keywords(*modules: str, classes: Iterable[str] | None = None) -> dict[str, _Option]:
    """Return the keywords of the typed dictionaries in `modules`, as their sources have them."""
    found: dict[str, _Option] = {}
    for module in modules:
        for kind in ast.parse((ROOT / module).read_text("utf-8")).body:
            if isinstance(kind, ast.ClassDef) and (classes is None or kind.name in classes):
                found |= _members(kind)
    return found


def _members(kind: ast.ClassDef) -> dict[str, _Option]:
    found: dict[str, _Option] = {}
    statements = [*kind.body, ast.Pass()]
    for statement, following in pairwise(statements):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            annotation = statement.annotation
            text = (
                annotation.value
                if isinstance(annotation, ast.Constant)
                else ast.unparse(annotation)
            )
            found[statement.target.id] = _Option(
                type=str(text).replace("'", '"'), description=_text(following)
            )
    return found


def _text(statement: ast.stmt) -> str:
    """Return the docstring that `statement` is, as one line."""
    match statement:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return " ".join(text.split())
        case _:
            return ""


def _position(name: str) -> int:
    return [each for names in _GROUPS.values() for each in names].index(name)


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/options-langchain.md": partial(
        framework_page, "LangChain", "langchain_openrouter_rerank", LangChainRerank
    ),
    "docs/reference/options-llamaindex.md": partial(
        framework_page, "LlamaIndex", "llamaindex_openrouter_rerank", LlamaIndexRerank
    ),
    "docs/reference/options-python.md": python_page,
}
