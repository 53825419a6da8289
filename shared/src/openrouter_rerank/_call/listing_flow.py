"""Decides how the list of models is requested, and what is returned if there is none."""

from collections.abc import Callable, Generator

from openrouter_rerank._attempt import Attempt, Failure, Response, get_request
from openrouter_rerank._wire.model_listing import built_in_listing, merged_listing
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.models import ModelListing

from .get_flow import get_flow

ListingFlow = Generator[Attempt | ModelListing, Response | Failure, None]
"""Yields attempts and receives the result of each. The last value it yields is the listing."""

# Bytes. OpenRouter's listing of all its models, which a gateway may send instead of the rerank
# models, has about 1 MB.
_LONGEST_LISTING = 4 << 20

_REQUEST = get_request("list of models", longest_response=_LONGEST_LISTING)


def listing_flow(timeout: float, clock: Callable[[], float]) -> ListingFlow:
    """
    Request the listing.

    Args:
        timeout: Seconds that the request may take.
        clock: Returns the time in seconds, from any start.
    """
    return get_flow(_REQUEST, timeout=timeout, clock=clock, read=merged_listing, failed=_built_in)


def _built_in(error: OpenRouterRerankError) -> ModelListing:
    return built_in_listing(error.message)
