"""A spending limit in US dollars, which several clients can share."""

import sys
import threading
from contextlib import suppress
from typing import SupportsFloat

from pydantic_core import CoreSchema, core_schema

from .errors import BudgetExceededError, ConfigurationError, shown_value

__all__ = ["Budget"]


class Budget:
    """
    Refuses calls, before anything is sent, when `limit` has been spent.

    The cost of a call is known from its response only. So the call that exceeds the limit is still
    made, and several calls that are in flight together may all exceed it.

    Args:
        limit: US dollars, 0 or more. It may be a string, as in an environment variable.

    Raises:
        ConfigurationError: If `limit` is negative, infinite or not a number.
    """

    def __init__(self, limit: float | str) -> None:
        self.limit = _amount(limit, "limit must be a number of US dollars, 0 or more")
        self._spent = 0.0
        self._lock = threading.Lock()

    @property
    def spent(self) -> float:
        """US dollars that have been spent."""
        return self._spent

    def check(self) -> None:
        """
        Check that a call may be made.

        Raises:
            BudgetExceededError: If the limit has been spent.
        """
        if self._spent >= self.limit:
            raise BudgetExceededError(
                f"the budget of ${_dollars(self.limit)} is spent (${_dollars(self._spent)}), so "
                "nothing was sent. Raise budget."
            )

    def charge(self, cost: float | None) -> None:
        """Add the cost of a request, in US dollars. `None`: the service did not report it."""
        with self._lock:
            self._spent += cost or 0.0

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
        if isinstance(given, cls):
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


def _dollars(amount: float) -> str:
    # Small amounts without an exponent: a call costs a thousandth of a dollar.
    return f"{amount:.6f}".rstrip("0").rstrip(".")


def _limit_of(budget: Budget) -> float:
    return budget.limit


def _amount(limit: object, rule: str) -> float:
    # Not `bool`, which is also an `int`. What has a `__float__` includes NumPy's numbers.
    if isinstance(limit, str | SupportsFloat) and type(limit).__name__ not in {"bool", "bool_"}:
        # Python takes "1_0" for a number too.
        with suppress(ValueError, TypeError, OverflowError):
            amount = float(limit)
            if 0 <= amount <= sys.float_info.max and "_" not in str(limit):
                return amount
    raise ConfigurationError(f"{rule}, got {shown_value(limit)}")
