"""What a response costs: any response may be billed, also one without a valid ranking."""

import pytest
from openrouter_rerank._attempt import Attempt, Response
from openrouter_rerank._wire.request import encode
from openrouter_rerank._wire.response import charge_for_part, reported_cost
from openrouter_rerank.budget import Budget

REQUEST = encode("m", "q", ("a",))


@pytest.mark.parametrize(
    ("body", "cost"),
    [
        (b'{"usage": {"cost": 0.25}, "results": []}', 0.25),
        (b'{"usage": {"cost": 2}, "results": "none"}', 2.0),
        (b'{"usage": {"cost": 0.25}, "error": {"code": 502}}', 0.25),
        pytest.param(b'{"echo": "\\ud83d", "usage": {"cost": 0.25}}', 0.25, id="cut document"),
        (b'{"usage": {"cost": 0}}', 0.0),
        (b'{"usage": {"cost": -1}}', None),
        (b'{"usage": {"cost": NaN}}', None),
        (b'{"usage": {"cost": 1e999}}', None),
        (b'{"usage": {"cost": "1"}}', None),
        (b'{"usage": {"cost": true}}', None),
        (b'{"usage": [1]}', None),
        (b'{"results": []}', None),
        (b'[{"usage": {"cost": 1}}]', None),
        (b"<html>", None),
        (b"", None),
    ],
)
@pytest.mark.parametrize("status", [200, 400, 503])
def test_the_cost_of_a_response(status, body, cost):
    """The cost is a number of dollars, 0 or more, for any status and any other fields."""
    response = Response(status=status, headers={}, body=body)

    assert reported_cost(response, REQUEST) == cost


@pytest.mark.parametrize(
    ("budget", "is_over"), [(None, False), (Budget(1), False), (Budget(0), True)]
)
def test_an_attempt_is_over_a_spent_budget(budget, is_over):
    """Only a budget that is spent forbids an attempt."""
    attempt = Attempt(request=REQUEST, timeout=1, budget=budget)

    assert attempt.is_over_budget == is_over


@pytest.mark.parametrize(
    ("body", "spent"),
    [
        (b'{"usage": {"cost": 0.25}, "results": []}\n', 0.25),
        (b'{"usage": {"cost": 0.25}, "results": [', 0.0),
        (b"", 0.0),
        pytest.param(b'{"usage": {"cost": 0.25}}'.ljust((1 << 20) - 1) + b"}", 0.0, id="no JSON"),
        pytest.param(b'{"usage": {"cost": 0.5}, "a":"' + b"a" * (1 << 20) + b'"}', 0.0, id="long"),
    ],
)
def test_the_cost_of_a_response_whose_exchange_failed(body, spent):
    """A body that is complete despite the failure is charged, if it is short enough to be read."""
    budget = Budget(1)

    charge_for_part(
        Attempt(request=REQUEST, timeout=1, budget=budget),
        Response(status=200, headers={}, body=body),
    )

    assert budget.spent == spent


def test_the_longest_response_that_is_charged_although_its_exchange_failed():
    """A body of 1 MiB is read."""
    budget, start = Budget(1), b'{"usage": {"cost": 0.5}, "a": "'
    body = start + b"a" * ((1 << 20) - len(start) - 2) + b'"}'

    charge_for_part(
        Attempt(request=REQUEST, timeout=1, budget=budget),
        Response(status=200, headers={}, body=body),
    )

    assert budget.spent == 0.5
