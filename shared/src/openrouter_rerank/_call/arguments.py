"""Checks the arguments of one rerank call, before anything is sent."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Unpack

from openrouter_rerank._wire.headers import session_header
from openrouter_rerank.client_options.fields import whole_number
from openrouter_rerank.client_options.keywords import RequestOptions
from openrouter_rerank.documents import CheckedDocuments, Document, checked_documents
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError
from openrouter_rerank.ranking import Ranking

from .plan import Call, without_copies

# Fields of the body that are arguments of `rerank`.
_OWN_FIELDS = frozenset({"model", "query", "documents", "top_n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The checked arguments of one call."""

    call: Call
    size: int
    """The number of documents that were passed in, copies included."""
    models: tuple[str, ...]
    """The slugs of the models to try, in order."""
    session_id: str | None
    timeout: float | None
    """Seconds, or `None` for the client's timeout."""

    def empty_ranking(self) -> Ranking:
        """Return the ranking of a call without documents."""
        return Ranking(results=(), model=self.models[0], requests=())


def checked_arguments(
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
        InvalidRequestError: If an argument cannot be sent. The message names the argument, its
            value and what to pass instead.
        ConfigurationError: If `timeout` is not a positive, finite number.
        TypeError: If there is no argument of that name.
    """
    if unknown := options.keys() - RequestOptions.__annotations__.keys():
        raise TypeError(f"rerank() has no argument {min(unknown)!r:.50}")
    timeout, session_id = options.get("timeout"), options.get("session_id")
    if session_id is not None:
        session_header(session_id)
    checked = checked_documents(documents)
    distinct, positions = without_copies(checked)
    return Arguments(
        size=len(checked),
        call=Call(
            query=_checked_query(query),
            documents=distinct,
            positions=positions,
            top_n=_checked_count("top_n", top_n),
            max_documents=_checked_count(
                "max_documents_per_request", options.get("max_documents_per_request")
            ),
            extra=_extra(options),
        ),
        models=_checked_models(model, options.get("fallback_models") or ()),
        session_id=session_id,
        timeout=None if timeout is None else checked_timeout(timeout),
    )


def checked_timeout(seconds: object) -> float:
    """
    Return the `timeout` of a call as a float.

    Raises:
        ConfigurationError: If it is not a positive, finite number.
    """
    number = seconds if isinstance(seconds, int | float) and seconds is not True else 0
    if 0 < number <= sys.float_info.max:
        return float(number)
    raise ConfigurationError(f"timeout must be a positive number of seconds, got {seconds!r:.50}")


def _checked_query(query: object) -> str:
    if not isinstance(query, str):
        raise InvalidRequestError(f"query is of type {type(query).__name__}: pass a string")
    if not query.strip():
        raise InvalidRequestError("query is blank: pass the question to rank the documents by")
    return query


def _checked_count(name: str, value: object) -> int | None:
    if value is None:
        return None
    number = whole_number(value)
    if number is not None and number > 0:
        return number
    raise InvalidRequestError(f"{name} must be a positive whole number, or None, got {value!r:.50}")


def _checked_models(model: str, fallback_models: Sequence[str]) -> tuple[str, ...]:
    if isinstance(fallback_models, str):
        raise InvalidRequestError(
            f"fallback_models must be a list of slugs, got the string {fallback_models!r:.100}"
        )
    # Without repetitions: a model that has failed is not tried again as a fallback model.
    return tuple(dict.fromkeys(_checked_model(each) for each in (model, *fallback_models)))


def _checked_model(model: object) -> str:
    if isinstance(model, str) and model.strip():
        return model
    raise InvalidRequestError(
        f"a model must be a slug such as 'cohere/rerank-v3.5', got {model!r:.100}"
    )


def _extra(options: RequestOptions) -> dict[str, object]:
    """Return the fields of the body that are options of the call, and those of `extra_body`."""
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
    # Takes any `object`, so that a type checker does not call the check of a `Mapping` useless.
    return isinstance(value, Mapping)
