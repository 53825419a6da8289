"""
All errors that this package raises, in one tree. Imports nothing else from this package.

    OpenRouterRerankError
    ├── ConfigurationError           an option is missing or cannot be used; nothing was sent
    ├── InvalidRequestError          an argument cannot be sent; nothing was sent
    ├── BudgetExceededError          the budget is spent; nothing was sent
    ├── APIConnectionError           no response: connecting, sending or receiving failed
    ├── DeadlineExceededError        no response within `timeout`
    ├── InvalidResponseError         a response without a valid ranking of the documents
    └── APIStatusError               an error response; also any status without a class below
        ├── BadRequestError          400   wrong parameters; an unknown model is 400 too
        ├── UnauthorizedError        401   the key is missing or wrong
        ├── PaymentRequiredError     402   no credits
        ├── ForbiddenError           403   permission, guardrail, moderation or region
        ├── NotFoundError            404   no endpoint, or none that is allowed, has the model
        ├── RequestTimeoutError      408   retryable
        ├── PayloadTooLargeError     413   send fewer or smaller documents
        ├── UnprocessableEntityError 422   the provider refused a parameter
        ├── TooManyRequestsError     429   retryable, see `retry_after`
        ├── InternalServerError      500   retryable
        ├── BadGatewayError          502   retryable
        ├── ServiceUnavailableError  503   retryable
        ├── GatewayTimeoutError      504   retryable
        ├── EdgeNetworkTimeoutError  524   retryable, and may have been billed
        └── ProviderOverloadedError  529   retryable

Four of them are also built-in errors, so code that catches those need not import ours:
`ConfigurationError` and `InvalidRequestError` are a `ValueError`, `APIConnectionError` is a
`ConnectionError`, and `DeadlineExceededError` is a `TimeoutError`.
"""

import reprlib
from collections.abc import Mapping
from typing import TypeGuard

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "BadGatewayError",
    "BadRequestError",
    "BudgetExceededError",
    "ConfigurationError",
    "DeadlineExceededError",
    "EdgeNetworkTimeoutError",
    "ForbiddenError",
    "GatewayTimeoutError",
    "InternalServerError",
    "InvalidRequestError",
    "InvalidResponseError",
    "NotFoundError",
    "OpenRouterRerankError",
    "PayloadTooLargeError",
    "PaymentRequiredError",
    "ProviderOverloadedError",
    "RequestTimeoutError",
    "ServiceUnavailableError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnprocessableEntityError",
]

Scalar = str | int | float | bool | None

# The page that explains the errors. A release has the address of the published page here.
_PAGE = "docs/errors.md"
# OpenRouter's keys begin with this.
_KEY_MARK = "sk-or-"
_LONGEST_SHOWN = 80


class _BoundedRepr(reprlib.Repr):
    """Shows the first items of a collection, and both ends of a string."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = _LONGEST_SHOWN - 20
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdict = 4
        self.maxlevel = 3

    def repr1(self, x: object, level: int) -> str:
        # Before the value is cut: a part of a key is a secret too.
        if _has_key(x):
            return _KEY_MARK
        # `Repr` would show bytes, and all of a subclass, in full before it cuts them.
        if isinstance(x, str):
            return self.repr_str(str.__getitem__(x, slice(2 * _LONGEST_SHOWN)), level)
        if isinstance(x, bytes | bytearray):
            return self.repr_instance(bytes(x[:_LONGEST_SHOWN]), level)
        if _is_dict(x):
            return self.repr_dict(x, level)
        if _is_list(x):
            return self.repr_list(x, level)
        return super().repr1(x, level)

    def repr_instance(self, x: object, level: int) -> str:  # noqa: ARG002 - `Repr` passes it
        # `Repr` would show the address of an object whose `repr` fails.
        return repr(x)


def _has_key(value: object) -> bool:
    if isinstance(value, str):
        return str.__contains__(value, _KEY_MARK)
    return isinstance(value, bytes | bytearray) and _KEY_MARK.encode() in bytes(value)


def _is_dict(value: object) -> TypeGuard[dict[object, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


_BOUNDED = _BoundedRepr()


def shown_value(value: object) -> str:
    """
    Return the `repr` of a value for a message: one printable line of at most 80 characters.

    A value whose `repr` fails is described by its type. A string with an API key is not shown.
    """
    try:
        text = " ".join(_BOUNDED.repr(value).split("\n"))
    except Exception:  # noqa: BLE001 - The `repr` of a user's object may raise any exception
        return f"an object of type {type(value).__name__:.50}"
    if _KEY_MARK in text:
        return "a value with an API key in it"
    is_cut = len(text) > _LONGEST_SHOWN
    marks = text[:_LONGEST_SHOWN]
    line = "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in marks)
    is_short = len(line) <= _LONGEST_SHOWN and not is_cut
    return line if is_short else f"{line[: _LONGEST_SHOWN - 3]}..."


class OpenRouterRerankError(Exception):
    """
    The base class of all errors that this package raises.

    It can be pickled. It never contains the key, a header, a document or an image. The message of a
    server may quote a few words of the request.

    Args:
        message: What happened, in one line.
        status_code: The HTTP status, or the `error.code` of a response with status 200.
        code: The server's `error.code`, unchanged.
        metadata: The strings, numbers, booleans and nulls of the server's `error.metadata`.
        provider: The provider that served the request, if the response names it.
        model: The slug of the model that the request named.
        request_id: The id to give to OpenRouter's support.
        retry_after: Seconds that the server asks the client to wait before the next request.
        retryable: `True` if the same call may succeed later. The client has repeated it within
            `timeout` and `max_retries`, but not after an incomplete response: see `is_incomplete`.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int | None = None,
        code: int | str | None = None,
        metadata: Mapping[str, Scalar] | None = None,
        provider: str | None = None,
        model: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.code = code
        self.metadata = dict(metadata or {})
        self.provider = provider
        self.model = model
        self.request_id = request_id
        self.retry_after = retry_after
        self.retryable = retryable
        self.attempts = 0
        """The number of attempts that the call had sent when it failed, retries included."""


