"""Decides how something other than a ranking is requested, such as the list of models."""

from collections.abc import Callable, Generator
from typing import TypeVar

from openrouter_rerank._attempt import Attempt, Failure, FailureKind, Request, Response
from openrouter_rerank.errors import OpenRouterRerankError

from .failure_errors import failure_error

Value = TypeVar("Value")


def get_flow(
    request: Request,
    *,
    timeout: float,
    clock: Callable[[], float],
    read: Callable[[Response], Value],
    failed: Callable[[OpenRouterRerankError], Value],
) -> Generator[Attempt | Value, Response | Failure, None]:
    """
    Send `request` once, and again only if a kept connection had been closed.

    Yields attempts and receives the result of each. The last value it yields is that of `read` or
    `failed`.

    Args:
        request: A request without a body.
        timeout: Seconds that the request may take.
        clock: Returns the time in seconds, from any start.
        read: Returns the value of a response, which may have any status.
        failed: Returns the value if there is no response.
    """
    deadline = clock() + timeout
    outcome = yield Attempt(request=request, timeout=timeout)
    left = deadline - clock()
    if isinstance(outcome, Failure) and outcome.kind is FailureKind.STALE and left > 0:
        outcome = yield Attempt(request=request, timeout=left, is_on_new_connection=True)
    if isinstance(outcome, Response):
        yield read(outcome)
    else:
        yield failed(failure_error(outcome, request, allowed=timeout, timeout=timeout, attempts=1))
