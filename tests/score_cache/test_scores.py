"""Keys and values of stored scores: keys differ if scores can differ, and values are read back."""

import json
import re
from itertools import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import RerankDocument
from openrouter_rerank._call.plan import Call
from openrouter_rerank._score_cache.scores import (
    StoredScore,
    checked_values,
    score_keys,
    score_value,
    scores_by_name,
    stored_scores,
    with_score,
)

URL = "https://openrouter.ai/api/v1/rerank"
PNG = "data:image/png;base64,iVBORw0KGgo="
# These texts contain the characters that separate the parts of a key, so that keys that are built
# wrongly would be equal.
TEXTS = st.text(st.sampled_from("-:01a\ud83d"), max_size=3) | st.text(max_size=4)
DOCUMENTS = st.one_of(
    TEXTS,
    st.builds(RerankDocument, text=st.none() | TEXTS, image=TEXTS),
)


def key(document="a", *, query="q", model="m", service=URL, **extra):
    """Return the key of one document's score."""
    (single_key,) = score_keys(
        Call(query=query, documents=(document,), extra=extra), model, service
    )
    return single_key


def value(score=0.5, *, now=1000.0, served_model="m-1"):
    """Return the stored value of one score."""
    return score_value([StoredScore(model=served_model, time=now, score=score)])


def by_name(values, *, now=1000.0, ttl=None):
    """Return the scores in stored values, by served names and positions."""
    return scores_by_name([*map(stored_scores, values)], now=now, ttl=ttl)[0]


@given(st.tuples(TEXTS, DOCUMENTS), st.tuples(TEXTS, DOCUMENTS))
def test_keys_differ_if_and_only_if_query_or_document_differ(one, other):
    """Two scores have equal keys if and only if query, text and image are equal."""
    first, second = (key(document, query=query) for query, document in (one, other))

    assert (first == second) == (one == other)


@given(TEXTS, TEXTS)
def test_a_headed_text_has_the_key_of_the_joined_text(heading, text):
    """The key does not depend on where a text is split into its heading and the rest."""
    assert key((heading, text)) == key(heading + text)


@pytest.mark.parametrize("value", [1, {1}], ids=["JSON", "no JSON"])
def test_the_order_of_fields_does_not_matter(value):
    """The same fields in another order have the same key, also if a value is not JSON."""
    assert key(a=value, b=2) == key(b=2, a=value)


def test_a_subclass_of_str_has_the_key_of_its_characters():
    """The key depends on the characters of the string, not on the result of its `__str__`."""

    class ShoutingText(str):
        __slots__ = ()

        def __str__(self):
            return "LOUD"

    assert key(ShoutingText("a")) == key("a")


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
        {"custom": {1: "a", "b": 2}},
        {"custom": {"b": 2}},
    ],
    ids=str,
)
def test_everything_that_can_change_a_score_is_in_the_key(change):
    """Another model, service, provider preference or extra field changes the key."""
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
def test_keys_differ_if_equal_characters_are_split_differently(one, other):
    """The key depends on where the query, the text and the image end."""
    assert key(one[1], query=one[0]) != key(other[1], query=other[0])


def test_keys_depend_on_the_order_of_lists_but_not_of_names():
    """The order of a list changes the key; the order of a mapping does not."""
    orders = [key(provider={"order": order}) for order in (["a", "b"], ["b", "a"])]
    names = [key(provider={"only": 1, "zdr": 2}), key(provider={"zdr": 2, "only": 1})]

    assert len({*orders, *names}) == 3


def test_mappings_with_keys_of_several_types_are_in_the_key():
    """A mapping that cannot be sorted still changes the key if one of its values changes."""
    assert key(custom={1: "a", "b": 2}) != key(custom={1: "b", "b": 2})


def test_user_and_trace_are_not_in_the_key():
    """Calls with any `user` and any `trace` share their scores."""
    assert key(user="someone", trace={"trace_id": "1"}) == key()


def test_a_document_with_only_a_text_has_the_key_of_the_string():
    """A document with a text and no image has the key of the plain string."""
    assert key(RerankDocument(text="a")) == key("a")


def test_fields_that_cannot_be_sent_have_a_key():
    """A field that cannot be encoded has a key, because the request's encoder refuses it later."""
    circle = {}
    circle["itself"] = circle
    deep = []
    for _ in range(100_000):
        deep = [deep]

    assert key(custom=circle) == key(custom=deep)
    assert key(custom=object())


def test_keys_are_file_names_and_contain_no_text():
    """A key has a prefix and 64 hexadecimal digits, and contains no input."""
    keys = [key("secret document", query="secret query", user="secret user"), key("")]

    for name in keys:
        assert re.fullmatch(r"openrouter-rerank-[0-9a-f]{64}", name)


def test_stored_scores_are_found_by_every_version():
    """Keys and values stay as they are, unless `_VERSION` changes: older scores would be lost."""
    document = RerankDocument(text="a", image="https://host/i.png")
    call = Call(query="q", documents=(document,), extra={"top_k": 1})
    scores = [
        StoredScore(model=None, time=2.0, score=0.25),
        StoredScore(model="m-1", time=1.5, score=0.5),
    ]

    found = score_keys(call, "m", URL) + score_keys(call, "m", URL, is_listwise=True)

    assert found == (
        "openrouter-rerank-b78b2952cc79b894cfe21b43022c603995a829f95e88c2674bf8f9964cefa78f",
        "openrouter-rerank-833b42f8518a9ba7f6ada980e2d45467805e23b8abc0f701625721e2e7b29dcf",
    )
    assert score_value(scores) == (
        b'{"v": 2, "scores": [{"model": null, "time": 2.0, "score": 0.25}, '
        b'{"model": "m-1", "time": 1.5, "score": 0.5}]}'
    )


