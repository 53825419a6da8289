"""
The steps of `openrouter-rerank check`: each is checked when its result is asked for.

A step after a problem that would only repeat it is skipped.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from openrouter_rerank._transport.connect import prepare
from openrouter_rerank._transport.proxy import proxy_for
from openrouter_rerank._wire.endpoint import (
    DEFAULT_BASE_URL,
    KEY_IN_ENVIRONMENT,
    KEY_VARIABLE,
    checked_key,
    destination,
    endpoint,
    is_loopback,
)
from openrouter_rerank._wire.key_details import KeyDetails
from openrouter_rerank.budget import shown_dollars
from openrouter_rerank.client import RerankClient
from openrouter_rerank.client_options import ClientKeywords
from openrouter_rerank.errors import APIConnectionError, ConfigurationError, OpenRouterRerankError

from .failures import client_error
from .service import NO_KEY, Service, base_url_and_origin, options_with_key
from .summary import ranked_by, shown_cost
from .wording import for_command_line

Status: TypeAlias = Literal["ok", "problem", "note", "skipped"]

# Statuses of services without `GET /key`, such as a gateway.
_NOT_OFFERED = frozenset({404, 405, 501})
# The path of OpenRouter's base URL. A gateway may have another one.
_PATH = "/api/v1"
_IGNORED_CERTIFICATES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_QUERY = "capital of France"
_DOCUMENTS = ("Berlin is the capital of Germany.", "Paris is the capital of France.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What was checked, and the result."""

    name: str
    status: Status
    detail: str
    """What was found. Of a problem: what happened, and what to do."""


def steps(keywords: ClientKeywords, model: str, *, call: bool) -> Iterator[Step]:
    """
    Check the key, the base URL, the proxy, the certificates, the account and a call.

    Args:
        keywords: The options of the command line, as keywords of a client.
        model: The model of the call.
        call: Whether to make a call, which may cost money.
    """
    given, origin = base_url_and_origin(keywords.get("base_url"))
    is_ready = True
    for step in (_key(), _base_url(given, origin)):
        is_ready = is_ready and step.status != "problem"
        yield step
    url = _url(given)
    for step in () if url is None else (_proxy(url), _certificates(url)):
        is_ready = is_ready and step.status != "problem"
        yield step
    account = _account(keywords, model) if is_ready else _skipped("account")
    yield account
    if call:
        is_ready = is_ready and account.status != "problem"
        yield _call(keywords, model) if is_ready else _skipped("call")


def _skipped(name: str) -> Step:
    return Step(name=name, status="skipped", detail="fix the problem above first")


def _key() -> Step:
    key = checked_key(os.environ.get(KEY_VARIABLE), KEY_IN_ENVIRONMENT)
    if key is None:
        return Step(name="key", status="problem", detail=NO_KEY)
    if isinstance(key, ConfigurationError):
        return Step(name="key", status="problem", detail=for_command_line(key.message))
    return Step(name="key", status="ok", detail=f"from {KEY_VARIABLE}")


def _base_url(given: str | None, origin: str) -> Step:
    try:
        found = destination(given or DEFAULT_BASE_URL, origin)
        has_key = checked_key(os.environ.get(KEY_VARIABLE)) is not None
        from_option = given if origin == "--base-url" else None
        endpoint(None, from_option, os.environ, needs_key=has_key)
    except ConfigurationError as error:
        return Step(name="base URL", status="problem", detail=for_command_line(error.message))
    url = found.url.removesuffix("/rerank")
    if not url.endswith(_PATH):
        host = urlsplit(url)._replace(path=_PATH).geturl()
        detail = f"{url} from {origin} does not end with {_PATH}: OpenRouter's does, as in {host}"
        return Step(name="base URL", status="note", detail=detail)
    return Step(name="base URL", status="ok", detail=f"{url} from {origin}")


def _url(given: str | None) -> str | None:
    try:
        return destination(given or DEFAULT_BASE_URL).url
    except ConfigurationError:
        return None


