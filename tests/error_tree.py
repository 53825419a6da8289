"""One way to each error of the tree; a test of the tree fails for an error that has none."""

from openrouter_rerank import errors
from openrouter_rerank.errors import APIStatusError, OpenRouterRerankError
from openrouter_rerank.local.stage import Fault, Reply, error

LINES = {
    "APIConnectionError": Fault.reset_after(),
    "DeadlineExceededError": Fault.hang(),
    "InvalidResponseError": Reply(body={}),
    "APIStatusError": error(599, "odd"),
    **{
        type(APIStatusError.of(status, "")).__name__: error(status, "told")
        for status in (400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 524, 529)
    },
}
"""What the service does, for the errors that come from it."""

LOCAL = {
    "ConfigurationError": {"app_title": "\n"},
    "InvalidRequestError": {"unscorable": "raise"},
    "BudgetExceededError": {"budget": 0},
}
"""With which options an error comes before anything is sent, when one document is blank."""


def tree():
    """Return the names of all classes of errors but the root."""
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type)}
    return {kind.__name__ for kind in kinds if issubclass(kind, OpenRouterRerankError)} - {
        "OpenRouterRerankError"
    }


def timeout_for(name):
    """Return how long a call may take that is to end in this error."""
    return 0.3 if name == "DeadlineExceededError" else 20
