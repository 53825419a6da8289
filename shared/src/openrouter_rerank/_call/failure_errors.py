"""
The error that a failed attempt means, and which error of its attempts a call raises.

A message is one line: what happened, where, what to do. `docs/errors.md` lists the exact texts.
"""

from collections.abc import Iterable
from functools import reduce
from urllib.parse import urlsplit

from openrouter_rerank._attempt import Cost, Failure, FailureKind, Request, Step
from openrouter_rerank._wire.server_text import host_of
from openrouter_rerank.budget import Budget, budget_error
from openrouter_rerank.errors import (
    APIConnectionError,
    BudgetExceededError,
    DeadlineExceededError,
    InvalidResponseError,
    OpenRouterRerankError,
)

from .retry_policy import another_model_may_answer

_LATE = {
    Step.CONNECTION: "could not connect to {address}",
    Step.RESPONSE: "no response from {host}",
    Step.BODY: "no complete response from {host}",
}
_BROKEN = {
    FailureKind.BROKEN_CLIENT: ("http_client failed", "Check its event hooks and its transport."),
    FailureKind.BROKEN_LIMITER: (
        "rate_limiter failed, and nothing was sent",
        "Correct rate_limiter.",
    ),
}
# The part of `timeout` from which on a model is said to have all of it: preparing the call has
# taken some of the time.
_ALL = 0.95
# The part of `timeout` from which on a wait for a request slot is a reason for a late response.
_LONG_WAIT = 0.1


def failure_error(
    failure: Failure, request: Request, *, allowed: float, timeout: float, attempts: int
) -> OpenRouterRerankError:
    """
    Return the error to raise for `failure`.

    Args:
        failure: The attempt without a response.
        request: The request of the attempt.
        allowed: Seconds that the request has for all its attempts.
        timeout: Seconds that the whole call has.
        attempts: The number of attempts of the request so far.
    """
    error = _error(failure, request, _Tried(allowed, timeout, attempts))
    error.__cause__ = failure.cause
    return error


def no_time_error(timeout: float, model: str) -> DeadlineExceededError:
    """Return the error of a request that had no time left for an attempt."""
    return DeadlineExceededError(
        f"waits before the request took all of timeout={timeout:g} s, and nothing was sent. "
        "Raise timeout.",
        model=model,
        retryable=True,
    )


def call_error(
    errors: Iterable[OpenRouterRerankError], attempts: int, budget: Budget | None
) -> OpenRouterRerankError:
    """Return the error to raise for a call whose requests have failed, in the order of `errors`."""
    error = reduce(more_informative, errors)
    if isinstance(error, BudgetExceededError):
        # A request that was not sent does not know the attempts of the others.
        error = budget_error(budget, attempts) or error
    error.attempts = attempts
    return error


def more_informative(
    last: OpenRouterRerankError, new: OpenRouterRerankError
) -> OpenRouterRerankError:
    """Return which of two errors to raise: the new one, unless it only says that time is up."""
    return last if isinstance(new, DeadlineExceededError) else new


def importance(error: OpenRouterRerankError) -> tuple[bool, bool]:
    """
    Return a sort key for errors of requests that were made together.

    The last error is raised, so the errors that neither another model nor a retry can fix, and
    that the user has to fix, are sorted to the end.
    """
    return not another_model_may_answer(error), not error.retryable


class _Tried:
    """The time and the attempts of a request, as texts."""

    def __init__(self, allowed: float, timeout: float, attempts: int) -> None:
        self.timeout = timeout
        self.within = f"within timeout={timeout:g} s"
        if allowed < timeout * _ALL:
            self.within = f"within {allowed:.3g} s, its part of timeout={timeout:g} s"
        self.attempts = f"{attempts} attempt{'s' if attempts > 1 else ''}"


def _error(failure: Failure, request: Request, tried: _Tried) -> OpenRouterRerankError:
    model = request.model
    match failure.kind:
        case FailureKind.BUSY | FailureKind.UNPERMITTED | FailureKind.DEADLINE:
            return DeadlineExceededError(_late(failure, model, tried), model=model, retryable=True)
        case FailureKind.OVER_BUDGET:
            return BudgetExceededError("the budget is spent, and nothing was sent. Raise budget.")
        case FailureKind.OVERSIZED:
            text = (
                f"the response of {host_of(failure.url)} is larger than "
                f"{request.longest_response:,} bytes, the most that a valid response to this "
                "request can have. Check base_url."
            )
            return InvalidResponseError(text, model=model, retryable=True)
        case _:
            what, advice = _what_and_advice(failure, model)
            retryable = failure.cost is not Cost.FINAL
            return APIConnectionError(f"{what}. {advice}", model=model, retryable=retryable)


