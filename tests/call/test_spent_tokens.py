"""The retry budget in the decision of a call: what spends a token, and what earns."""

import pytest
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.plan import Call
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import APIConnectionError

from tests.call.scripted_call import LOST, OK, STALE, UNSENT, Clock, ScriptedCall, Tokens, status


@pytest.mark.parametrize(
    ("replies", "budget_calls"),
    [
        pytest.param([OK], ["earn"], id="success"),
        pytest.param([UNSENT, OK], ["spend", "earn"], id="retry"),
        pytest.param([STALE, OK], ["earn"], id="closed connection"),
        pytest.param([status(401)], [], id="final"),
        pytest.param([UNSENT] * 3, ["spend", "spend"], id="out of retries"),
        pytest.param([LOST] * 2, ["spend"], id="billed twice"),
        pytest.param([status(429, "60")], [], id="no time to wait"),
        pytest.param([status(429, "10")], [], id="just no time to wait"),
    ],
)
def test_retry_budget(replies, budget_calls):
    """A retry spends a token, and a success earns; a retry that is not made spends none."""
    assert ScriptedCall(*replies).budget.calls == budget_calls


def test_an_empty_retry_budget_ends_the_retries():
    """Without a token there is no retry, and the error of the last attempt is raised."""
    call = ScriptedCall(UNSENT, UNSENT, tokens=1)

    assert isinstance(call.outcome, APIConnectionError)
    assert call.delays == [0, 0.1]


@pytest.mark.parametrize(
    ("replies", "budget_calls"),
    [
        pytest.param([], [], id="in the first attempt"),
        pytest.param([UNSENT], ["spend"], id="in a retry"),
    ],
)
def test_an_interrupted_retry_has_spent_its_token(replies, budget_calls):
    """A retry that is interrupted has spent its token, so it counts towards the budget."""
    budget = Tokens()
    limits = Limits(
        timeout=10,
        max_retries=2,
        clock=Clock(),
        started=Clock().now,
        jitter=lambda: 1,
        retry_budget=budget,
    )
    remaining = [*replies]

    def exchange(attempt):
        if remaining:
            return remaining.pop(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drive(call_flow(Call(query="q", documents=("a",)), ("m",), limits), exchange)

    assert budget.calls == budget_calls
