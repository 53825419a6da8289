"""Asks a chat model once, over the connections and within the limits of a client."""

import asyncio
import time
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from pydantic_core import to_json

from openrouter_rerank._attempt import (
    Attempt,
    Cost,
    Failure,
    FailureKind,
    Request,
    Response,
    cost,
    is_spent,
)
from openrouter_rerank._call.failure_errors import failure_error, more_informative, no_time_error
from openrouter_rerank._call.flow import Limits
from openrouter_rerank._call.retry_policy import MAYBE_BILLED_ATTEMPTS, pause
from openrouter_rerank._drive import aoutcome_of, outcome_of
from openrouter_rerank._transport.exchange import AsyncExchange, Exchange
from openrouter_rerank._transport.fair_semaphore import FairSemaphore
from openrouter_rerank._wire.error_response import place, redirect_text, status_error
from openrouter_rerank._wire.json_size import has_few_values
from openrouter_rerank._wire.request import without_lone_surrogates
from openrouter_rerank._wire.response import reported_cost
from openrouter_rerank._wire.server_text import description, json_body, json_list, json_object
from openrouter_rerank.budget import budget_error
from openrouter_rerank.client import AsyncRerankClient, RerankClient
from openrouter_rerank.errors import APIStatusError, InvalidResponseError, OpenRouterRerankError

CHAT_PATH = "chat/completions"
"""After the base URL."""

# Bytes. `max_tokens` of a request and its reasoning are far less.
_LONGEST_REPLY = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """What a chat model wrote."""

    text: str
    """Empty if it wrote no text."""
    cost: float | None
    """US dollars. `None` if the service did not report it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOutcome:
    """The result of one request, after all its attempts."""

    result: ChatReply | OpenRouterRerankError


ChatFlow: TypeAlias = Generator[Attempt | ChatOutcome, Response | Failure, None]
"""Yields attempts and receives the result of each. The last value it yields is the outcome."""


def chat(client: RerankClient, body: Mapping[str, object]) -> ChatReply:
    """
    Send one request to a chat model, and return what it wrote.

    Args:
        client: It has the key, the URL, the connections, the limits and the budget.
        body: The request, with a `model`.

    Raises:
        OpenRouterRerankError: If there is no reply.
    """
    request = _request(body)
    flow = chat_flow(request, client.limits(None, None, time.monotonic()))
    # The caller decides how many requests are in flight.
    route, slots = client.route_to(CHAT_PATH), FairSemaphore(1)
    exchange = Exchange(route, slots, client.http_client, client.rate_limiter)
    return _reply(outcome_of(flow, exchange), request)


async def achat(client: AsyncRerankClient, body: Mapping[str, object]) -> ChatReply:
    """
    Send one request, as `chat` does, without blocking the event loop.

    Raises:
        OpenRouterRerankError: If there is no reply.
    """
    request = _request(body)
    flow = chat_flow(request, client.limits(None, None, time.monotonic()))
    route, slots = client.route_to(CHAT_PATH), asyncio.Semaphore(1)
    exchange = AsyncExchange(route, slots, client.http_client, client.rate_limiter)
    return _reply(await aoutcome_of(flow, exchange), request)


def chat_flow(request: Request, limits: Limits) -> ChatFlow:
    """
    Decide how often `request` is attempted, and after which waits.

    The rules are those of a rerank request: an attempt that may have been billed is repeated once.
    """
    attempts = retries = maybe_billed = 0
    delay, is_stale = 0.0, False
    error: OpenRouterRerankError | None = None
    while (left := limits.deadline - limits.clock() - delay) > 0 and not is_spent(limits.budget):
        outcome = yield Attempt(
            request=request,
            timeout=left,
            delay=delay,
            is_on_new_connection=is_stale,
            budget=limits.budget,
        )
        attempts += 1
        result, billed = _result(outcome, request, limits, attempts)
        if isinstance(result, ChatReply):
            limits.retry_budget.earn()
            yield ChatOutcome(result=result)
            return
        error = result if error is None else more_informative(error, result)
        maybe_billed += billed is Cost.MAYBE_BILLED
        if billed is Cost.FINAL or maybe_billed >= MAYBE_BILLED_ATTEMPTS:
            break
        is_stale = isinstance(outcome, Failure) and outcome.kind is FailureKind.STALE
        delay = 0.0 if is_stale else pause(result, retries, limits.jitter())
        if retries >= limits.max_retries or not (is_stale or limits.retry_budget.spend()):
            break
        retries += 1
    else:
        error = budget_error(limits.budget) or error
    yield ChatOutcome(result=error or no_time_error(limits.timeout, request.model))


def _result(
    outcome: Response | Failure, request: Request, limits: Limits, attempts: int
) -> tuple[ChatReply | OpenRouterRerankError, Cost]:
    """Return the reply, or the error and what its attempt may have cost."""
    if isinstance(outcome, Failure):
        seconds = limits.timeout
        error = failure_error(
            outcome, _unnamed(request), allowed=seconds, timeout=seconds, attempts=attempts
        )
        return error, outcome.cost
    result = read_reply(outcome, request)
    return result, Cost.FINAL if isinstance(result, ChatReply) else cost(result)


def read_reply(
    response: Response, request: Request
) -> ChatReply | APIStatusError | InvalidResponseError:
    """Return what a response says: a reply of the model, even without a text, or an error."""
    if 300 <= response.status < 400:
        return InvalidResponseError(redirect_text(response, ""))
    has_few = has_few_values(response.body, request.most_marks)
    fields: Mapping[str, object] = json_body(response.body) if has_few else {}
    if (error := status_error(response, fields, "")) is not None:
        return error
    choices = json_list(fields.get("choices"), 1)
    if not choices:
        return InvalidResponseError(
            f"the response is not the reply of a chat model ({place(response, '')}): "
            f"{description(response)}. Check base_url, and that the model is a chat model.",
            retryable=True,
        )
    choice = json_object(choices[0])
    # OpenRouter reports the failure of a provider here, if it happens while the model writes.
    if (error := status_error(response, {"error": choice.get("error")}, "")) is not None:
        return error
    text = json_object(choice.get("message")).get("content")
    return ChatReply(
        text=text if isinstance(text, str) else "", cost=reported_cost(response, request)
    )


class _Body:
    """A body in one piece."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size = len(content)

    def __iter__(self) -> Iterator[bytes]:
        return iter((self._content,))


def _request(body: Mapping[str, object]) -> Request:
    return Request(
        body=_Body(to_json(without_lone_surrogates(dict(body)))),
        model=str(body["model"]),
        documents=0,
        results=0,
        spare_bytes=_LONGEST_REPLY,
        what="chat",
    )


def _unnamed(request: Request) -> Request:
    """Return a request whose errors do not advise to set `fallback_models`."""
    return Request(
        body=request.body, model="", documents=0, results=0, spare_bytes=request.spare_bytes
    )


def _reply(outcome: ChatOutcome, request: Request) -> ChatReply:
    if isinstance(outcome.result, ChatReply):
        return outcome.result
    outcome.result.model = request.model
    raise outcome.result
