"""One cause for each error class; tests fail if an error class has no cause here."""

from openrouter_rerank import errors
from openrouter_rerank.errors import APIStatusError, OpenRouterRerankError
from openrouter_rerank.local.stage import Fault, Reply, error

ERROR_REPLIES = {
    "APIConnectionError": Fault.reset_after(),
    "DeadlineExceededError": Fault.hang(),
    "InvalidResponseError": Reply(body={}),
    "APIStatusError": error(599, "unlisted status"),
    **{
        type(APIStatusError.of(status, "")).__name__: error(status, "message")
        for status in (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 524, 529)
    },
}
"""The reply of the service that causes each error."""

ERROR_OPTIONS = {
    "ConfigurationError": {"app_title": "\n"},
    "InvalidRequestError": {"unscorable": "raise"},
    "BudgetExceededError": {"budget": 0},
}
"""The options that cause an error before anything is sent, if one document is blank."""


def error_names():
    """Return the names of all error classes except the base class."""
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    return {kind.__name__ for kind in kinds if issubclass(kind, OpenRouterRerankError)} - {
        "OpenRouterRerankError"
    }


def timeout_for(name):
    """Return the timeout, in seconds, of a call that must end in the error `name`."""
    return 0.3 if name == "DeadlineExceededError" else 20
