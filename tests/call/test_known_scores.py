"""Calls with known scores: they request only the missing scores, and the ranking is the same."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import Budget
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.known_scores import NOTHING_KNOWN, KnownScores, with_documents_at
from openrouter_rerank._call.plan import NO_COPIES, Call, without_copies
from openrouter_rerank._drive import drive
from openrouter_rerank.errors import (
    APIConnectionError,
    BadRequestError,
    BudgetExceededError,
)

DOWN = Response(status=503, headers={"retry-after": "0"}, body=b"")
REFUSED = Response(status=400, headers={}, body=b"")


class Tokens:
    """A retry budget that never runs out."""

    def spend(self):
        """Allow the retry."""
        return True

    def earn(self):
        """Ignore the success."""


class Service:
    """A service with a fixed score per document, and with changing models behind a slug."""

    def __init__(self, scores, *, served=("m-1",), failing=None):
        self.scores = scores
        self.served = list(served)
        self.failing = failing or {}
        self.requests = []
        self.reported = []

    def __call__(self, attempt):
        """Return the response to an attempt."""
        body = json.loads(b"".join(attempt.request.body))
        self.requests.append((body["model"], body["documents"]))
        assert "top_n" not in body or body["top_n"] < len(body["documents"])
        if (failure := self.failing.get(body["model"])) is not None:
            return failure
        if attempt.budget is not None:
            attempt.budget.charge(1)
        served = self.served.pop(0) if len(self.served) > 1 else self.served[0]
        results = [
            {"index": index, "relevance_score": self.scores[document]}
            for index, document in enumerate(body["documents"])
        ]
        response = {"results": results, "model": served, "usage": {"cost": 1}}
        return Response(status=200, headers={}, body=json.dumps(response).encode())

    def rank(self, call, known=NOTHING_KNOWN, models=("m",), **limits):
        """Run a call and return its ranking."""
        limits = Limits(
            **{
                "timeout": 10.0,
                "max_retries": 0,
                "clock": lambda: 1000.0,
                "started": 1000.0,
                "jitter": lambda: 0.0,
                "retry_budget": Tokens(),
                "on_ranking": lambda part, ranking: self.reported.append(
                    (part.documents, ranking.model)
                ),
            }
            | limits
        )
        return drive(call_flow(call, models, limits, known), self, max_in_flight=1)


NAMES = st.sampled_from("abcdefgh")


@given(
    st.lists(NAMES, min_size=1, max_size=12),
    st.none() | st.integers(min_value=1, max_value=12),
    st.none() | st.integers(min_value=1, max_value=3),
    st.booleans(),
    st.data(),
)
def test_known_scores_never_change_a_ranking(documents, top_n, max_documents, outdated, data):
    """With any known scores, the ranking equals that of one request for all documents."""
    scores = {name: data.draw(st.sampled_from([-1.0, 0.1, 0.5])) for name in "abcdefgh"}
    distinct, positions = without_copies(documents)
    call = Call(query="q", documents=distinct, positions=positions, top_n=top_n)
    expected = Service(scores).rank(call)
    known_indexes = data.draw(
        st.sets(st.integers(0, len(distinct) - 1), max_size=len(distinct) - 1)
    )
    known = KnownScores(
        by_position={
            index: 5.0 if outdated else scores[distinct[index]] for index in known_indexes
        },
        served_model="m-0" if outdated else "m-1",
    )
    service = Service(scores)
    split_call = Call(
        query="q",
        documents=distinct,
        positions=positions,
        top_n=top_n,
        max_documents=max_documents,
    )

    ranking = service.rank(split_call, known)

    order = sorted(range(len(documents)), key=lambda index: (-scores[documents[index]], index))[
        :top_n
    ]
    assert [result.index for result in ranking.results] == order
    assert ranking.results == expected.results
    sent = [document for _, of in service.requests for document in of]
    assert sorted(sent) == sorted(
        document
        for index, document in enumerate(distinct)
        if outdated or index not in known_indexes
    )
    assert ranking.attempts == len(ranking.requests) == len(service.requests)


def test_only_missing_scores_are_requested():
    """Documents with known scores are not sent, and are ranked by these scores."""
    service = Service({"a": 0.1, "b": 0.5, "c": 0.9})
    known = KnownScores(by_position={1: 0.5}, served_model="m-1")

    ranking = service.rank(Call(query="q", documents=("a", "b", "c"), top_n=2), known)

    assert service.requests == [("m", ["a", "c"])]
    assert service.reported == [(("a", "c"), "m")]
    assert [(r.index, r.relevance_score) for r in ranking.results] == [(2, 0.9), (1, 0.5)]


def test_scores_of_a_replaced_model_are_requested_again():
    """If the provider has changed the model, the known scores are requested from the new one."""
    service = Service({"a": 0.1, "b": 0.5, "c": 0.9}, served=["m-2"])
    known = KnownScores(by_position={1: 0.99}, served_model="m-1")
    budget = Budget(5)

    ranking = service.rank(Call(query="q", documents=("a", "b", "c")), known, budget=budget)

    assert service.requests == [("m", ["a", "c"]), ("m", ["b"])]
    assert [(r.index, r.relevance_score) for r in ranking.results] == [(2, 0.9), (1, 0.5), (0, 0.1)]
    assert ranking.usage.cost == budget.spent == 2


def test_a_fallback_model_ranks_all_documents():
    """Known scores of the first model are not mixed with scores of a fallback model."""
    service = Service({"a": 0.1, "b": 0.5}, failing={"m": DOWN})
    known = KnownScores(by_position={1: 0.9}, served_model="m-1")

    ranking = service.rank(Call(query="q", documents=("a", "b")), known, ("m", "n"))

    assert service.requests == [("m", ["a"]), ("n", ["a", "b"])]
    assert [(r.index, r.relevance_score) for r in ranking.results] == [(1, 0.5), (0, 0.1)]
    assert ranking.model == "n"


def test_successful_requests_of_a_failed_call_are_reported():
    """Each successful request is reported, even if another request of the call fails."""

    class SecondRequestRefused(Service):
        def __call__(self, attempt):
            reply = super().__call__(attempt)
            self.failing = {"m": REFUSED}
            return reply

    service = SecondRequestRefused({"a": 0.1, "b": 0.5})

    with pytest.raises(BadRequestError):
        service.rank(Call(query="q", documents=("a", "b"), max_documents=1))
    assert service.reported == [(("a",), "m")]


def test_time_counts_from_the_beginning_of_the_call():
    """Time that has passed before the first request counts towards the call's timeout."""
    timeouts = []

    class Unreachable(Service):
        def __call__(self, attempt):
            timeouts.append(attempt.timeout)
            return Failure(kind=FailureKind.UNSENDABLE)

    with pytest.raises(APIConnectionError) as caught:
        Unreachable({}).rank(Call(query="q", documents=("a",)), started=993.0)
    assert timeouts == [3.0]
    assert caught.value.__notes__[0] == "1 attempt in 7.0 s, timeout 10 s"


def test_a_spent_budget_prevents_all_requests():
    """The budget is checked before the first request."""
    service = Service({"a": 0.1})

    with pytest.raises(BudgetExceededError):
        service.rank(Call(query="q", documents=("a",)), budget=Budget(0))
    assert service.requests == []


def test_all_missing_documents_are_ranked():
    """The call for missing scores ranks all its documents: the best may be among the others."""
    documents, positions = without_copies(["a", "b", "a", "c"])
    call = Call(query="q", documents=documents, positions=positions, top_n=1)

    missing = with_documents_at(call, [0, 2])

    assert (missing.documents, missing.positions, missing.top_n) == (("a", "c"), NO_COPIES, None)
