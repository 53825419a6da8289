"""Calls to a slug with several providers: one route, requests that are repeated, and merging."""

import json

import pytest
from openrouter_rerank import Budget
from openrouter_rerank._attempt import Failure, FailureKind, Response
from openrouter_rerank._call.flow import Limits, call_flow
from openrouter_rerank._call.known_scores import (
    NOTHING_KNOWN,
    KnownScores,
    is_alternating,
    usable_scores,
)
from openrouter_rerank._call.plan import Call
from openrouter_rerank._call.retry_budget import TokenBucket
from openrouter_rerank._call.served_names import served_name, with_one_route, with_provider_of
from openrouter_rerank._drive import drive
from openrouter_rerank.ranking import AnsweredRequest, Ranking, Usage

DOWN = Response(status=503, headers={"retry-after": "0"}, body=b"")
BROKEN = Response(status=500, headers={"retry-after": "0"}, body=b"")
LOST = Failure(kind=FailureKind.LOST)
DOCUMENTS = ("a", "b", "c")
SCORES = {"a": 0.1, "b": 0.5, "c": 0.9}


@pytest.mark.parametrize(
    ("provider", "sent"),
    [
        (None, {"sort": "price"}),
        ({}, {"sort": "price"}),
        ({"sort": None, "zdr": True}, {"sort": "price", "zdr": True}),
        ({"ignore": ["x"]}, {"sort": "price", "ignore": ["x"]}),
        ({"sort": "latency"}, {"sort": "latency"}),
        ({"order": ["x"]}, {"order": ["x"]}),
        ({"only": ["x"]}, {"only": ["x"]}),
        ("text", "text"),
    ],
    ids=repr,
)
def test_one_route_respects_the_choice_of_the_user(provider, sent):
    """The lowest price is added to the user's preferences unless they choose a provider."""
    call = with_one_route(Call(query="q", documents=("a",), extra={"provider": provider}), "m")

    assert call.body_fields == {"provider": sent}
    assert call.extra == {"provider": provider}


@pytest.mark.parametrize(
    ("model", "is_changed"), [("m", True), ("m:free", True), ("m:nitro", False), ("m:floor", False)]
)
def test_one_route_respects_a_variant_that_sorts(model, is_changed):
    """A variant such as `:nitro` chooses a provider, so that nothing is added."""
    assert bool(with_one_route(Call(query="q", documents=("a",)), model).body_fields) == is_changed


def test_the_provider_is_the_one_of_the_first_served_name():
    """A response without a name does not choose the provider, nor the name."""
    ranking = Ranking(
        results=(),
        model="m",
        requests=(
            AnsweredRequest(id=None, served_model=None, provider="A", usage=Usage()),
            AnsweredRequest(id=None, served_model="b", provider="B", usage=Usage()),
        ),
    )

    call = with_provider_of(Call(query="q", documents=("a",)), ranking)

    assert served_name(ranking) == "b"
    assert call.body_fields == {"provider": {"only": ["B"]}}


class Service:
    """A service that replies to each request as its script says: with a name, or a failure."""

    def __init__(self, *script):
        self.script = list(script)
        self.requests = []
        self.preferences = []
        self.mixed = []
        self.names_providers = True

    def __call__(self, attempt):
        """Return the response to an attempt."""
        body = json.loads(b"".join(attempt.request.body))
        self.requests.append("".join(body["documents"]))
        self.preferences.append(body.get("provider"))
        reply = self.script.pop(0)
        if not isinstance(reply, str | None):
            return reply
        attempt.budget.charge(1)
        fields = {
            "id": f"id-{len(self.requests)}",
            "model": reply,
            "provider": reply.upper() if reply and self.names_providers else None,
            "usage": {"cost": 1},
            "results": [
                {"index": index, "relevance_score": SCORES[document]}
                for index, document in enumerate(body["documents"])
            ],
        }
        return Response(status=200, headers={}, body=json.dumps(fields).encode())

    def rank(self, known=NOTHING_KNOWN, *, budget=100, models=("m",), retries=1, **fields):
        """Make a call; return its ranking."""
        limits = Limits(
            timeout=10,
            max_retries=retries,
            clock=lambda: 0.0,
            started=0.0,
            jitter=lambda: 0.0,
            retry_budget=TokenBucket(),
            budget=Budget(budget),
            on_mixed_scores=lambda model, names: self.mixed.append((model, names)),
        )
        call = Call(query="q", documents=DOCUMENTS, **fields)
        ranking = drive(call_flow(call, models, limits, known), self)
        assert self.script == []
        assert ranking.attempts == len(self.requests)
        assert limits.budget.spent == (ranking.usage.cost or 0)
        return ranking