def _late(failure: Failure, model: str, tried: _Tried) -> str:
    """Return the message for a wait that lasted until the deadline."""
    slots = f"one of max_concurrency={failure.slots} request slots"
    if failure.kind is FailureKind.BUSY:
        return (
            f"waited {failure.waited:.1f} s for {slots}, and nothing was sent. Raise "
            "max_concurrency or timeout, or make fewer calls at the same time."
        )
    if failure.kind is FailureKind.UNPERMITTED:
        return (
            f"waited {failure.waited:.1f} s for permission of rate_limiter, and nothing was sent. "
            "Raise timeout, or the limit of rate_limiter."
        )
    what = _LATE[failure.step].format(host=host_of(failure.url), address=_address(failure.url))
    asked = f" (model {model}, {tried.attempts})" if model else ""
    waited, advice = "", f"Raise timeout{_or_fallback(model)}."
    if failure.slot_wait > tried.timeout * _LONG_WAIT:
        waited = f", of which {failure.slot_wait:.1f} s were a wait for {slots}"
        advice = "Raise max_concurrency or timeout."
    return f"{what}{_through(failure)} {tried.within}{waited}{asked}. {advice}"


def _what_and_advice(failure: Failure, model: str) -> tuple[str, str]:
    """Return what happened to the connection or to the rate limiter, and what to do."""
    host, address, reason = host_of(failure.url), _address(failure.url), failure.reason
    match failure.kind:
        case FailureKind.UNSENT | FailureKind.EXHAUSTED:
            what, advice = f"could not connect to {address}{_through(failure)}", _check(failure)
        case FailureKind.PROXY_REFUSED:
            what = f"the proxy {failure.proxy or 'of http_client'} refused to connect to {address}"
            advice = _check(failure)
        case FailureKind.UNTRUSTED:
            what, advice = f"the certificate of {address} is not trusted", _check_tls(failure)
        case FailureKind.UNSENDABLE:
            what = f"the request to {host} could not be sent"
            checked = "http_client" if failure.is_injected else "default_headers and base_url"
            advice = f"Check {checked}."
        case FailureKind.BROKEN_CLIENT | FailureKind.BROKEN_LIMITER:
            what, advice = _BROKEN[failure.kind]
        case FailureKind.TIMEOUT:
            what = f"no response from {host} in time"
            advice = f"Retry later{_or_fallback(model)}."
        case _:
            what = f"the connection to {address}{_through(failure)} was lost"
            advice = f"Retry later{_or_fallback(model)}."
            if failure.proxy:
                advice = f"Retry later, or check {_proxy_variables(failure)}."
    return f"{what}: {reason}", advice


def _check_tls(failure: Failure) -> str:
    if "mismatch" in failure.reason or "expired" in failure.reason:
        return "Check base_url and the certificate of the server."
    if failure.is_injected:
        return "Check verify of http_client."
    return (
        "Set SSL_CERT_FILE to a file with the certificate of its authority (REQUESTS_CA_BUNDLE is "
        "not read)."
    )


def _or_fallback(model: str) -> str:
    # The list of models is requested for no model.
    return ", or set fallback_models" if model else ""


def _through(failure: Failure) -> str:
    return f" through the proxy {failure.proxy}" if failure.proxy else ""


def _check(failure: Failure) -> str:
    if failure.kind is FailureKind.EXHAUSTED:
        return (
            "End threads and close files and connections that are not needed, or raise the limits "
            "of the process (ulimit)."
        )
    if failure.is_injected:
        return "Check base_url, the network and http_client."
    if failure.proxy and ("407" in failure.reason or "password" in failure.reason):
        return f"Check the user name and the password in {_proxy_variables(failure, 'or')}."
    if failure.proxy:
        return f"Check {_proxy_variables(failure)}."
    return "Check base_url and the network."


def _proxy_variables(failure: Failure, conjunction: str = "and") -> str:
    return f"{urlsplit(failure.url).scheme.upper()}_PROXY {conjunction} ALL_PROXY"


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is not None:
        return host_of(url)
    return f"{parts.netloc}:{80 if parts.scheme == 'http' else 443}"
