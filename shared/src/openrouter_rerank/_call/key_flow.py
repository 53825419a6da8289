"""Decides how the details of an API key are requested."""

from collections.abc import Callable, Generator

from openrouter_rerank._attempt import Attempt, Failure, Response, get_request
from openrouter_rerank._wire.key_details import KeyDetails, key_details
from openrouter_rerank.errors import OpenRouterRerankError

from .get_flow import get_flow

KeyFlow = Generator[Attempt | KeyDetails, Response | Failure, None]
"""Yields attempts and receives the result of each. The last value it yields is the details."""

# Bytes. A key has a budget or two.
_LONGEST_DETAILS = 1 << 16

_REQUEST = get_request("key", longest_response=_LONGEST_DETAILS)


def key_flow(timeout: float, clock: Callable[[], float]) -> KeyFlow:
    """
    Request the details of the key that the request is sent with.

    Args:
        timeout: Seconds that the request may take.
        clock: Returns the time in seconds, from any start.
    """
    return get_flow(_REQUEST, timeout=timeout, clock=clock, read=key_details, failed=_unknown)


def _unknown(error: OpenRouterRerankError) -> KeyDetails:
    return KeyDetails(error=error)
