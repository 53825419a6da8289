"""
Everything that can go wrong, as one tree. Imports nothing of this package.

    OpenRouterRerankError
    ├── ConfigurationError           a setting is missing or cannot be used; nothing was sent
    ├── InvalidRequestError          an argument cannot be sent; nothing was sent
    ├── BudgetExceededError          the budget is spent; nothing was sent
    ├── APIConnectionError           no answer: connecting, sending or receiving failed
    ├── DeadlineExceededError        no answer within `timeout`
    ├── InvalidResponseError         an answer that is no ranking of the documents sent
    └── APIStatusError               an answer that is an error; any status without a class below
        ├── BadRequestError          400   wrong parameters; an unknown model is 400 too
        ├── UnauthorizedError        401   the key is missing or wrong
        ├── PaymentRequiredError     402   no credits
        ├── ForbiddenError           403   permission, guardrail, moderation or region
        ├── NotFoundError            404   no endpoint serves the model, or none that is allowed
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
"""

from collections.abc import Mapping

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


class OpenRouterRerankError(Exception):
    """
    The root of all errors that this package raises.

    It pickles, and holds neither the key nor a header, a document or an image. The message of a
    server may quote a few words of the request.

    Args:
        message: What happened, in one line.
        status_code: The HTTP status, or the `error.code` of an answer with status 200.
        code: The server's `error.code` as it came.
        metadata: The scalars of the server's `error.metadata`.
        provider: Who served the request, if the answer says so.
        model: The slug that was asked for.
        request_id: What to quote to OpenRouter's support.
        retry_after: Seconds after which the server wants to be asked again.
        retryable: Whether the same call may succeed later.
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
        """How many requests the call had sent when it gave up."""


class ConfigurationError(OpenRouterRerankError):
    """A setting is missing or cannot be used; the message names it and the way to mend it."""


class InvalidRequestError(OpenRouterRerankError):
    """An argument cannot be sent; the message names it and the way to mend it."""


class BudgetExceededError(OpenRouterRerankError):
    """The budget of the client is spent, so nothing was sent."""


class APIConnectionError(OpenRouterRerankError):
    """The request could not be sent, or its answer could not be received."""


class DeadlineExceededError(OpenRouterRerankError):
    """Nothing was heard of the request within `timeout`."""


class InvalidResponseError(OpenRouterRerankError):
    """The answer is no ranking of the documents that were sent; it may have been billed."""


class APIStatusError(OpenRouterRerankError):
    """The service answered with an error."""

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
    ) -> "APIStatusError":
        """Make the error of the class that `status_code` has in the tree above."""
        kind = _BY_STATUS.get(status_code, APIStatusError)
        return kind(
            f"{message} (HTTP {status_code})",
            status_code=status_code,
            code=code,
            metadata=metadata,
            provider=provider,
            model=model,
            request_id=request_id,
            retry_after=retry_after,
            # 200 is an answer with an error that has no code, which is taken to be transient.
            retryable=status_code in {200, 408, 429} or status_code >= 500,
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
    """No endpoint serves the model, or none that the provider preferences allow."""


class RequestTimeoutError(APIStatusError):
    """The service did not receive or process the request in time."""


class PayloadTooLargeError(APIStatusError):
    """The request is too large: `max_documents_per_request` sends it in smaller parts."""


class UnprocessableEntityError(APIStatusError):
    """The provider refused a parameter."""


class TooManyRequestsError(APIStatusError):
    """The rate limit is reached; `retry_after` says for how long, if the server did."""


class InternalServerError(APIStatusError):
    """The service failed."""


class BadGatewayError(APIStatusError):
    """The provider failed."""


class ServiceUnavailableError(APIStatusError):
    """No provider is available."""


class GatewayTimeoutError(APIStatusError):
    """The provider did not answer in time."""


class EdgeNetworkTimeoutError(APIStatusError):
    """OpenRouter's edge gave up waiting; the request may have been billed."""


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
