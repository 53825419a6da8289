"""The score store: what is requested, what is stored, and that a failing store only warns."""

import logging

import pytest
from fakeredis import FakeRedis, FakeServer
from langchain_classic.storage import LocalFileStore
from langchain_community.storage import RedisStore
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import Budget
from openrouter_rerank._score_cache.single_flight import single_flight
from openrouter_rerank.errors import (
    BudgetExceededError,
    ConfigurationError,
    ServiceUnavailableError,
    UnauthorizedError,
)
from openrouter_rerank.local.stage import error, scores, word_overlap

from tests.clients import OWN_CONNECTIONS
from tests.held_replies import once_calls_have_joined

QUERY = "capital of France"
DOCUMENTS = ["Berlin is the capital of Germany.", "Paris is the capital of France.", "Bread"]
PNG = "data:image/png;base64,iVBORw0KGgo="

pytestmark = OWN_CONNECTIONS


class Store(InMemoryByteStore):
    """A store in memory that counts its reads and writes, and can be made to fail."""

    def __init__(self):
        super().__init__()
        self.reads = self.writes = 0
        self.result = None
        self.failure = None

    def mget(self, keys):
        """Return the values, or the result that the test has set."""
        self.reads += 1
        if self.failure is not None:
            raise self.failure
        return super().mget(keys) if self.result is None else self.result

    def mset(self, key_value_pairs):
        """Store the values."""
        self.writes += 1
        if self.failure is not None:
            raise self.failure
        super().mset(key_value_pairs)

    async def amget(self, keys):
        """Return what `mget` returns."""
        return self.mget(keys)

    async def amset(self, key_value_pairs):
        """Store the values as `mset` does."""
        self.mset(key_value_pairs)


@pytest.fixture
def make_redis_store():
    """A function that makes stores for one Redis server, each with its own connection."""
    server = FakeServer()
    return lambda: RedisStore(client=FakeRedis(server=server))


@pytest.fixture(params=["memory", "files", "redis"])
def store(request, tmp_path, make_redis_store):
    """Each of three byte stores of LangChain."""
    if request.param == "redis":
        return make_redis_store()
    return InMemoryByteStore() if request.param == "memory" else LocalFileStore(tmp_path)


def test_a_repeated_call_sends_nothing(make_client, stage, store):
    """An identical later call sends nothing and costs nothing, even from another client."""
    first = make_client(score_store=store).rerank(QUERY, DOCUMENTS)
    second = make_client(score_store=store).rerank(QUERY, DOCUMENTS)

    assert len(stage.requests) == 1
    assert second.results == first.results
    assert (second.model, second.requests, second.attempts) == (first.model, (), 0)
    assert (second.usage.cost, second.served_model) == (None, None)


def test_clients_with_separate_connections_share_scores(make_client, stage, make_redis_store):
    """Clients with their own connections to one Redis share the scores in it."""
    first = make_client(score_store=make_redis_store()).rerank(QUERY, DOCUMENTS)
    second = make_client(score_store=make_redis_store()).rerank(QUERY, DOCUMENTS)

    assert len(stage.requests) == 1
    assert (second.results, second.attempts) == (first.results, 0)


def test_only_missing_documents_are_sent(make_client, stage, store):
    """A call sends only documents whose scores are not stored."""
    client = make_client(score_store=store)
    client.rerank(QUERY, DOCUMENTS[:2])

    ranking = client.rerank(QUERY, [DOCUMENTS[2], *DOCUMENTS, {"text": "France", "image": PNG}])

    assert stage.requests[-1].documents == [DOCUMENTS[2], {"text": "France", "image": PNG}]
    assert (
        ranking.results
        == make_client()
        .rerank(QUERY, [DOCUMENTS[2], *DOCUMENTS, {"text": "France", "image": PNG}])
        .results
    )
    assert (ranking.attempts, len(ranking.requests)) == (1, 1)


def test_a_later_call_may_have_another_top_n(make_client, stage):
    """The first call stores all scores, so later calls with another `top_n` need no request."""
    client = make_client(score_store=Store())

    best = [client.rerank(QUERY, DOCUMENTS, top_n=n) for n in (1, 2, 5)]

    assert [request.top_n for request in stage.requests] == [None]
    assert [[result.index for result in ranking.results] for ranking in best] == [
        [1],
        [1, 0],
        [1, 0, 2],
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"query": "capital of Germany"},
        {"model": "cohere/rerank-4-fast"},
        {"provider": {"order": ["cohere"]}},
        {"extra_body": {"max_tokens_per_doc": 10}},
    ],
    ids=str,
)
def test_a_changed_call_is_requested(make_client, stage, change):
    """If something that a score depends on changes, all scores are requested."""
    client = make_client(score_store=Store())
    client.rerank(QUERY, DOCUMENTS)

    client.rerank(**({"query": QUERY, "documents": DOCUMENTS} | change))

    assert stage.requests[-1].documents == DOCUMENTS
    assert len(stage.requests) == 2


