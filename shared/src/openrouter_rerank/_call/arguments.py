"""Checks the arguments of one rerank call and makes the values that the flow works with."""

import operator
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import SupportsIndex, Unpack

from openrouter_rerank.client_options import RequestOptions
from openrouter_rerank.documents import CheckedDocuments, Document, checked_documents
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError
from openrouter_rerank.ranking import Ranking

from .plan import Call, without_copies

_OWN_FIELDS = frozenset({"model", "query", "documents", "top_n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of one call, checked."""

    call: Call
    size: int
    """How many documents were passed in."""
    models: tuple[str, ...]
    session_id: str | None
    timeout: float | None

    def nothing(self) -> Ranking:
        """Return the ranking of no documents."""
        return Ranking(results=(), model=self.models[0], requests=())


def prepared(
    query: str,
    documents: Sequence[Document] | CheckedDocuments,
    *,
    model: str,
    top_n: int | None,
    **options: Unpack[RequestOptions],
) -> Arguments:
    """
    Check the arguments of a call.

    Raises:
        InvalidRequestError: Naming the argument, its value and the way to mend it.
    """
    if unknown := options.keys() - RequestOptions.__annotations__.keys():
        raise TypeError(f"rerank() has no argument {min(unknown)!r:.50}")
    timeout = options.get("timeout")
    checked = checked_documents(documents)
    different, positions = without_copies(checked)
    return Arguments(
        size=len(checked),
        call=Call(
            query=_checked_query(query),
            documents=different,
            positions=positions,
            top_n=_checked_count("top_n", top_n),
            max_documents=_checked_count(
                "max_documents_per_request", options.get("max_documents_per_request")
            ),
            extra=_extra(options),
        ),
        models=_checked_models(model, options.get("fallback_models") or ()),
        session_id=options.get("session_id"),
        timeout=None if timeout is None else checked_seconds("timeout", timeout),
    )


def checked_seconds(name: str, seconds: object) -> float:
    """
    Check a number of seconds.

    Raises:
        ConfigurationError: If it is not positive and finite.
    """
    number = seconds if isinstance(seconds, int | float) and seconds is not True else 0
    if 0 < number <= sys.float_info.max:
        return float(number)
    raise ConfigurationError(f"{name} must be a positive number of seconds, got {seconds!r:.50}")


def whole_number(value: object) -> int | None:
    """Return `value` as an integer if it is one, of Python's or of NumPy's."""
    if type(value) is int or value is None:
        # Protocols take long to ask for.
        return value
    # By name: the booleans of old releases of NumPy pass for an index too.
    if isinstance(value, SupportsIndex) and type(value).__name__ not in {"bool", "bool_"}:
        with suppress(TypeError):
            return operator.index(value)
    return None


def _checked_query(query: object) -> str:
    if not isinstance(query, str):
        raise InvalidRequestError(f"query is of type {type(query).__name__}: pass a string")
    if not query.strip():
        raise InvalidRequestError("query is blank: pass the question to rank the documents by")
    return query


def _checked_count(name: str, value: object) -> int | None:
    number = whole_number(value)
    if value is None or (number is not None and number > 0):
        return number
    raise InvalidRequestError(f"{name} must be a positive whole number, or None, got {value!r:.50}")


def _checked_models(model: str, fallback_models: Sequence[str]) -> tuple[str, ...]:
    if isinstance(fallback_models, str):
        raise InvalidRequestError(
            f"fallback_models must be a list of slugs, got the string {fallback_models!r:.100}"
        )
    # A model that could not answer is not asked again under the same name.
    return tuple(dict.fromkeys(_checked_model(each) for each in (model, *fallback_models)))


def _checked_model(model: object) -> str:
    if isinstance(model, str) and model.strip():
        return model
    raise InvalidRequestError(
        f"a model must be a slug such as 'cohere/rerank-v3.5', got {model!r:.100}"
    )


def _extra(options: RequestOptions) -> dict[str, object]:
    extra_body = options.get("extra_body") or {}
    if not _is_mapping(extra_body):
        raise InvalidRequestError(
            f"extra_body is of type {type(extra_body).__name__}: pass a mapping"
        )
    if taken := sorted(_OWN_FIELDS.intersection(extra_body)):
        raise InvalidRequestError(
            f"extra_body must not hold {taken[0]!r}: pass it as the argument of that name"
        )
    named = {name: options.get(name) for name in ("provider", "user", "trace")}
    given = {name: value for name, value in named.items() if value is not None}
    return {**given, **extra_body}


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)
