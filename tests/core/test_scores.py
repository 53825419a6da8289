"""Scores as a store keeps them: keys that tell everything apart, and bytes that are read back."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import AnsweredRequest, RankedDocument, Ranking, RerankDocument, Usage
from openrouter_rerank._call.known_scores import NOTHING_KNOWN, KnownScores
from openrouter_rerank._call.plan import Call
from openrouter_rerank._score_cache.scores import (
    known_scores,
    score_keys,
    score_values,
    stored_values,
)

URL = "https://openrouter.ai/api/v1/rerank"
PNG = "data:image/png;base64,iVBORw0KGgo="
# Those of the framing among them, so that parts could be taken for each other.
TEXTS = st.text(st.sampled_from("-:01a\ud83d"), max_size=3) | st.text(max_size=4)
DOCUMENTS = st.one_of(
    TEXTS,
    st.builds(RerankDocument, text=st.none() | TEXTS, image=TEXTS),
)


def key(document="a", *, query="q", model="m", service=URL, **extra):
    """The key of one document's score."""
    (only,) = score_keys(Call(query=query, documents=(document,), extra=extra), model, service)
    return only


def value(score=0.5, *, now=1000.0, served_model="m-1"):
    """What is kept of one score."""
    receipt = AnsweredRequest(id=None, served_model=served_model, provider=None, usage=Usage())
    ranking = Ranking(results=(RankedDocument(0, score),), model="m", requests=(receipt,))
    return score_values(ranking, now)[0]


@given(st.tuples(TEXTS, DOCUMENTS), st.tuples(TEXTS, DOCUMENTS))
def test_keys_differ_as_questions_do(one, other):
    """Two scores have the same key only if query, text and image are the same."""
    first, second = (key(document, query=query) for query, document in (one, other))

    assert (first == second) == (one == other)


@given(TEXTS, TEXTS)
def test_a_headed_text_has_the_key_of_its_whole(heading, text):
    """A score that was kept is found however the text was taken apart."""
    assert key((heading, text)) == key(heading + text)


def test_a_string_of_another_class_has_the_key_of_its_text():
    """However a string writes itself, its text is what is ranked."""

    class Loud(str):
        __slots__ = ()

        def __str__(self):
            return "LOUD"

    assert key(Loud("a")) == key("a")


@pytest.mark.parametrize(
    "change",
    [
        {"model": "n"},
        {"model": "m:free"},
        {"service": "http://127.0.0.1:8080/api/v1/rerank"},
        {"provider": {"order": ["cohere"]}},
        {"provider": {"order": ["cohere", "azure"]}},
        {"provider": {"order": ["azure", "cohere"]}},
        {"max_tokens_per_doc": 512},
        {"max_tokens_per_doc": None},
        {"odd": {1: "a", "b": 2}},
        {"odd": {"b": 2}},
    ],
    ids=str,
)
def test_what_can_change_a_score_is_in_its_key(change):
    """Another model, service, provider preference or further field is another score."""
    assert key(**change) != key()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("q", "ab"), ("qa", "b")),
        (("q", "a-"), ("q", "a")),
        (("q", RerankDocument(text="ab", image="c")), ("q", RerankDocument(text="a", image="bc"))),
        (("q", RerankDocument(image="a")), ("q", RerankDocument(text="a"))),
        (("q", RerankDocument(text="1:a", image="b")), ("q", RerankDocument(text="a", image="b"))),
        (("q", "\ud83d"), ("q", "\ufffd")),
    ],
)
def test_parts_are_not_taken_for_each_other(one, other):
    """Where the query ends and the text, and the image, is part of the key."""
    assert key(one[1], query=one[0]) != key(other[1], query=other[0])


def test_keys_of_all_such_changes_differ():
    """What differs in the order of a list differs; an order of names does not."""
    orders = [key(provider={"order": order}) for order in (["a", "b"], ["b", "a"])]
    names = [key(provider={"only": 1, "zdr": 2}), key(provider={"zdr": 2, "only": 1})]

    assert len({*orders, *names}) == 3


def test_who_asks_is_not_in_a_key():
    """A score is the same for all users, and however it is traced."""
    assert key(user="someone", trace={"trace_id": "1"}) == key()


def test_a_text_alone_is_the_text():
    """A document that is a text without an image has the score of the string."""
    assert key(RerankDocument(text="a")) == key("a")


