"""The spending limit in the decision of a call: it stops requests, and keeps what is paid for."""

import pytest
from openrouter_rerank import Budget
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.known_scores import NOTHING_KNOWN, KnownScores
from openrouter_rerank._call.plan import Call
from openrouter_rerank._call.retry_budget import TokenBucket
from openrouter_rerank._drive import drive
from openrouter_rerank.budget import budget_error
from openrouter_rerank.errors import BudgetExceededError

NOT_SENT = Failure(kind=FailureKind.OVER_BUDGET)
DOWN = Response(status=503, headers={"retry-after": "0"}, body=b"")


def ranking_of_one(served):
    """Return the response that ranks one document, under a served name."""
    body = '{"model": "%s", "results": [{"index": 0, "relevance_score": 0.5}]}'
    return Response(status=200, headers={}, body=(body % served).encode())


class Service:
    """Sends scripted replies. Each reply may cost something: `(reply, dollars)`."""

    def __init__(self, *script):
        self.script = list(script)
        self.budget = Budget(1)
        self.paid = []

    def __call__(self, attempt):
        """Return the next reply, and charge its cost as an exchange does."""
        reply, cost = self.script.pop(0)
        assert attempt.budget is self.budget
        attempt.budget.charge(cost)
        return reply

    def rank(self, *, known=NOTHING_KNOWN, models=("m",), documents=("a", "b")):
        """Rank documents, each in its own request."""
        limits = Limits(
            timeout=10,
            max_retries=2,
            clock=lambda: 0.0,
            started=0.0,
            jitter=lambda: 0.0,
            retry_budget=TokenBucket(),
            budget=self.budget,
            on_ranking=lambda call, _: self.paid.append(call.documents),
        )
        call = Call(query="q", documents=documents, max_documents=1)
        return drive(call_flow(call, models, limits, known), self)


X = ranking_of_one("x")
Y = ranking_of_one("y")


def test_a_spent_budget_refuses_a_call():
    """If nothing is left before the call, nothing is sent, and the error counts no attempts."""
    service = Service()
    service.budget.charge(1)

    with pytest.raises(BudgetExceededError) as caught:
        service.rank(models=("m", "n"))

    assert str(caught.value) == str(budget_error(service.budget))
    assert not hasattr(caught.value, "__notes__")


@pytest.mark.parametrize(
    ("script", "models", "attempts"),
    [
        pytest.param([(DOWN, 1)], "m", 1, id="before a retry"),
        pytest.param([(DOWN, 0), (DOWN, 1)], "m", 2, id="before the second retry"),
        pytest.param([(DOWN, 0.4)] * 3, "mn", 3, id="before a fallback model"),
        pytest.param([(X, 1)], "m", 1, id="before another part"),
        pytest.param([(X, 0.9), (DOWN, 0.1)], "mn", 2, id="before the retry of a part"),
    ],
)
def test_a_spent_budget_ends_a_call_before_its_next_request(script, models, attempts):
    """Retries, parts and fallback models are not sent; the error counts the attempts."""
    service = Service(*script)

    with pytest.raises(BudgetExceededError) as caught:
        service.rank(models=tuple(models))

    plural = "s" if attempts > 1 else ""
    assert f"so the call ended after {attempts} attempt{plural}. Raise" in caught.value.message
    assert caught.value.attempts == attempts
    assert service.script == []


def test_a_request_that_the_exchange_did_not_send_ends_the_call():
    """If the budget is spent during the wait for a slot, no other model and no retry follows."""
    service = Service((X, 0.5), (NOT_SENT, 0.5))

    with pytest.raises(
        BudgetExceededError, match=r"\(\$1\.00\), so the call ended after 1 attempt\."
    ):
        service.rank(models=("m", "n"))

    assert service.paid == [("a",)]


def test_a_limit_that_was_raised_meanwhile_is_not_quoted():
    """If `limit` is raised after a request was refused, the error states no wrong amounts."""
    service = Service((NOT_SENT, 0))

    with pytest.raises(BudgetExceededError, match=r"^the budget is spent, and nothing was sent\."):
        service.rank(documents=("a",))


@pytest.mark.parametrize(
    "script",
    [
        pytest.param([(X, 0), (Y, 1)], id="spent by the last part"),
        pytest.param([(X, 0), (Y, 0), (NOT_SENT, 1)], id="spent during the wait for a slot"),
    ],
)
def test_a_paid_ranking_is_kept_if_its_improvement_is_too_expensive(script):
    """Parts under another name are merged as they are if the budget allows no other request."""
    service = Service(*script)

    ranking = service.rank()

    assert [result.index for result in ranking.results] == [0, 1]
    assert service.script == []


def test_a_paid_ranking_is_kept_if_known_scores_cannot_be_replaced():
    """Known scores under another name are used if the budget allows no other request."""
    known = KnownScores(by_position={0: 0.7}, served_model="x", by_name={})
    service = Service((Y, 0), (NOT_SENT, 1))

    ranking = service.rank(known=known)

    assert [(each.index, each.relevance_score) for each in ranking.results] == [(0, 0.7), (1, 0.5)]