@pytest.mark.parametrize(
    ("script", "requests", "names", "is_mixed"),
    [
        pytest.param("x x x", "a b c", "x x x", False, id="one name"),
        pytest.param("x - x", "a b c", "x - x", False, id="one name, not always there"),
        pytest.param("- - -", "a b c", "- - -", False, id="no name"),
        pytest.param("x y x x", "a b c b", "x x x y", False, id="same name on request"),
        pytest.param("y x x x", "a b c a", "x x x y", False, id="the first part differs"),
        pytest.param("x y z x x", "a b c b c", "x x x y z", False, id="three names"),
        pytest.param("x y x -", "a b c b", "x x - y", False, id="no name on request"),
        pytest.param("x - y x", "a b c c", "x x - y", False, id="one part without a name"),
        pytest.param("x y x y", "a b c b", "x x y y", True, id="two names remain"),
        pytest.param("x y z x y", "a b c b c", "x x z y y", True, id="one part differs"),
        pytest.param("x y x FREE FREE", "a b c b b", "x x y", True, id="no response"),
        pytest.param("x y x LOST", "a b c b", "x x y", True, id="one attempt that is billed"),
        pytest.param("x LOST y x", "a b b c", "x x y", True, id="the part was billed twice"),
        pytest.param("x y LOST z", "a b c c", "x y z", True, id="one of two was billed twice"),
        pytest.param("LOST x y x x", "a a b c b", "x x x y", False, id="another was billed twice"),
        pytest.param("x y z x LOST", "a b c b c", "x x y z", True, id="one of two requests fails"),
    ],
)
def test_parts_under_other_names_are_requested_once_more(script, requests, names, is_mixed):
    """The parts without the most frequent name are sent again once; all scores are merged."""
    failures = {"FREE": DOWN, "LOST": LOST, "-": None}
    service = Service(*(failures.get(each, each) for each in script.split()))

    ranking = service.rank(max_documents=1)

    assert " ".join(service.requests) == requests
    assert " ".join(request.served_model or "-" for request in ranking.requests) == names
    assert len({request.id for request in ranking.requests}) == len(ranking.requests)
    assert [result.index for result in ranking.results] == [2, 1, 0]
    assert bool(service.mixed) == is_mixed


@pytest.mark.parametrize("script", ["xyxx", "yxxx"], ids=["second part", "first part"])
def test_repeated_requests_name_the_provider_of_the_others(script):
    """All requests have one route; a repeated one names the provider, and keeps preferences."""
    service = Service(*script)

    service.rank(max_documents=1, extra={"provider": {"zdr": True}})

    assert service.preferences == [{"zdr": True, "sort": "price"}] * 3 + [
        {"zdr": True, "only": ["X"]}
    ]


@pytest.mark.parametrize("provider", ["text", {"only": ["x"]}])
def test_repeated_requests_without_a_named_provider(provider):
    """If the response names no provider, or `provider` is not an object, nothing is added."""
    service = Service("x", "y", "x", "x")
    service.names_providers = provider == "text"

    service.rank(max_documents=1, extra={"provider": provider})

    assert service.preferences == [provider] * 4


def test_the_name_of_most_documents_is_kept():
    """A part with more documents counts more, even if `top_n` returns as many of each part."""
    service = Service("y", "x", "x")

    ranking = service.rank(max_documents=2, top_n=1)

    assert service.requests == ["ab", "c", "c"]
    assert len(ranking.results) == 1


def test_a_single_request_keeps_its_form():
    """A call of one request, without a store, adds no provider preferences."""
    service = Service("x")

    service.rank()

    assert service.preferences == [None]


def test_a_cached_call_has_one_route():
    """With a score store, a single request has one route too, also to a fallback model."""
    service = Service(DOWN, "x")

    service.rank(is_cached=True, models=("m", "n"), retries=0)

    assert service.preferences == [{"sort": "price"}] * 2


def test_a_spent_budget_allows_no_repeated_request():
    """When the parts have spent the budget, their scores are merged as they are."""
    service = Service("x", "y", "x")

    ranking = service.rank(max_documents=1, budget=3)

    assert len(ranking.results) == 3
    assert service.mixed == [("m", {"x", "y"})]


KNOWN = KnownScores(by_position={0: 0.7, 1: 0.8}, served_model="x", by_name={"y": {1: 0.3, 2: 0.2}})
KNOWN_OF_ONE = KnownScores(by_position={0: 0.7}, served_model="x", by_name={})
KNOWN_BOTH = KnownScores(by_position={0: 0.7}, served_model="x", by_name={"y": {0: 0.6}})


