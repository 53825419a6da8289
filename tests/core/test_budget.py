"""The spending limit."""

import copy
import pickle
import re
import threading

import pytest
from openrouter_rerank import Budget
from openrouter_rerank.budget import shown_dollars
from openrouter_rerank.errors import BudgetExceededError, ConfigurationError
from pydantic import TypeAdapter, ValidationError


def test_the_call_after_the_limit_is_refused():
    """Calls are allowed until the limit is reached; the error names the limit and the sum spent."""
    budget = Budget(0.01)

    for cost in (0.004, None, 0.004, 0.0):
        budget.check()
        budget.charge(cost)
    budget.check()
    budget.charge(0.004)

    with pytest.raises(BudgetExceededError, match=r"of \$0\.01 is spent \(\$0\.012\), so .+ Raise"):
        budget.check()
    assert budget.spent == pytest.approx(0.012)


@pytest.mark.parametrize("cost", [None, -1, -1e-9, 10_001, 1e308, float("nan"), float("inf")])
def test_what_cannot_be_a_cost_is_not_charged(cost):
    """A number that cannot be the cost of a request changes nothing."""
    budget = Budget(1)
    budget.charge(0.5)

    budget.charge(cost)

    assert budget.spent == 0.5


def test_a_budget_of_zero_refuses_every_call():
    """A limit of zero refuses the first call."""
    with pytest.raises(BudgetExceededError):
        Budget(0).check()


@pytest.mark.parametrize(
    "limit",
    [
        -1,
        -0.001,
        float("nan"),
        float("inf"),
        float("-inf"),
        pytest.param(10**400, id="too large for a float"),
        "5 dollars",
        True,
        None,
    ],
)
def test_an_invalid_limit_is_refused(limit):
    """A limit must be a finite number of US dollars, 0 or more."""
    with pytest.raises(
        ConfigurationError, match="limit must be a number of US dollars, 0 or more, got"
    ):
        Budget(limit)


@pytest.mark.parametrize("value", ["x", b"5", [5], True])
def test_an_option_that_is_neither_a_number_nor_a_budget_is_refused(value):
    """The message says what the option `budget` can be."""
    message = "budget must be a number of US dollars, 0 or more, or a Budget, got "
    with pytest.raises(ValidationError, match=re.escape(f"{message}{value!r}")):
        TypeAdapter(Budget | None).validate_python(value)


def test_copies_share_a_budget_and_pickles_do_not():
    """A copy is the original object; an unpickled budget has the limit, and nothing spent."""
    budget = Budget(5)
    budget.charge(1)

    restored = pickle.loads(pickle.dumps(budget))  # noqa: S301 - pickled here

    assert copy.copy(budget) is copy.deepcopy(budget) is budget
    assert (restored.limit, restored.spent) == (5.0, 0.0)
    assert repr(budget) == "Budget(limit=5, spent=1)"


def test_the_costs_of_threads_add_up():
    """If ten threads charge a budget, no cost is lost."""
    budget = Budget(1e9)

    def spend():
        for _ in range(1000):
            budget.charge(1)

    threads = [threading.Thread(target=spend) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert budget.spent == 10_000


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        *((0.0, "$0.00"), (1.0, "$1.00"), (1_234.5, "$1,234.50"), (0.1, "$0.10")),
        *((0.0995, "$0.10"), (0.0994, "$0.099"), (0.05, "$0.05"), (0.00996, "$0.01")),
        *((0.0025, "$0.0025"), (1e-9, "$0.000000001"), (-2.5, "$-2.50")),
    ],
)
def test_dollars_have_cents_or_two_digits(amount, shown):
    """From 10 cents up, amounts have two decimals, and below two digits without an exponent."""
    assert shown_dollars(amount) == shown
