"""Charges the budget of a call for a response, as soon as it was read."""

from openrouter_rerank._attempt import Attempt, Response
from openrouter_rerank._wire.response import reported_cost

# Bytes. Parsing this many takes some milliseconds, and the call may have to end now.
_LONGEST_PART = 1 << 20


def charge(attempt: Attempt, response: Response) -> None:
    """
    Charge the budget of `attempt` for `response`.

    To be called while the attempt has its request slot, because the next one to have the slot is
    checked, and before anything else that may fail or be cancelled.
    """
    if attempt.budget is not None:
        attempt.budget.charge(reported_cost(response, attempt.request))


def charge_for_part(attempt: Attempt, response: Response) -> None:
    """
    Charge the budget for what came of a response whose exchange has failed.

    The body may be complete all the same: its end was not marked, or the connection, once read to
    the end, could not be closed.
    """
    if len(response.body) <= _LONGEST_PART and response.body.rstrip().endswith(b"}"):
        charge(attempt, response)
