"""The scores of one call: read from a store, and collected from responses."""

import pytest
from openrouter_rerank import AnsweredRequest, RankedDocument, Ranking, Usage
from openrouter_rerank._call.known_scores import NOTHING_KNOWN
from openrouter_rerank._call.plan import Call
from openrouter_rerank._score_cache.recent_names import RecentNames
from openrouter_rerank._score_cache.scores import CallScores, score_keys, stored_scores

URL = "https://openrouter.ai/api/v1/rerank"
CALL = Call(query="q", documents=("a", "b", "c"))


def call_scores(call=CALL, models=("m", "n"), ttl=None, now=1000.0, recent=None):
    """Return the `CallScores` of a call."""
    return CallScores(
        call,
        models,
        URL,
        clock=lambda: now,
        ttl=ttl,
        is_listwise="listwise".__eq__,
        recent_names=recent or RecentNames(),
    )


def ranking(*scores, model="m", served="served"):
    """Return a ranking with `scores`, in the order of the documents."""
    receipt = AnsweredRequest(id="g", served_model=served, provider="P", usage=Usage(cost=1))
    results = tuple(RankedDocument(index, score) for index, score in enumerate(scores))
    return Ranking(results=results, model=model, requests=(receipt,))


def test_collected_scores_are_read_by_the_next_call():
    """The next call reads the scores that an earlier call has collected."""
    first = call_scores()
    first.record(CALL.part(range(1, 3)), ranking(0.5, 0.9))
    second = call_scores()

    known = second.read([first.to_store.get(key) for key in second.keys])

    assert (known.by_position, known.served_model) == ({1: 0.5, 2: 0.9}, "served")
    assert not second.are_all_in(known)


def test_scores_of_a_fallback_model_have_their_own_keys():
    """A call to the first model does not read the scores of a fallback model."""
    first = call_scores()
    first.record(CALL, ranking(0.1, 0.5, 0.9, model="n"))

    assert tuple(first.to_store) == score_keys(CALL, "n", URL)
    assert (
        call_scores().read([first.to_store.get(key) for key in call_scores().keys]) is NOTHING_KNOWN
    )


def test_scores_of_a_listwise_fallback_model_depend_on_all_documents():
    """The scores of a listwise fallback model are stored for its list of documents only."""
    first = call_scores()
    first.record(CALL, ranking(0.1, 0.5, 0.9, model="listwise"))

    assert tuple(first.to_store) == score_keys(CALL, "listwise", URL, is_listwise=True)
    assert tuple(first.to_store) != score_keys(CALL, "listwise", URL)


def test_known_scores_of_all_documents_make_a_ranking():
    """If all scores are known, the ranking has no requests and costs nothing."""
    first = call_scores()
    first.record(CALL, ranking(0.5, 0.9, 0.5))
    known = call_scores().read(list(first.to_store.values()))

    stored = call_scores().ranking(known)

    assert call_scores().are_all_in(known)
    assert [result.index for result in stored.results] == [1, 0, 2]
    assert (stored.model, stored.requests, stored.attempts) == ("m", (), 0)


def test_old_scores_are_not_read():
    """`ttl` counts from the moment at which a score was collected."""
    old = call_scores(now=900.0)
    old.record(CALL, ranking(0.1, 0.5, 0.9))

    values = list(old.to_store.values())

    assert call_scores(ttl=100.0).read(values) is NOTHING_KNOWN
    assert len(call_scores(ttl=101.0).read(values).by_position) == 3


def test_a_list_of_another_length_is_invalid():
    """A store must return one value per key; for any other list `read` returns `None`."""
    assert call_scores().read([None]) is None


def test_calls_with_equal_scores_are_identical():
    """Calls are identical if query, documents and models are equal, with any `top_n`."""
    assert (
        call_scores().identity
        == call_scores(Call(query="q", documents=CALL.documents, top_n=1)).identity
    )
    assert call_scores().identity != call_scores(models=("m",)).identity
    assert (
        call_scores().identity != call_scores(Call(query="q", documents=("b", "a", "c"))).identity
    )