def test_a_store_contains_no_text(make_client, store):
    """No key and no value contains the query, a document or the user."""
    make_client(score_store=store).rerank("secret query", ["secret document"], user="secret user")

    keys = list(store.yield_keys())
    stored_text = repr([keys, store.mget(keys)])
    assert "score" in stored_text
    assert "secret" not in stored_text


def test_old_scores_are_requested_again(make_client, stage):
    """A client requests scores again if they are older than its `score_ttl`."""
    store = Store()
    make_client(score_store=store).rerank(QUERY, DOCUMENTS)

    make_client(score_store=store, score_ttl=1e-9).rerank(QUERY, DOCUMENTS)
    make_client(score_store=store, score_ttl=3600).rerank(QUERY, DOCUMENTS)

    assert len(stage.requests) == 2


def test_a_fallback_model_uses_no_scores_of_the_first_model(make_client, stage):
    """A fallback model's ranking uses no stored scores of the first model, and is stored."""
    client = make_client(score_store=Store(), max_retries=0)
    client.rerank(QUERY, DOCUMENTS[:2], model="a/first")
    stage.script(error(503, "down"))

    ranking = client.rerank(QUERY, DOCUMENTS, model="a/first", fallback_models=["a/second"])
    later = client.rerank(QUERY, DOCUMENTS, model="a/second")

    assert [(request.model, len(request.documents)) for request in stage.requests] == [
        ("a/first", 2),
        ("a/first", 1),
        ("a/second", 3),
    ]
    assert (ranking.model, ranking.results) == ("a/second", later.results)


def test_scores_of_a_failed_call_are_stored(make_client, stage):
    """If one request of a call fails, the scores of the other requests are stored."""
    client = make_client(score_store=Store(), max_retries=0, max_concurrency=1)
    stage.script(scores(0.5), error(503, "down"))
    with pytest.raises(ServiceUnavailableError):
        client.rerank(QUERY, DOCUMENTS, max_documents_per_request=1)

    client.rerank(QUERY, DOCUMENTS)

    assert stage.requests[-1].documents == DOCUMENTS[1:]


def test_a_spent_budget_stops_only_requests(make_client, stage):
    """With a spent budget, calls whose scores are all stored still succeed."""
    store = Store()
    client = make_client(score_store=store, budget=Budget(0.001))
    client.rerank(QUERY, DOCUMENTS)

    assert client.rerank(QUERY, DOCUMENTS).attempts == 0
    with pytest.raises(BudgetExceededError):
        client.rerank(QUERY, ["another"])
    assert len(stage.requests) == 1


def test_on_response_is_called_for_stored_rankings(make_client):
    """`on_response` is called for rankings from the store too."""
    rankings = []
    client = make_client(score_store=Store(), on_response=rankings.append)

    client.rerank(QUERY, DOCUMENTS)
    client.rerank(QUERY, DOCUMENTS)

    assert [ranking.usage.cost for ranking in rankings] == [0.001, None]


@pytest.mark.parametrize(
    "result",
    [[], [b"x"], ["text"] * 3, {"a": b""}, 5, [b"broken"] * 3, [None] * 3, (None,) * 3],
    ids=repr,
)
def test_an_invalid_result_of_a_store_counts_as_empty(make_client, stage, result, caplog):
    """An invalid result logs a warning, broken values do not; all scores are requested."""
    store = Store()
    store.result = result

    ranking = make_client(score_store=store).rerank(QUERY, DOCUMENTS)

    assert [result.index for result in ranking.results] == [1, 0, 2]
    assert stage.requests[-1].documents == DOCUMENTS
    is_invalid = not isinstance(result, list | tuple) or len(result) != 3 or "text" in result
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == is_invalid
    assert store.writes == 1


def test_a_failing_store_only_logs_warnings(make_client, stage, caplog):
    """The warnings name only the class of the store's exception, and the call succeeds."""
    store = Store()
    store.failure = OSError("redis://user:password@host")

    ranking = make_client(score_store=store).rerank(QUERY, DOCUMENTS)

    assert [result.index for result in ranking.results] == [1, 0, 2]
    messages = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert messages == [
        "the score store failed, so all scores are requested: error=OSError",
        "the score store failed, so scores were not stored: error=OSError",
    ]
    assert all(record.exc_info is None for record in caplog.records)


