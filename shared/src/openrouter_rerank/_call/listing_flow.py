"""Decides how the list of models is requested, and what is returned if there is none."""

from collections.abc import Callable, Generator, Iterator

from openrouter_rerank._attempt import Attempt, Failure, FailureKind, Request, Response
from openrouter_rerank._wire.model_listing import built_in_listing, merged_listing
from openrouter_rerank.models import ModelListing

from .failure_errors import failure_error

ListingFlow = Generator[Attempt | ModelListing, Response | Failure, None]
"""Yields attempts and receives what came of each. The last value it yields is the listing."""

# Bytes. OpenRouter's listing of all its models, which a gateway may send instead of the rerank
# models, has about 1 MB.
_LONGEST_LISTING = 4 << 20


class _NoBody:
    """The body of a request without one."""

    size = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter(())


_REQUEST = Request(
    body=_NoBody(),
    model="",
    documents=0,
    results=0,
    method="GET",
    spare_bytes=_LONGEST_LISTING,
)


def listing_flow(timeout: float, clock: Callable[[], float]) -> ListingFlow:
    """
    Request the listing once, and again only if a kept connection had been closed.

    Args:
        timeout: Seconds that the request may take.
        clock: Returns the time in seconds, from any start.
    """
    deadline = clock() + timeout
    outcome = yield Attempt(request=_REQUEST, timeout=timeout)
    left = deadline - clock()
    if isinstance(outcome, Failure) and outcome.kind is FailureKind.STALE and left > 0:
        outcome = yield Attempt(request=_REQUEST, timeout=left, is_on_new_connection=True)
    if isinstance(outcome, Response):
        yield merged_listing(outcome)
    else:
        error = failure_error(outcome, _REQUEST, allowed=timeout, timeout=timeout, attempts=1)
        yield built_in_listing(error.message)