@pytest.mark.parametrize(("size", "count"), [(16_384, 1), (16_385, 0)])
def test_the_longest_value_that_is_read(size, count):
    """A value of more than 16 KiB counts as missing: no such value is written."""
    written = value()

    assert len(stored_scores(written + b" " * (size - len(written)))) == count


def test_keys_are_in_the_order_of_the_documents():
    """Each document has the same key as in a call with only this document."""
    call = Call(query="q", documents=("a", "b", RerankDocument(text="a", image=PNG)))

    assert score_keys(call, "m", URL) == tuple(key(document) for document in call.documents)


@given(st.floats(allow_nan=False, allow_infinity=False), st.none() | st.text())
def test_scores_are_read_back_exactly(score, served_model):
    """A stored score is read back as an equal number, with the name of the model."""
    encoded_model = json.dumps(served_model)
    known = by_name([value(score, served_model=served_model)])

    assert len(value(served_model=served_model)) < 100 + len(encoded_model)
    if "\\ud" not in encoded_model.lower() or known:
        assert (known[served_model][0], str(known[served_model][0])) == (score, str(score))


def value_with(**fields):
    """Return a stored value in which `fields` of the score are replaced."""
    (score,) = json.loads(value())["scores"]
    return json.dumps({"v": 2, "scores": [score | fields]}).encode()


BROKEN = [
    b"",
    b"null",
    b"[]",
    b"0.5",
    b"{",
    b"\xff\xfe",
    value()[:-1],
    json.dumps({"v": 1, "model": "m-1", "time": 1.0, "score": 0.5}).encode(),
    value().replace(b'"v": 2', b'"v": 3'),
    json.dumps({"v": 2, "scores": {}}).encode(),
    value_with(score="0.5"),
    value_with(score=None),
    value_with(score=True),
    value_with(score=float("nan")),
    value_with(score=float("inf")),
    value_with(time="now"),
    value_with(time=float("nan")),
    value_with(model=5),
    value_with(padding="x" * 20_000),
    b"[" * 4000,
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: repr(broken[:30]))
def test_broken_values_count_as_missing(broken):
    """A value in another format counts as missing, and the other values are read."""
    assert by_name([broken, None, value(0.25)]) == {"m-1": {2: 0.25}}


@given(st.binary(max_size=60))
def test_any_bytes_can_be_read(data):
    """For any bytes in a store, the result is a finite score or none."""
    assert all(each.score - each.score == 0 for each in stored_scores(data))


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
def test_old_values_count_as_missing(ttl, now, is_known):
    """A score is read while it is less than `ttl` seconds old."""
    assert bool(by_name([value(now=1000.0)], now=now, ttl=ttl)) == is_known


def test_scores_are_sorted_by_served_names():
    """Scores under several names are separate, and the name of the newest score is the first."""
    stored = [
        *(stored_scores(value(0.1, now=1.0)), stored_scores(value(0.2, now=3.0))),
        (
            StoredScore(model="m-2", time=2.5, score=0.3),
            StoredScore(model="m-1", time=2.0, score=0.4),
        ),
        (StoredScore(model="m-2", time=4.0, score=0.5),),
    ]

    scores, names = scores_by_name(stored, now=5.0, ttl=None)

    assert [*scores.items()] == [("m-2", {2: 0.3, 3: 0.5}), ("m-1", {0: 0.1, 1: 0.2, 2: 0.4})]
    assert names == ["m-1", "m-1", "m-2", "m-1", "m-2"]


def test_a_value_with_several_names_is_read_back():
    """All scores of a value are read, the newest first, in any order of the value."""
    scores = [StoredScore(model=name, time=time, score=0.5) for time, name in enumerate("abcd")]

    assert stored_scores(score_value(scores)) == tuple(reversed(scores))


@pytest.mark.parametrize(
    ("returned", "values"),
    [
        ([b"a", None], [b"a", None]),
        ((b"a", None), [b"a", None]),
        pytest.param(iter([b"a", None]), [b"a", None], id="iterator"),
        pytest.param(repeat(b"a"), None, id="endless iterator"),
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
def test_only_one_value_per_key_is_valid(returned, values):
    """A store must return bytes or `None` for each key; everything else is invalid."""
    assert checked_values(returned, 2) == values


def test_a_value_has_one_score_for_each_of_four_names():
    """A new score comes first and replaces the one under its name; the fifth name is left out."""
    old = [StoredScore(model=name, time=1.0, score=0.5) for name in "abcde"]
    new = StoredScore(model="b", time=2.0, score=0.9)

    assert with_score(old[:4], new) == (new, old[0], old[2], old[3])
    assert with_score(old, new) == (new, old[0], old[2], old[3])


def test_names_of_the_same_time_can_be_missing():
    """Scores of one time are read under their names, also those without a name."""
    scores = [StoredScore(model=name, time=1.0, score=0.5) for name in ("a", None)]

    assert scores_by_name([scores], now=1.0, ttl=None)[0] == {"a": {0: 0.5}, None: {0: 0.5}}
