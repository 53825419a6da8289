"""What a call knows of its scores, from a store and from answers."""

from openrouter_rerank import AnsweredRequest, RankedDocument, Ranking, Usage
from openrouter_rerank._call.known_scores import NOTHING_KNOWN
from openrouter_rerank._call.plan import Call
from openrouter_rerank._score_cache.scores import Memory, score_keys

URL = "https://openrouter.ai/api/v1/rerank"
CALL = Call(query="q", documents=("a", "b", "c"))


def memory(call=CALL, models=("m", "n"), ttl=None, now=1000.0):
    """The memory of a call."""
    return Memory(call, models, URL, clock=lambda: now, ttl=ttl, is_listwise="listwise".__eq__)


def ranking(*scores, model="m"):
    """An answer with these scores, in the order of the documents."""
    receipt = AnsweredRequest(id="g", served_model="served", provider="P", usage=Usage(cost=1))
    results = tuple(RankedDocument(index, score) for index, score in enumerate(scores))
    return Ranking(results=results, model=model, requests=(receipt,))


def test_what_is_heard_is_recalled():
    """The scores that a call hears are those that the next one knows."""
    first = memory()
    first.hear(CALL.part(range(1, 3)), ranking(0.5, 0.9))
    second = memory()

    known = second.recalled([first.heard.get(key) for key in second.keys])

    assert (known.of, known.served_model) == ({1: 0.5, 2: 0.9}, "served")
    assert not second.is_all(known)


def test_scores_of_a_fallback_are_kept_under_its_own_name():
    """What another model answers is not found where the first model's scores are looked up."""
    first = memory()
    first.hear(CALL, ranking(0.1, 0.5, 0.9, model="n"))

    assert tuple(first.heard) == score_keys(CALL, "n", URL)
    assert memory().recalled([first.heard.get(key) for key in memory().keys]) is NOTHING_KNOWN


def test_all_that_is_known_is_a_ranking():
    """If all scores are known they are ranked, with nothing sent and nothing to pay."""
    first = memory()
    first.hear(CALL, ranking(0.5, 0.9, 0.5))
    known = memory().recalled(list(first.heard.values()))

    whole = memory().ranking(known)

    assert memory().is_all(known)
    assert [result.index for result in whole.results] == [1, 0, 2]
    assert (whole.model, whole.requests, whole.attempts) == ("m", (), 0)


def test_old_scores_are_forgotten():
    """The time to live counts from when a score was heard."""
    old = memory(now=900.0)
    old.hear(CALL, ranking(0.1, 0.5, 0.9))

    values = list(old.heard.values())

    assert memory(ttl=100.0).recalled(values) is NOTHING_KNOWN
    assert len(memory(ttl=101.0).recalled(values).of) == 3


def test_nonsense_is_told_from_an_answer():
    """What is no list of as many values is no answer."""
    assert memory().recalled([None]) is None


def test_calls_with_the_same_scores_are_identical():
    """Calls are identical if they ask the same of the same models, whatever part they want."""
    assert memory().identity == memory(Call(query="q", documents=CALL.documents, top_n=1)).identity
    assert memory().identity != memory(models=("m",)).identity
    assert memory().identity != memory(Call(query="q", documents=("b", "a", "c"))).identity


def test_scores_of_a_listwise_model_are_known_together_or_not_at_all():
    """Where a score depends on the other documents, those of the very same list are found."""
    models = ("listwise", "n")
    first = memory(models=models)
    first.hear(CALL, ranking(0.1, 0.5, 0.9, model="listwise"))
    values = list(first.heard.values())
    shorter = memory(Call(query="q", documents=("a", "b")), models=models)

    assert memory(models=models).recalled(values).of == {0: 0.1, 1: 0.5, 2: 0.9}
    assert memory(models=models).recalled([*values[:2], None]) is NOTHING_KNOWN
    assert not set(shorter.keys) & set(first.keys)
