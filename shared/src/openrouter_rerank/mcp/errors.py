"""
The texts of tool errors: the message of the client's error, and what to do with an MCP server.

The messages name options of Python clients. A language model cannot set these, so a second sentence
says what it or its user can do.
"""

from openrouter_rerank.errors import (
    APIConnectionError,
    APIStatusError,
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
    TooManyRequestsError,
    UnauthorizedError,
)

_ENVIRONMENT = (
    "For the user: correct the environment of this MCP server (`env` in its configuration), and "
    "restart it."
)
_AGAIN = "The same call may succeed later."

# The first class that fits.
_CURES: tuple[tuple[type[OpenRouterRerankError], str], ...] = (
    (InvalidRequestError, "Correct the arguments, and call the tool again."),
    (ConfigurationError, _ENVIRONMENT),
    (UnauthorizedError, _ENVIRONMENT),
    (
        BudgetExceededError,
        "For the user: restart this MCP server with a higher --budget.",
    ),
    (PaymentRequiredError, "Only the user can do this. Until then, every call fails."),
    (ForbiddenError, "Only the user can do this."),
    (PayloadTooLargeError, "Pass fewer or shorter documents."),
    (TooManyRequestsError, _AGAIN),
    (BadRequestError, "The tool list_rerank_models returns the models."),
    (NotFoundError, "The tool list_rerank_models returns the models."),
    (DeadlineExceededError, f"{_AGAIN} Or pass fewer documents."),
    (APIConnectionError, _AGAIN),
    (InvalidResponseError, "Pass another model."),
    (APIStatusError, _AGAIN),
)


def error_text(error: OpenRouterRerankError) -> str:
    """Return the text of a tool error: what happened, and what to do."""
    message = error.message.rstrip(".")
    cure = next((text for kind, text in _CURES if isinstance(error, kind)), "")
    return f"{message}. {cure}".rstrip()