def help_note(error: OpenRouterRerankError) -> str:
    """Return the note of a failed call: where causes and remedies of its error are explained."""
    return f"Help: {_PAGE}#{type(error).__name__.lower()}"


class ConfigurationError(OpenRouterRerankError, ValueError):
    """An option is missing or cannot be used. The message names it and says what to do."""


class InvalidRequestError(OpenRouterRerankError, ValueError):
    """An argument cannot be sent. The message names it and says what to pass instead."""


class BudgetExceededError(OpenRouterRerankError):
    """The budget of the client is spent, so no further request is sent."""


class APIConnectionError(OpenRouterRerankError, ConnectionError):
    """The request could not be sent, or its response could not be received."""


class DeadlineExceededError(OpenRouterRerankError, TimeoutError):
    """There was no response within `timeout`."""


class InvalidResponseError(OpenRouterRerankError):
    """The response has no valid ranking of the documents. The request may have been billed."""

    is_incomplete = False
    """
    `True` if the response ranks fewer documents than were requested. Then the client does not
    repeat the request, although `retryable` is `True`: it would pay twice, and most likely for the
    same ranking.
    """


class APIStatusError(OpenRouterRerankError):
    """The service responded with an error."""

    @staticmethod
    def of(
        status_code: int,
        message: str,
        *,
        code: int | str | None = None,
        metadata: Mapping[str, Scalar] | None = None,
        provider: str | None = None,
        model: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        retryable: bool | None = None,
    ) -> "APIStatusError":
        """
        Return an error of the class that the tree above has for `status_code`.

        `retryable` is what the service says about it. By default, the status decides.
        """
        kind = _BY_STATUS.get(status_code, APIStatusError)
        if retryable is None:
            # 200 is a response whose error has no code. Such a failure is treated as temporary.
            retryable = status_code in {200, 408, 429} or status_code >= 500
        return kind(
            message,
            status_code=status_code,
            code=code,
            metadata=metadata,
            provider=provider,
            model=model,
            request_id=request_id,
            retry_after=retry_after,
            retryable=retryable,
        )


class BadRequestError(APIStatusError):
    """A parameter is wrong, or the model does not exist."""


class UnauthorizedError(APIStatusError):
    """The key is missing or wrong."""


class PaymentRequiredError(APIStatusError):
    """The account has no credits left."""


class ForbiddenError(APIStatusError):
    """The key, a guardrail, moderation or the region forbids the request."""


class NotFoundError(APIStatusError):
    """No endpoint has the model, or none that the provider preferences allow."""


class RequestTimeoutError(APIStatusError):
    """The service did not receive or process the request in time."""


class PayloadTooLargeError(APIStatusError):
    """The request is too large. Set `max_documents_per_request` to send smaller ones."""


class UnprocessableEntityError(APIStatusError):
    """The provider refused a parameter."""


class TooManyRequestsError(APIStatusError):
    """The rate limit is reached. `retry_after` is the wait in seconds, if the server named it."""


class InternalServerError(APIStatusError):
    """The service failed."""


class BadGatewayError(APIStatusError):
    """The provider failed."""


class ServiceUnavailableError(APIStatusError):
    """No provider is available."""


class GatewayTimeoutError(APIStatusError):
    """The provider did not respond in time."""


class EdgeNetworkTimeoutError(APIStatusError):
    """OpenRouter's edge network stopped waiting. The request may have been billed."""


class ProviderOverloadedError(APIStatusError):
    """The provider is overloaded."""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: UnauthorizedError,
    402: PaymentRequiredError,
    403: ForbiddenError,
    404: NotFoundError,
    408: RequestTimeoutError,
    413: PayloadTooLargeError,
    422: UnprocessableEntityError,
    429: TooManyRequestsError,
    500: InternalServerError,
    502: BadGatewayError,
    503: ServiceUnavailableError,
    504: GatewayTimeoutError,
    524: EdgeNetworkTimeoutError,
    529: ProviderOverloadedError,
}
