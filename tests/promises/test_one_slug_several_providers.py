"""
Promise: a slug that several providers serve under different names costs no more, and never fails.

The scripted service answers under one of two names, at random. It either respects the provider that
a request asks for, or ignores it.
"""

import random

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import Budget
from openrouter_rerank.local.stage import Reply, word_overlap

from tests.clients import OWN_CONNECTIONS
from tests.repetitions import repetitions

CALLS = repetitions(local=60, ci=200)
PROVIDERS = {"Cohere": "rerank-v3.5", "Amazon Bedrock": "cohere.rerank-v3-5:0"}
CHOICES = {"order", "only", "sort"}

pytestmark = OWN_CONNECTIONS
both_services = pytest.mark.parametrize("respects", [True, False], ids=["respected", "ignored"])


def two_providers(*, respects):
    """Return a function that replies as OpenRouter does for a slug with two providers."""
    chance = random.Random(5)

    def reply(request):
        provider = chance.choices([*PROVIDERS], weights=[2, 1])[0]
        preferences = request.json.get("provider") or {}
        if respects and preferences.keys() & CHOICES:
            provider = preferences.get("only", ["Cohere"])[0]
        names = {"model": PROVIDERS[provider], "provider": provider}
        return Reply(body=word_overlap(request).body | names)

    return reply


@both_services
def test_no_split_call_fails(make_client, stage, respects, caplog):
    """All calls of three requests return all documents, and state each paid request once."""
    stage.always(two_providers(respects=respects))
    budget = Budget(1000)
    client = make_client(budget=budget)
    documents = [f"document {number}" for number in range(9)]

    rankings = [
        client.rerank("question 5", documents, max_documents_per_request=3) for _ in range(CALLS)
    ]

    assert {len(ranking.results) for ranking in rankings} == {9}
    paid = [request for ranking in rankings for request in ranking.requests]
    assert len(paid) == len({request.id for request in paid}) == len(stage.requests)
    assert budget.spent == pytest.approx(sum(ranking.usage.cost for ranking in rankings))
    assert max(ranking.attempts for ranking in rankings) <= 4
    # A warning states each ranking with scores under two names.
    names = [{request.served_model for request in ranking.requests} for ranking in rankings]
    assert (max(map(len, names)) == 1) == respects
    assert (len(caplog.messages) == 0) == respects
    assert all("served_models=cohere.rerank-v3-5:0, rerank-v3.5" in m for m in caplog.messages)


@both_services
@pytest.mark.parametrize("service_names_providers", [True, False])
def test_a_score_store_needs_no_more_requests(
    make_client, stage, respects, service_names_providers, caplog
):
    """With a store, calls with half of their documents scored need 1.05 requests at most."""
    reply = two_providers(respects=respects)

    def reply_without_provider(request):
        return Reply(body={**reply(request).body, "provider": None})

    stage.always(reply if service_names_providers else reply_without_provider)
    client = make_client(score_store=InMemoryByteStore())

    rankings = [
        client.rerank("question", [f"document {number}" for number in range(first, first + 10)])
        for first in range(0, 5 * CALLS, 5)
    ]

    assert {len(ranking.results) for ranking in rankings} == {10}
    assert len(stage.requests) <= 1.05 * CALLS
    assert sum(ranking.attempts for ranking in rankings) == len(stage.requests)
    if respects:
        assert [len(request.documents) for request in stage.requests] == [10] + [5] * (CALLS - 1)
    # Scores under two names meet only until the client has seen the names alternate.
    assert len(caplog.messages) <= 2


@both_services
def test_a_store_of_many_clients_needs_no_more_requests(make_client, stage, respects):
    """Clients that make only one call learn from the store that the names alternate."""
    stage.always(two_providers(respects=respects))
    store = InMemoryByteStore()
    documents = [f"document {number}" for number in range(40)]
    chosen = random.Random(5)

    for _ in range(CALLS):
        make_client(score_store=store).rerank("question", chosen.sample(documents, 20))

    assert len(stage.requests) <= 1.05 * CALLS


def test_an_updated_model_costs_one_request_more(make_client, stage):
    """If a provider updates its model, one call sends two requests, and the store stays in use."""
    client = make_client(score_store=InMemoryByteStore())
    for name, count in [("rerank-v3.5", 5), ("rerank-v3.6", 10), ("rerank-v3.6", 12)]:
        named = {"model": name}
        stage.always(lambda request, named=named: Reply(body=word_overlap(request).body | named))
        for question in range(20):
            documents = [f"document {number}" for number in range(count)]
            client.rerank(f"question {question}", documents)

    sent = [len(request.documents) for request in stage.requests]
    # The first call after the update has the new name only for the documents that it has sent.
    assert sent == [5] * 20 + [5, 5] + [10] * 19 + [2] * 20