def test_what_cannot_be_sent_has_a_key_all_the_same():
    """It is refused when it is to be sent, not where its score is looked up."""
    circle = {}
    circle["itself"] = circle

    assert key(odd=circle)
    assert key(odd=object())


def test_keys_are_fit_for_files_and_tell_nothing():
    """A key is letters, digits and `-`, always as long, and no word of the question is in it."""
    keys = [key("secret document", query="secret query", user="secret user"), key("")]

    for each in keys:
        assert re.fullmatch(r"openrouter-rerank-[0-9a-f]{64}", each)


def test_keys_stand_in_the_order_of_the_documents():
    """Each document has the key that it would have alone."""
    call = Call(query="q", documents=("a", "b", RerankDocument(text="a", image=PNG)))

    assert score_keys(call, "m", URL) == tuple(key(document) for document in call.documents)


@given(st.floats(allow_nan=False, allow_infinity=False), st.none() | st.text())
def test_scores_are_read_back_exactly(score, served_model):
    """What is kept comes back as the same number, of the same model."""
    kept = json.dumps(served_model)
    known = known_scores([value(score, served_model=served_model)], now=2000.0, ttl=None)

    assert len(value(served_model=served_model)) < 100 + len(kept)
    if "\\ud" not in kept.lower() or known.of:
        assert (known.of[0], str(known.of[0])) == (score, str(score))
        assert known.served_model == served_model


def changed(**fields):
    """A value of which some fields are others."""
    return json.dumps(json.loads(value()) | fields).encode()


BROKEN = [
    b"",
    b"null",
    b"[]",
    b"0.5",
    b"{",
    b"\xff\xfe",
    value()[:-1],
    changed(v=2),
    changed(score="0.5"),
    changed(score=None),
    changed(score=True),
    changed(score=float("nan")),
    changed(score=float("inf")),
    changed(time="now"),
    changed(time=float("nan")),
    changed(model=5),
    changed(padding="x" * 5000),
    b"[" * 4000,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: repr(broken[:30]))
def test_what_is_broken_is_not_there(broken):
    """A value that is not one of ours counts as missing, and the others count all the same."""
    known = known_scores([broken, None, value(0.25)], now=1000.0, ttl=None)

    assert known.of == {2: 0.25}


@given(st.binary(max_size=60))
def test_no_bytes_make_it_fail(found):
    """Whatever a store returns is a finite score or nothing."""
    known = known_scores([found], now=1000.0, ttl=10.0)

    assert all(score - score == 0 for score in known.of.values())


@pytest.mark.parametrize(
    ("ttl", "now", "is_known"),
    [
        (None, 1e12, True),
        (60.0, 1000.0, True),
        (60.0, 1059.9, True),
        (60.0, 1060.0, False),
        (60.0, 1e12, False),
        # Written by a machine whose clock is ahead.
        (60.0, 990.0, True),
        (60.0, 900.0, False),
    ],
)
def test_what_is_too_old_is_not_there(ttl, now, is_known):
    """A score is known for as long as it may live."""
    known = known_scores([value(now=1000.0)], now=now, ttl=ttl)

    assert bool(known.of) == is_known


def test_scores_of_two_models_never_meet():
    """If a provider has changed the model behind its slug, the scores of the older are missing."""
    values = [
        value(0.1, now=1.0, served_model="m-1"),
        value(0.2, now=3.0, served_model="m-2"),
        value(0.3, now=2.0, served_model="m-1"),
        value(0.4, now=2.5, served_model="m-2"),
    ]

    assert known_scores(values, now=5.0, ttl=None) == KnownScores(
        of={1: 0.2, 3: 0.4}, served_model="m-2"
    )


def test_nothing_is_known_of_nothing():
    """A store without a usable value knows nothing."""
    assert known_scores([None, b""], now=1.0, ttl=None) is NOTHING_KNOWN


@pytest.mark.parametrize(
    ("answer", "values"),
    [
        ([b"a", None], [b"a", None]),
        ((b"a", None), [b"a", None]),
        ([b"a"], None),
        ([b"a", None, None], None),
        ([b"a", "text"], None),
        ([b"a", 0.5], None),
        ({"a": b"a", "b": b"b"}, None),
        ("ab", None),
        (b"ab", None),
        (None, None),
        (5, None),
    ],
    ids=repr,
)
def test_what_is_no_answer_is_told_from_one(answer, values):
    """A store answers with as many bytes, or `None`s, as there were keys."""
    assert stored_values(answer, 2) == values