class UnreadableBytes(bytes):
    """A value without a length."""

    def __len__(self):
        """Fail."""
        raise ZeroDivisionError


def unreadable_values():
    """Yield a value, and then fail."""
    yield b"{}"
    raise ZeroDivisionError


@pytest.mark.parametrize(
    "values", [lambda: [UnreadableBytes(b"{}")] * 3, unreadable_values], ids=["value", "generator"]
)
def test_values_that_cannot_be_read_only_log_a_warning(make_client, stage, caplog, values):
    """If the values of a store fail while they are read, all scores are requested."""
    store = Store()
    store.result = values()

    ranking = make_client(score_store=store).rerank(QUERY, DOCUMENTS)

    assert [result.index for result in ranking.results] == [1, 0, 2]
    messages = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert messages == [
        "the score store failed, so all scores are requested: error=ZeroDivisionError"
    ]


def test_simultaneous_identical_calls_are_sent_once(make_client, stage):
    """One of several identical calls in flight sends its request, and all share the ranking."""
    stage.always(once_calls_have_joined(6, word_overlap))
    client = make_client(score_store=Store())

    rankings = client.rerank_concurrently(6, QUERY, DOCUMENTS)

    assert len(stage.requests) == 1
    assert len({ranking.results for ranking in rankings}) == 1
    assert sorted(ranking.attempts for ranking in rankings) == [0] * 5 + [1]
    assert sum(ranking.usage.cost or 0 for ranking in rankings) == 0.001
    assert len(single_flight()) == 0


def test_identical_calls_share_a_ranking_that_was_not_stored(make_client, stage):
    """Waiting calls get the ranking from the first call, not from the store."""
    store = Store()
    store.failure = OSError()
    stage.always(once_calls_have_joined(4, word_overlap))

    make_client(score_store=store).rerank_concurrently(4, QUERY, DOCUMENTS)

    assert len(stage.requests) == 1


def test_waiting_calls_share_the_failure_of_the_first(make_client, stage):
    """While the service is down, simultaneous identical calls make the attempts of one call."""
    stage.always(once_calls_have_joined(6, error(503, "down")))
    client = make_client(score_store=Store(), max_retries=1)

    outcomes = client.concurrent_outcomes(6, QUERY, DOCUMENTS)

    assert {type(outcome) for outcome in outcomes} == {ServiceUnavailableError}
    assert len({id(outcome) for outcome in outcomes}) == 6
    assert sum(outcome.attempts for outcome in outcomes) == len(stage.requests)
    assert len(stage.requests) == 2
    assert len(single_flight()) == 0


def test_a_waiting_call_is_sent_if_the_first_was_refused(make_client, stage):
    """If the first call is refused, the next waiting call sends its own request."""
    stage.script(
        once_calls_have_joined(4, error(401, "no")), once_calls_have_joined(3, word_overlap)
    )
    client = make_client(score_store=Store())

    outcomes = client.concurrent_outcomes(4, QUERY, DOCUMENTS)

    assert len(stage.requests) == 2
    assert sum(isinstance(outcome, UnauthorizedError) for outcome in outcomes) == 1
    assert len(single_flight()) == 0


def test_a_later_call_is_sent_after_a_failure(make_client, stage):
    """A failure is shared only with the calls that were waiting, not with later calls."""
    stage.script(error(401, "no"))
    client = make_client(score_store=Store())

    first = client.concurrent_outcomes(1, QUERY, DOCUMENTS)
    ranking = client.rerank(QUERY, DOCUMENTS)

    assert isinstance(first[0], UnauthorizedError)
    assert [result.index for result in ranking.results] == [1, 0, 2]


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("score_store", {}, "score_store is of type dict, which lacks one of mget, mset"),
        ("score_store", "redis://", "score_store is of type str"),
        ("score_store", InMemoryByteStore, r"the class InMemoryByteStore: pass an object of it"),
        ("score_ttl", 0, "score_ttl must be a positive number of seconds, or None, got 0"),
        ("score_ttl", -1, "score_ttl must be a positive number of seconds, or None, got -1"),
        (
            "score_ttl",
            float("inf"),
            "score_ttl must be a positive number of seconds, or None, got inf",
        ),
        ("score_ttl", "x", "score_ttl must be a positive number of seconds, or None, got 'x'"),
    ],
)
def test_an_unusable_option_is_refused(make_client, option, value, message):
    """The error names the option, the value, and the values that are allowed."""
    with pytest.raises(ConfigurationError, match=message):
        make_client(**{option: value})