def test_scores_of_a_listwise_model_are_read_only_for_an_equal_list():
    """If a score depends on the other documents, only scores for an equal list are read."""
    models = ("listwise", "n")
    first = call_scores(models=models)
    first.record(CALL, ranking(0.1, 0.5, 0.9, model="listwise"))
    values = list(first.to_store.values())
    shorter = call_scores(Call(query="q", documents=("a", "b")), models=models)

    assert call_scores(models=models).read(values).by_position == {0: 0.1, 1: 0.5, 2: 0.9}
    assert call_scores(models=models).read([*values[:2], None]) is NOTHING_KNOWN
    assert not set(shorter.keys) & set(first.keys)


def test_scores_under_other_names_stay_in_the_store():
    """A new score under another served name is stored next to the scores that were read."""
    stored = {}
    for now, name in enumerate(["m-1", "m-2", "m-1", "m-3", "m-4", "m-5"]):
        scores = call_scores(now=now)
        scores.read([stored.get(key) for key in scores.keys])
        scores.record(CALL, ranking(now, now, now, served=name))
        stored |= scores.to_store

    assert [
        [(each.model, each.score) for each in stored_scores(value)] for value in stored.values()
    ] == [[("m-5", 5), ("m-4", 4), ("m-3", 3), ("m-1", 2)]] * 3


def test_two_names_of_one_call_are_both_stored():
    """If documents are requested twice in one call, the scores under both names are stored."""
    scores = call_scores()
    scores.record(CALL, ranking(0.1, 0.2, 0.3, served="m-1"))
    scores.record(CALL.part(range(2, 3)), ranking(0.4, served="m-2"))

    first, _, last = map(stored_scores, scores.to_store.values())
    assert {each.model: each.score for each in first} == {"m-1": 0.1}
    assert {each.model: each.score for each in last} == {"m-1": 0.3, "m-2": 0.4}


@pytest.mark.parametrize(
    ("served", "known"),
    [
        pytest.param(["m-1", "m-1"], {0: 0.0, 1: 1.0}, id="one name"),
        pytest.param(["m-1", "m-2"], {1: 1.0}, id="an updated model"),
        pytest.param(["m-1", "m-2", "m-1"], {}, id="two providers"),
        pytest.param(["m-1", "m-2", "m-2", "m-2"], {1: 3.0}, id="an updated model, later"),
    ],
)
def test_a_client_remembers_the_names_of_its_responses(served, known):
    """After responses under alternating names, no score is used unless all documents have one."""
    recent, stored = RecentNames(), {}
    for number, name in enumerate(served):
        scores = call_scores(recent=recent, now=number)
        part = CALL.part(range(min(number, 1), min(number, 1) + 1))
        scores.record(part, ranking(float(number), served=name))
        stored |= scores.to_store

    scores = call_scores(recent=recent)
    assert scores.read([stored.get(key) for key in scores.keys]).by_position == known


def test_a_new_client_learns_the_names_from_the_store():
    """If stored scores have alternating names, a new client requests all documents together."""
    first = call_scores()
    stored = {}
    for now, (index, name) in enumerate([(0, "m-1"), (1, "m-2"), (2, "m-1")]):
        scores = call_scores(now=now)
        scores.record(CALL.part(range(index, index + 1)), ranking(0.5, served=name))
        stored |= scores.to_store

    assert first.read([stored[key] for key in first.keys]) is NOTHING_KNOWN


def test_names_of_other_providers_do_not_count():
    """Names that alternate because the calls name different providers are not alternating."""
    recent, stored = RecentNames(), {}
    calls = [Call(query="q", documents=("a", "b"), extra={"provider": name}) for name in "xy"]
    for call, name in zip(calls * 2, ["m-1", "m-2"] * 2, strict=True):
        scores = call_scores(call, recent=recent)
        scores.record(call.part(range(1)), ranking(0.5, served=name))
        stored |= scores.to_store

    scores = call_scores(calls[0], recent=recent)
    assert scores.read([stored.get(key) for key in scores.keys]).by_position == {0: 0.5}
