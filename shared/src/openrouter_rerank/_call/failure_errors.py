"""
The error that a failed attempt means. Its message is one line: what happened, where, what to do.

`docs/errors.md` lists the exact texts.
"""

from urllib.parse import urlsplit

from openrouter_rerank._attempt import Cost, Failure, FailureKind, Request, Step
from openrouter_rerank._wire.server_text import host_of
from openrouter_rerank.errors import (
    APIConnectionError,
    DeadlineExceededError,
    InvalidResponseError,
    OpenRouterRerankError,
)

_LATE = {
    Step.CONNECTION: "could not connect to {address}",
    Step.RESPONSE: "no response from {host}",
    Step.BODY: "no complete response from {host}",
}
# The part of `timeout` from which on a model is said to have all of it: preparing the call has
# taken some of the time.
_ALL = 0.95


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


class _Tried:
    """The time and the attempts of a request, as texts."""

    def __init__(self, allowed: float, timeout: float, attempts: int) -> None:
        self.within = f"within timeout={timeout:g} s"
        if allowed < timeout * _ALL:
            self.within = f"within {allowed:.3g} s, its part of timeout={timeout:g} s"
        self.attempts = f"{attempts} attempt{'s' if attempts > 1 else ''}"


def _error(failure: Failure, request: Request, tried: _Tried) -> OpenRouterRerankError:
    model = request.model
    match failure.kind:
        case FailureKind.BUSY:
            text = (
                f"waited {failure.waited:.1f} s for one of max_concurrency={failure.slots} request "
                "slots, and nothing was sent. Raise max_concurrency or timeout, or make fewer "
                "calls at the same time."
            )
            return DeadlineExceededError(text, model=model, retryable=True)
        case FailureKind.UNPERMITTED:
            text = (
                f"waited {failure.waited:.1f} s for permission of rate_limiter, and nothing was "
                "sent. Raise timeout, or the limit of rate_limiter."
            )
            return DeadlineExceededError(text, model=model, retryable=True)
        case FailureKind.DEADLINE:
            text = _LATE[failure.step].format(
                host=host_of(failure.url), address=_address(failure.url)
            )
            asked = f" (model {model}, {tried.attempts})" if model else ""
            text += (
                f"{_through(failure)} {tried.within}{asked}. Raise timeout{_or_fallback(model)}."
            )
            return DeadlineExceededError(text, model=model, retryable=True)
        case FailureKind.OVERSIZED:
            text = (
                f"the response of {host_of(failure.url)} is larger than "
                f"{request.longest_response:,} bytes, the most that a valid response to this "
                "request can have. Check base_url."
            )
            return InvalidResponseError(text, model=model, retryable=True)
        case _:
            retryable = failure.cost is not Cost.FINAL
            return APIConnectionError(_text(failure, model), model=model, retryable=retryable)


def _text(failure: Failure, model: str) -> str:
    """Return the message for a failure of the connection or of the rate limiter."""
    host, address, reason = host_of(failure.url), _address(failure.url), failure.reason
    match failure.kind:
        case FailureKind.UNSENT:
            return f"could not connect to {address}{_through(failure)}: {reason}. {_check(failure)}"
        case FailureKind.UNTRUSTED:
            certificates = (
                "Check verify of http_client."
                if failure.is_injected
                else "Set SSL_CERT_FILE to a file with the certificate of its authority "
                "(REQUESTS_CA_BUNDLE is not read)."
            )
            return f"the certificate of {address} is not trusted: {reason}. {certificates}"
        case FailureKind.UNSENDABLE:
            check = "http_client" if failure.is_injected else "default_headers and base_url"
            return f"the request to {host} could not be sent: {reason}. Check {check}."
        case FailureKind.BROKEN_LIMITER:
            return f"rate_limiter failed: {reason}, and nothing was sent. Correct rate_limiter."
        case FailureKind.TIMEOUT:
            return f"no response from {host} in time: {reason}. Retry later{_or_fallback(model)}."
        case _:
            return (
                f"the connection to {address}{_through(failure)} was lost: {reason}. "
                f"Retry later{_or_fallback(model)}."
            )


def _or_fallback(model: str) -> str:
    # The list of models is requested for no model.
    return ", or set fallback_models" if model else ""


def _through(failure: Failure) -> str:
    return f" through the proxy {failure.proxy}" if failure.proxy else ""


def _check(failure: Failure) -> str:
    if failure.is_injected:
        return "Check base_url, the network and http_client."
    if failure.proxy and failure.reason.startswith("HTTP 407"):
        return "Check the user name and the password in HTTPS_PROXY or ALL_PROXY."
    if failure.proxy:
        return "Check HTTPS_PROXY and ALL_PROXY."
    return "Check base_url and the network."


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.hostname is None or parts.port is not None:
        return host_of(url)
    return f"{parts.netloc}:{80 if parts.scheme == 'http' else 443}"