@pytest.mark.parametrize(
    ("known", "script", "requests", "order_and_mixed", "options"),
    [
        pytest.param(KNOWN, "x", "c", ("cba", False), {}, id="same name"),
        pytest.param(KNOWN, "NONE", "c", ("cba", False), {}, id="no name"),
        pytest.param(KNOWN_BOTH, "y", "bc", ("cab", False), {}, id="scores under the name"),
        pytest.param(KNOWN, "y y", "c a", ("cba", False), {}, id="some under the name"),
        pytest.param(KNOWN, "z z", "c ab", ("cba", False), {}, id="none under the name"),
        pytest.param(KNOWN, "y x", "c a", ("cba", True), {}, id="the rest under another name"),
        pytest.param(KNOWN, "z FREE FREE", "c ab ab", ("cba", True), {}, id="the rest fails"),
        pytest.param(KNOWN, "z LOST LOST", "c ab ab", ("cba", True), {}, id="the rest is lost"),
        pytest.param(KNOWN, "z", "c", ("cba", True), {"budget": 1}, id="the budget is spent"),
        pytest.param(
            KNOWN,
            "z z LOST LOST",
            "c a b b",
            ("cba", True),
            {"max_documents": 1},
            id="a part fails",
        ),
        pytest.param(
            KNOWN_BOTH, "x y y", "b c c", ("cab", True), {"max_documents": 1}, id="mixed before"
        ),
        pytest.param(
            KNOWN_OF_ONE,
            "y z z",
            "b c c",
            ("cab", True),
            {"max_documents": 1},
            id="mixed before, and known under another name",
        ),
    ],
)
def test_known_scores_under_another_name(known, script, requests, order_and_mixed, options):
    """Known scores under the response's name are used, the others are requested once."""
    failures = {"FREE": DOWN, "LOST": LOST, "NONE": None}
    service = Service(*(failures.get(each, each) for each in script.split()))

    ranking = service.rank(known, **options)

    assert " ".join(service.requests) == requests
    order = "".join(DOCUMENTS[result.index] for result in ranking.results)
    assert (order, bool(service.mixed)) == order_and_mixed


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("", False),
        ("xxxx", False),
        ("xxyy", False),
        ("xyy", False),
        ("xyz", True),
        ("xyx", True),
        ("xxyyyx", True),
        ("xyzy", True),
    ],
)
def test_a_name_that_returns_means_several_providers(names, expected):
    """A name that returns, and a third name, mean several providers; a replaced name does not."""
    assert is_alternating(names) == expected


@pytest.mark.parametrize(
    ("by_name", "recent", "used"),
    [
        pytest.param({}, "", None, id="no scores"),
        pytest.param({"x": "ab"}, "x", "x", id="one name"),
        pytest.param({"x": "abc"}, "", "x", id="all scores, no responses"),
        pytest.param({"x": "abc"}, "xyx", "x", id="all scores, several providers"),
        pytest.param({"y": "abc", "x": "abc"}, "xyx", "y", id="all scores under both names"),
        pytest.param({"y": "ab", "x": "abc"}, "xxy", "x", id="all scores under the older name"),
        pytest.param({"y": "ab", "x": "ab"}, "xyx", None, id="several providers"),
        pytest.param({"y": "a", "x": "ab"}, "xxy", "y", id="an updated model"),
        pytest.param({"x": "ab"}, "xxy", None, id="only scores of the old model"),
    ],
)
def test_the_known_scores_that_a_call_uses(by_name, recent, used):
    """All scores under one name are used, else those under the name of the last response."""
    scores = {
        name: {DOCUMENTS.index(each): 0.5 for each in documents}
        for name, documents in by_name.items()
    }

    known = usable_scores(scores, len(DOCUMENTS), recent)

    assert known.by_position == scores.get(used, {})
    assert known.served_model == used


@pytest.mark.parametrize(
    ("took", "until", "end"),
    [
        pytest.param(0.2, 30.0, 1.2, id="at least a second"),
        pytest.param(2.0, 30.0, 6.0, id="twice as long as the call so far"),
        pytest.param(2.0, 3.0, 3.0, id="not after the deadline"),
    ],
)
def test_requests_that_only_improve_a_ranking_are_short(took, until, end):
    """A paid ranking does not wait until the deadline for requests that only improve it."""
    limits = Limits(
        timeout=30.0,
        max_retries=0,
        clock=lambda: 100 + took,
        started=100.0,
        jitter=lambda: 0.0,
        retry_budget=TokenBucket(),
    )

    assert limits.soon(100 + until) == pytest.approx(100 + end)
