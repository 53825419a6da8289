"""
The texts of tool errors: the message of the client's error, and what to do with an MCP server.

The messages name options of Python clients. A language model cannot set these, so a second sentence
says what it or its user can do.
"""

from openrouter_rerank.errors import (
    APIConnectionError,
    BadRequestError,
    BudgetExceededError,
    ConfigurationError,
    DeadlineExceededError,
    ForbiddenError,
    InvalidRequestError,
    InvalidResponseError,
    NotFoundError,
    OpenRouterRerankError,
    PayloadTooLargeError,
    PaymentRequiredError,
    UnauthorizedError,
    UnprocessableEntityError,
)

_ENVIRONMENT = (
    "For the user: correct the environment of this MCP server (`env` in its configuration), and "
    "restart it."
)
_MODELS = "The tool list_rerank_models returns the models."
_AGAIN = "The same call may succeed later."

# The first class that fits.
_CURES: tuple[tuple[type[OpenRouterRerankError], str], ...] = (
    (InvalidRequestError, "Correct the arguments, and call the tool again."),
    (ConfigurationError, _ENVIRONMENT),
    (UnauthorizedError, _ENVIRONMENT),
    (BudgetExceededError, "For the user: restart this MCP server with a higher --budget."),
    (PaymentRequiredError, "Only the user can do this. Until then, every call fails."),
    (ForbiddenError, "Only the user can do this."),
    (PayloadTooLargeError, "Pass fewer or shorter documents."),
    (BadRequestError, _MODELS),
    (NotFoundError, _MODELS),
    (UnprocessableEntityError, _MODELS),
    (DeadlineExceededError, f"{_AGAIN} Or pass fewer documents."),
    (InvalidResponseError, "Pass another model."),
)


def error_text(error: OpenRouterRerankError) -> str:
    """Return the text of a tool error: what happened, and what to do."""
    message = error.message.rstrip(".")
    return f"{message}. {_cure(error)}".rstrip()


def _cure(error: OpenRouterRerankError) -> str:
    for kind, cure in _CURES:
        if isinstance(error, kind):
            return cure
    if error.retryable:
        return _AGAIN
    # For example, the certificate of the server or the address of a proxy is wrong.
    return _ENVIRONMENT if isinstance(error, APIConnectionError) else ""
