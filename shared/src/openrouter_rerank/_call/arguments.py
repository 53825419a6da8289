"""Checks the arguments of one rerank call, before anything is sent."""

import operator
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, Unpack, get_args

from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank._wire.headers import HeaderFields, call_headers
from openrouter_rerank.client_options.json_values import json_mapping
from openrouter_rerank.client_options.keywords import REQUEST_OPTIONS, RequestOptions
from openrouter_rerank.client_options.long_documents import (
    DEFAULT_RULES,
    LEAST_PASSAGE_TOKENS,
    LongDocumentPolicy,
    LongDocumentRules,
)
from openrouter_rerank.client_options.secrets import checked_headers, hide_secrets
from openrouter_rerank.client_options.values import (
    categories_in,
    names_in,
    number_in,
    real_number,
    whole_number,
)
from openrouter_rerank.documents import (
    CheckedDocuments,
    Document,
    Ranked,
    checked_documents,
    longest_text,
)
from openrouter_rerank.errors import (
    ConfigurationError,
    InvalidRequestError,
    OpenRouterRerankError,
    shown_value,
)
from openrouter_rerank.ranking import Ranking

from .long_documents import ALWAYS_FIT, Situations, SplitDocuments, split_documents
from .plan import Call, without_copies

# Characters.
_LONGEST_SLUG = 200
# Fields of the body that are arguments of `rerank`.
_OWN_FIELDS = frozenset({"model", "query", "documents", "top_n"})
# Provider preferences that are lists of names. The service refuses a single name.
_PROVIDER_LISTS = ("order", "only", "ignore", "quantizations")
_HEADER_OPTIONS = frozenset({"app_url", "app_title", "app_categories", "extra_headers"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The checked arguments of one call."""

    call: Call
    size: int
    """The number of documents that were passed in, copies included."""
    models: tuple[str, ...]
    """The slugs of the models to try, in order."""
    headers: HeaderFields | None
    """The headers that replace headers of the client. `None`: no header is replaced."""
    timeout: float | None
    """Seconds, or `None` for the client's timeout."""
    max_retries: int | None
    """Attempts after the first, or `None` for the client's `max_retries`."""
    split: SplitDocuments | None
    """The passages that are ranked in place of long documents, if there are any."""

    @property
    def top_n(self) -> int | None:
        """The number of documents to return, or `None` for all."""
        return self.call.top_n if self.split is None else self.split.top_n

    def empty_ranking(self) -> Ranking:
        """Return the ranking of a call without documents."""
        return Ranking(results=(), model=self.models[0], requests=())


def hide_arguments(options: RequestOptions) -> None:
    """Replace secrets in the options of a call, in place, by objects that do not show them."""
    # A key may have been passed under an unknown name.
    if options and ("extra_headers" in options or not REQUEST_OPTIONS.issuperset(options)):
        hide_secrets(options, REQUEST_OPTIONS)


def checked_arguments(
    query: str,
    documents: Sequence[Document] | CheckedDocuments,
    *,
    model: str,
    top_n: int | None,
    rules: LongDocumentRules = DEFAULT_RULES,
    situations: Situations | None = None,
    **options: Unpack[RequestOptions],
) -> Arguments:
    """
    Check the arguments of a call.

    Args:
        query: The question.
        documents: What is ranked.
        model: The slug of the model.
        top_n: The number of results to return, or `None` for all.
        rules: What happens to long documents, if `options` do not say it.
        situations: The log of long documents that are not ranked as a whole.
        **options: The other arguments of the call.

    Raises:
        InvalidRequestError: If an argument cannot be sent. The message names the argument, its
            value and what to pass instead.
        ConfigurationError: If an argument that a client has as an option too cannot be used.
        TypeError: If there is no argument of that name. The message names the one that is meant.
    """
    if options and not REQUEST_OPTIONS.issuperset(options):
        raise TypeError(_unknown_argument(min(options.keys() - REQUEST_OPTIONS)))
    try:
        return _checked(
            query, documents, model=model, top_n=top_n, rules=rules, log=situations, options=options
        )
    except OpenRouterRerankError:
        raise
    except Exception as error:
        raise_if_from_signal(error)
        given = {"query": query, "documents": documents, "model": model, "top_n": top_n, **options}
        problem = _unreadable(given)
        if problem is None:
            raise
    raise InvalidRequestError(problem)


def _unreadable(given: Mapping[str, object]) -> str | None:
    """Return the text for the first argument whose class raises an exception while it is read."""
    for name, value in given.items():
        # A mapping without types, because a value may have any type.
        alone: dict[str, Any] = {"query": "any", "documents": (), "model": "any", "top_n": None}
        is_option = name not in alone
        alone |= {"rules": DEFAULT_RULES, "log": None, "options": {}}
        alone |= {"options": {name: value}} if is_option else {name: value}
        try:
            _checked(**alone)
        except OpenRouterRerankError:
            continue
        except Exception as error:  # noqa: BLE001 - The methods of a user's class may raise any
            return (
                f"{name} cannot be read, because an object of type {type(value).__name__:.50} "
                f"raises {type(error).__name__}: pass plain values"
            )
    return None


def _checked(
    query: str,
    documents: Sequence[Document] | CheckedDocuments,
    *,
    model: str,
    top_n: int | None,
    rules: LongDocumentRules,
    log: Situations | None,
    options: RequestOptions,
) -> Arguments:
    timeout, max_retries = options.get("timeout"), options.get("max_retries")
    checked = checked_documents(documents)
    asked, models = _checked_query(query), _checked_models(model, options.get("fallback_models"))
    top_n = _checked_count("top_n", top_n)
    if options:
        rules = _checked_rules(options, rules)
    ranked: Sequence[Ranked] = checked
    split = None
    if longest_text(checked) + len(asked) > ALWAYS_FIT:
        split = split_documents(checked, asked, models, rules, top_n=top_n, situations=log)
        if split is not None:
            # The best passages may all be of one document.
            ranked, top_n = split.documents, None
    distinct, positions = without_copies(ranked)
    return Arguments(
        size=len(checked),
        call=Call(
            query=asked,
            documents=distinct,
            positions=positions,
            top_n=top_n,
            max_documents=_checked_count(
                "max_documents_per_request", options.get("max_documents_per_request")
            ),
            extra=_extra(options),
        ),
        models=models,
        headers=_headers(options),
        timeout=None if timeout is None else checked_timeout(timeout),
        max_retries=None if max_retries is None else _checked_retries(max_retries),
        split=split,
    )


def checked_timeout(seconds: object) -> float:
    """
    Return the `timeout` of a call as a float.

    Raises:
        ConfigurationError: If it is not a positive, finite number.
    """
    number = real_number(seconds)
    if number is not None and 0 < number <= sys.float_info.max:
        return float(number)
    raise ConfigurationError(
        f"timeout must be a positive number of seconds, got {shown_value(seconds)}"
    )


def _checked_retries(value: object) -> int:
    number = whole_number(number_in(value))
    if number is not None and number >= 0:
        return number
    raise ConfigurationError(
        f"max_retries must be a whole number, 0 or more, got {shown_value(value)}"
    )


def _headers(options: RequestOptions) -> HeaderFields | None:
    if not options:
        return None
    session_id = options.get("session_id")
    if session_id is None and _HEADER_OPTIONS.isdisjoint(options):
        return None
    categories: object = options.get("app_categories")
    own: object = options.get("extra_headers")
    return call_headers(
        session_id=session_id,
        app_url=options.get("app_url"),
        app_title=options.get("app_title"),
        app_categories=None if categories is None else categories_in(categories),
        extra_headers=None if own is None else checked_headers(own, "extra_headers"),
    )


def _unknown_argument(name: str) -> str:
    # Imported only for an error.
    from openrouter_rerank.client_options.fields import ClientOptions
    from openrouter_rerank.client_options.unknown_names import unknown_name

    return unknown_name(
        "rerank()",
        name,
        {*_OWN_FIELDS, *RequestOptions.__annotations__},
        kind="argument",
        elsewhere=ClientOptions.model_fields,
        place="pass it when you create the client",
    )


def _checked_query(query: object) -> str:
    if not isinstance(query, str):
        raise InvalidRequestError(
            f"query must be a string, got an object of type {type(query).__name__}: pass the "
            "question as text"
        )
    # If it is of a subclass of `str`, take the content.
    text = str.__str__(query)
    if not text.strip():
        raise InvalidRequestError("query is blank: pass the question to rank the documents by")
    return text


def _checked_count(name: str, value: object) -> int | None:
    if value is None:
        return None
    number = whole_number(number_in(value))
    if number is not None and number > 0:
        return number
    raise InvalidRequestError(
        f"{name} must be a whole number, 1 or more, or None, got {shown_value(value)}"
    )


def _checked_rules(options: RequestOptions, rules: LongDocumentRules) -> LongDocumentRules:
    """Return `rules` with the changes of this call."""
    given = LongDocumentRules(
        options.get("long_documents", rules.policy),
        options.get("passage_tokens", rules.passage_tokens),
        options.get("max_passages", rules.max_passages),
    )
    # Values are compared by identity, because `==` calls methods of the user's classes.
    if all(map(operator.is_, given, rules)):
        return rules
    policy, given_tokens, most = given
    if not _is_one_of(policy, get_args(LongDocumentPolicy)):
        raise InvalidRequestError(
            f"long_documents must be 'truncate', 'split' or 'raise', got {shown_value(policy)}"
        )
    tokens = whole_number(number_in(given_tokens))
    if tokens is None or tokens < LEAST_PASSAGE_TOKENS:
        raise InvalidRequestError(
            f"passage_tokens must be a whole number, {LEAST_PASSAGE_TOKENS} or more, got "
            f"{shown_value(given_tokens)}"
        )
    return LongDocumentRules(policy, tokens, _checked_count("max_passages", most))


def _is_one_of(value: object, names: Sequence[str]) -> bool:
    return isinstance(value, str) and str.__str__(value) in names


def _checked_models(model: object, fallback_models: object) -> tuple[str, ...]:
    fallbacks = () if fallback_models is None else fallback_models
    if not _is_tuple(fallbacks) and not _is_tuple(
        fallbacks := names_in("fallback_models", fallbacks)
    ):
        raise InvalidRequestError(
            "fallback_models must be a list of slugs, such as ['cohere/rerank-v3.5'], got "
            f"{shown_value(fallbacks)}"
        )
    if not fallbacks:
        return (_checked_model("model", model),)
    named = {"model": model} | {f"fallback_models[{at}]": each for at, each in enumerate(fallbacks)}
    # Without repetitions: a model that has failed is not tried again as a fallback model.
    return tuple(dict.fromkeys(_checked_model(name, named[name]) for name in named))


def _checked_model(name: str, model: object) -> str:
    # It is in messages and logs, so it must not break their lines.
    if isinstance(model, str):
        slug = str.__str__(model)
        if slug.strip() and slug.isprintable() and len(slug) <= _LONGEST_SLUG:
            return slug
    raise InvalidRequestError(
        f"{name} must be the slug of a model, such as 'cohere/rerank-v3.5', got "
        f"{shown_value(model)}"
    )


def _extra(options: RequestOptions) -> dict[str, object]:
    """Return the fields of the body that are options of the call, and those of `extra_body`."""
    if not options:
        return {}
    extra_body = _checked_mapping("extra_body", options.get("extra_body")) or {}
    if taken := sorted(_OWN_FIELDS.intersection(extra_body)):
        raise InvalidRequestError(
            f"extra_body must not contain {taken[0]!r}: pass it as the argument of that name"
        )
    named = {
        "provider": _checked_provider(options.get("provider")),
        "user": _checked_user(options.get("user")),
        "trace": _checked_mapping("trace", options.get("trace")),
    }
    given = {name: value for name, value in named.items() if value is not None}
    return {**given, **extra_body}


def _checked_user(user: object) -> str | None:
    if user is None:
        return None
    if isinstance(user, str):
        return str.__str__(user)
    raise InvalidRequestError(f"user must be a string, or None, got {shown_value(user)}")


def _checked_provider(provider: object) -> Mapping[str, object] | None:
    if isinstance(provider, str):
        raise InvalidRequestError(
            f"provider must be a mapping, got {shown_value(provider)}: pass "
            f"{{'only': [{shown_value(provider)}]}} to use no other provider, or "
            f"{{'order': [{shown_value(provider)}]}} to try it first"
        )
    preferences = _checked_mapping("provider", provider)
    if preferences is None:
        return None
    single: dict[str, object] = {
        name: [preferences[name]]
        for name in _PROVIDER_LISTS
        if isinstance(preferences.get(name), str)
    }
    return {**preferences, **single} if single else preferences


def _checked_mapping(name: str, value: object) -> Mapping[str, object] | None:
    if value is None:
        return None
    if _is_mapping(value):
        return json_mapping(name, value)
    raise InvalidRequestError(f"{name} must be a mapping, or None, got {shown_value(value)}")


def _is_tuple(value: object) -> TypeGuard[tuple[object, ...]]:
    return type(value) is tuple


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)
