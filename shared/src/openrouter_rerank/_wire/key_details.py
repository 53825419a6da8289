"""
What a service reports of an API key (`GET /key`): how much it may spend, and until when.

The response is text of a server, so nothing in it is trusted: a value of the wrong type counts as
missing. The label of the key is not read, because it is a part of the key.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from openrouter_rerank._attempt import Response
from openrouter_rerank.errors import InvalidResponseError, OpenRouterRerankError

from .error_response import place, redirect_text, status_error
from .json_size import has_few_values
from .server_text import description, json_body, json_list, json_object, shown

# Brackets and commas: OpenRouter's response has about 40.
_MOST_MARKS = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyBudget:
    """A budget that calls with the key are charged to. `None`: not reported."""

    scope: str | None
    """What has the budget, such as a workspace."""
    remaining: float | None
    """US dollars."""
    resets_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyDetails:
    """What a service reports of a key. `None`: not reported, or there is no such limit."""

    limit_remaining: float | None = None
    """US dollars."""
    budgets: tuple[KeyBudget, ...] = ()
    free_limit: int | None = None
    """Requests to `:free` models in a day."""
    free_remaining: int | None = None
    """Those of them that are left today."""
    byok_usage: float | None = None
    """US dollars that providers have billed for calls with the user's own provider keys."""
    expires_at: str | None = None
    error: OpenRouterRerankError | None = None
    """Why nothing is known of the key. `None` if the service has described it."""

    @property
    def spent(self) -> str | None:
        """What has no money left, or `None`: a call with the key fails with status 402 or 403."""
        if self.limit_remaining is not None and self.limit_remaining <= 0:
            return "the limit of the key"
        for budget in self.budgets:
            if budget.remaining is not None and budget.remaining <= 0:
                return f"the budget of {budget.scope}" if budget.scope else "a budget"
        return None


def key_details(response: Response) -> KeyDetails:
    """Return what the response says of the key, or with the error that it means."""
    if 300 <= response.status < 400:
        return _invalid(redirect_text(response, ""), response)
    body = json_body(response.body if has_few_values(response.body, _MOST_MARKS) else b"")
    if error := status_error(response, body, ""):
        return KeyDetails(error=error)
    fields = json_object(body.get("data"))
    if response.status != 200 or not fields:
        return _invalid(
            f"the response does not describe a key: {description(response)} "
            f"({place(response, '')}). Check base_url.",
            response,
        )
    free = json_object(fields.get("free_model_daily_requests"))
    return KeyDetails(
        limit_remaining=_number(fields.get("limit_remaining")),
        budgets=tuple(_budget(json_object(each), response) for each in _objects(fields)),
        free_limit=_count(free.get("limit")),
        free_remaining=_count(free.get("remaining")),
        byok_usage=_number(fields.get("byok_usage")),
        expires_at=_text(fields.get("expires_at"), response),
    )


def _invalid(text: str, response: Response) -> KeyDetails:
    return KeyDetails(error=InvalidResponseError(text, status_code=response.status))


def _objects(fields: Mapping[str, object]) -> list[object]:
    return [each for each in json_list(fields.get("budgets")) if json_object(each)]


def _budget(fields: Mapping[str, object], response: Response) -> KeyBudget:
    return KeyBudget(
        scope=_text(fields.get("scope"), response),
        remaining=_number(fields.get("remaining_usd")),
        resets_at=_text(fields.get("resets_at"), response),
    )


def _number(value: object) -> float | None:
    # `True` is an `int` too.
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _count(value: object) -> int | None:
    number = _number(value)
    return None if number is None else int(number)


def _text(value: object, response: Response) -> str | None:
    return (shown(value, response) or None) if isinstance(value, str) else None