def _proxy(url: str) -> Step:
    try:
        proxy = proxy_for(url)
    except ConfigurationError as error:
        return Step(name="proxy", status="problem", detail=for_command_line(error.message))
    if proxy is not None:
        login = " with a user name and password" if proxy.has_login else ""
        return Step(name="proxy", status="ok", detail=f"{proxy.url}{login}")
    reason = ", because the service is on this machine" if _is_local(url) else ""
    return Step(name="proxy", status="ok", detail=f"none{reason}")


def _certificates(url: str) -> Step:
    name = "certificates"
    if urlsplit(url).scheme != "https":
        return Step(name=name, status="ok", detail="none are needed for http")
    try:
        prepare(url)
    except ConfigurationError as error:
        return Step(name=name, status="problem", detail=for_command_line(error.message))
    named = [each for each in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(each)]
    ignored = [each for each in _IGNORED_CERTIFICATES if os.environ.get(each)]
    if named:
        detail = f"{named[0]}={os.environ[named[0]]}"
        return Step(name=name, status="ok", detail=detail)
    if ignored:
        detail = f"{ignored[0]} is not read: if the certificate is not trusted, set SSL_CERT_FILE"
        return Step(name=name, status="note", detail=detail)
    return Step(name=name, status="ok", detail="those of Python's HTTP library (httpx)")


def _is_local(url: str) -> bool:
    return is_loopback(urlsplit(url).hostname or "")


def _account(keywords: ClientKeywords, model: str) -> Step:
    key = Service(keywords).key()
    if key.error is not None and key.error.status_code in _NOT_OFFERED:
        detail = "the service does not report the limits of a key"
        return Step(name="account", status="note", detail=detail)
    if key.error is not None:
        return Step(name="account", status="problem", detail=_error(key.error))
    if key.spent is not None:
        detail = (
            f"{key.spent} has no money left{_resets(key)}. Add credits (openrouter.ai/credits), or "
            "raise the limit (openrouter.ai/keys)"
        )
        return Step(name="account", status="problem", detail=detail)
    if model.endswith(":free") and key.free_remaining is not None and key.free_remaining <= 0:
        detail = (
            "no requests to :free models are left today. Choose another --model, wait until "
            "tomorrow, or add credits (openrouter.ai/credits)"
        )
        return Step(name="account", status="problem", detail=detail)
    return Step(name="account", status="ok", detail=_limits(key))


def _resets(key: KeyDetails) -> str:
    if key.limit_remaining is not None and key.limit_remaining <= 0:
        return ""
    spent = (each for each in key.budgets if each.remaining is not None and each.remaining <= 0)
    resets_at = next(spent).resets_at
    return f" until {resets_at}" if resets_at else ""


def _limits(key: KeyDetails) -> str:
    left = key.limit_remaining
    parts = ["it has no limit" if left is None else f"{shown_dollars(left)} left of its limit"]
    for budget in key.budgets:
        if budget.remaining is not None:
            until = f" until {budget.resets_at}" if budget.resets_at else ""
            name = f"budget of {budget.scope}" if budget.scope else "budget"
            parts.append(f"{name}: {shown_dollars(budget.remaining)} left{until}")
    if key.free_remaining is not None:
        of = "" if key.free_limit is None else f" of {key.free_limit}"
        parts.append(f"{key.free_remaining}{of} requests to :free models left today")
    if key.byok_usage:
        billed = shown_dollars(key.byok_usage)
        parts.append(f"{billed} billed by providers to your own provider keys")
    if key.expires_at is not None:
        parts.append(f"expires {key.expires_at}")
    return f"the key is accepted; {'; '.join(parts)}"


def _call(keywords: ClientKeywords, model: str) -> Step:
    try:
        with RerankClient.from_options(options_with_key(keywords)) as client:
            ranking = client.rerank(_QUERY, _DOCUMENTS, model=model)
    except OpenRouterRerankError as error:
        return Step(name="call", status="problem", detail=_error(error))
    detail = f"ranked by {ranked_by(ranking)}; {shown_cost(ranking.usage.cost)}"
    return Step(name="call", status="ok", detail=detail)


def _error(error: OpenRouterRerankError) -> str:
    text = client_error(error)
    if isinstance(error, APIConnectionError) and text.endswith("Retry later."):
        # The server accepts connections, but may speak another protocol.
        return f"{text} If it fails again, check the base URL."
    return text
