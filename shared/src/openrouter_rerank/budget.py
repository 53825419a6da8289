"""A spending limit in US dollars, which several clients can share."""

import sys
from math import floor, log10
from typing import SupportsFloat, TypeGuard

from pydantic_core import CoreSchema, core_schema

from ._attempt import is_spent
from ._forks import new_lock
from ._tracebacks import ErrorsSuppressed
from .errors import BudgetExceededError, ConfigurationError, shown_value

__all__ = ["Budget"]

# US dollars. The most expensive request costs less than 1 dollar.
_HIGHEST_COST = 10_000.0
_SHOWN_IN_CENTS = 0.0995


class Budget:
    """
    Refuses requests, before they are sent, when `limit` has been spent.

    Each request is checked when it has its request slot, including the requests of a split call, of
    retries and of fallback models. The cost of a request is known only from its response. So the
    requests that are in flight when the limit is reached can exceed it: at most `max_concurrency`
    of each client, and of each event loop of an asynchronous client. Every response that reports
    its cost is charged, even if it is an error or has no valid ranking.

    Args:
        limit: US dollars, 0 or more. It may be a string, as in an environment variable.

    Raises:
        ConfigurationError: If `limit` is negative, infinite or not a number.
    """

    def __init__(self, limit: float | str) -> None:
        self.limit = _amount(limit, "limit must be a number of US dollars, 0 or more")
        self._spent = 0.0
        self._lock = new_lock()

    @property
    def spent(self) -> float:
        """US dollars that have been spent."""
        return self._spent

    def check(self) -> None:
        """
        Check that a request may be sent.

        Raises:
            BudgetExceededError: If the limit has been spent.
        """
        if (error := budget_error(self)) is not None:
            raise error

    def charge(self, cost: float | None) -> None:
        """
        Add the cost of a request, in US dollars.

        A number that cannot be the cost of a request counts as 0: a negative one, one above 10,000,
        and NaN. So does `None`, if the service did not report the cost.
        """
        if cost is not None and 0 <= cost <= _HIGHEST_COST:
            with self._lock:
                self._spent += cost

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: object) -> CoreSchema:
        """Make a pydantic field of this type accept the limit as a number, and dump it as one."""
        number = core_schema.float_schema(ge=0)
        return core_schema.no_info_before_validator_function(
            cls._from_option,
            core_schema.is_instance_schema(cls),
            json_schema_input_schema=number,
            serialization=core_schema.plain_serializer_function_ser_schema(
                _limit_of, return_schema=number
            ),
        )

    @classmethod
    def _from_option(cls, given: object) -> "Budget":
        if _is_budget(given):
            return given
        return cls(_amount(given, "budget must be a number of US dollars, 0 or more, or a Budget"))

    def __repr__(self) -> str:
        # Crash reporters show a budget that could not be created, too.
        if not hasattr(self, "_spent"):
            return "Budget()"
        return f"Budget(limit={self.limit:g}, spent={self._spent:g})"

    def __copy__(self) -> "Budget":
        return self

    def __deepcopy__(self, memo: object) -> "Budget":
        return self

    def __reduce__(self) -> tuple[type["Budget"], tuple[float]]:
        # The copy in another process begins with nothing spent: processes do not share spending.
        return type(self), (self.limit,)


def budget_error(budget: Budget | None, attempts: int = 0) -> BudgetExceededError | None:
    """
    Return the error of a call that may send no more requests, or `None` if it may send one.

    Args:
        budget: The budget, if there is one.
        attempts: The number of attempts that the call has made.
    """
    if budget is None or not is_spent(budget):
        return None
    ended = f"the call ended after {attempts} attempt{'s' if attempts > 1 else ''}"
    return BudgetExceededError(
        f"the budget of {shown_dollars(budget.limit)} is spent ({shown_dollars(budget.spent)}), so "
        f"{ended if attempts else 'nothing was sent'}. Raise budget."
    )


def shown_dollars(amount: float) -> str:
    """Return US dollars for people: cents, or two digits of less than 10 cents, as in `$0.0025`."""
    # A call costs a thousandth of a dollar.
    if not amount or abs(amount) >= _SHOWN_IN_CENTS:
        return f"${amount:,.2f}"
    return f"${amount:.{1 - floor(log10(abs(amount)))}f}".rstrip("0")


def _is_budget(given: object) -> TypeGuard[Budget]:
    # `isinstance` is not used, because it reads an attribute of the user's object.
    return issubclass(type(given), Budget)


def _limit_of(budget: Budget) -> float:
    return budget.limit


def _amount(limit: object, rule: str) -> float:
    # `bool` is refused, although it is an `int`. NumPy's numbers have a `__float__`. The methods of
    # a user's class may raise any exception, not only those of `float`.
    with ErrorsSuppressed():
        if isinstance(limit, str | SupportsFloat) and type(limit).__name__ not in {"bool", "bool_"}:
            amount = float(limit)
            # Python accepts "1_0" as a number.
            is_written = not (isinstance(limit, str) and "_" in limit)
            if 0 <= amount <= sys.float_info.max and is_written:
                return amount
    raise ConfigurationError(f"{rule}, got {shown_value(limit)}")
