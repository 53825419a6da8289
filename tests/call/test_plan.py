"""Plans of a call: each distinct document is sent once, in as few requests as the limits allow."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import RankedDocument, Ranking, RerankDocument
from openrouter_rerank._call.plan import NO_COPIES, Call, Positions, merged, parts, without_copies
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.models import RerankModel
from openrouter_rerank.ranking import AnsweredRequest, Usage

DOCUMENTS = st.lists(
    st.sampled_from(["a", "b", "c", RerankDocument(text="a", image="https://host/i.png")]),
    min_size=1,
) | st.lists(
    st.sampled_from([(f"p: {page}\n\n", text) for page in "12" for text in "ab"]),
    min_size=1,
)
IMAGE = "https://host/image.png"


def ranked(scores, top_n=None):
    """Return a ranking by score, with equal scores by position, as the service does."""
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    results = tuple(RankedDocument(index, scores[index]) for index in order[:top_n])
    return Ranking(results=results, model="m", requests=())


@given(DOCUMENTS, st.none() | st.integers(min_value=1, max_value=8), st.data())
def test_leaving_out_copies_does_not_change_the_ranking(documents, top_n, data):
    """If copies are not sent, the ranking equals that of a call that sends them."""
    distinct_documents = dict.fromkeys(documents)
    scores = {
        document: data.draw(st.sampled_from([0.1, 0.5, 0.9])) for document in distinct_documents
    }
    expected = ranked([scores[document] for document in documents], top_n)

    distinct, positions = without_copies(documents)
    sent = ranked([scores[document] for document in distinct], top_n)

    assert positions.restored(sent, top_n) == expected
    assert len(set(distinct)) == len(distinct)


def test_documents_with_different_images_are_distinct():
    """Documents with the same text and different images are distinct."""
    documents = ["a", RerankDocument(text="a", image=IMAGE), RerankDocument(image=IMAGE)]

    distinct, positions = without_copies(documents)

    assert distinct == tuple(documents)
    assert positions is NO_COPIES


MODEL = RerankModel(slug="any/model")
UNITS = RerankModel(slug="by/unit", max_documents=1_000, billing="search units")
TOKENS = RerankModel(slug="by/token", max_documents=150)
UNLIMITED = RerankModel(slug="by/unit", billing="search units")
BYTES = RerankModel(slug="any/model", max_request_bytes=10_000)
LISTWISE = RerankModel(slug="one/list", max_documents=2, is_listwise=True)


@pytest.mark.parametrize(
    ("count", "model", "max_documents", "sizes"),
    [
        pytest.param(2500, MODEL, None, [2500], id="no known limit"),
        pytest.param(3, MODEL, 3, [3], id="exactly the user's limit"),
        pytest.param(4, MODEL, 3, [2, 2], id="equal parts"),
        pytest.param(7, MODEL, 3, [3, 3, 1], id="fewest parts"),
        pytest.param(3, MODEL, 1, [1, 1, 1], id="one document each"),
        pytest.param(1000, UNITS, None, [1000], id="exactly the model's limit"),
        pytest.param(1001, UNITS, None, [600, 401], id="whole search units"),
        pytest.param(2000, UNITS, None, [1000, 1000], id="exactly two parts"),
        pytest.param(1001, UNITS, 5000, [600, 401], id="lower limit applies"),
        pytest.param(500, UNITS, 250, [200, 200, 100], id="user's limit in search units"),
        pytest.param(200, UNITS, 64, [50, 50, 50, 50], id="user's limit below a search unit"),
        pytest.param(150, UNITS, 100, [100, 50], id="user's limit of one search unit"),
        pytest.param(1500, UNLIMITED, None, [1500], id="search units without a limit"),
        pytest.param(5, BYTES, 2, [2, 2, 1], id="user's limit, and one of bytes"),
        pytest.param(300, TOKENS, None, [150, 150], id="model without search units"),
        pytest.param(2, LISTWISE, None, [2], id="one list"),
    ],
)
def test_requests_respect_the_limit_of_documents(count, model, max_documents, sizes):
    """All documents go into one request, unless a limit needs several, of about equal size."""
    split = parts([str(number) for number in range(count)], "q", model, max_documents)

    assert [len(part) for part in split] == sizes
    assert [index for part in split for index in part] == [*range(count)]


@pytest.mark.parametrize(
    ("documents", "query", "sizes"),
    [
        pytest.param(["a" * 50, "b" * 49], "q", [1, 1], id="query counts for each document"),
        pytest.param(["a" * 50, "b" * 48], "q", [2], id="exactly the limit"),
        pytest.param(["\u00e9" * 25, "b" * 49], "q", [1, 1], id="bytes, not characters"),
        pytest.param(["a", "b"], "\u00e9" * 25, [1, 1], id="bytes of the query"),
        pytest.param(["a" * 200, "b"], "q", [1, 1], id="too large alone"),
        pytest.param(["a", "b" * 200, "c"], "q", [1, 1, 1], id="too large, between others"),
        pytest.param(
            ["a" * 99, "b" * 50, "c" * 48], "q", [1, 2], id="exactly the limit, after one"
        ),
        pytest.param(["half \ud83d", "b"], "q", [2], id="lone surrogate"),
        pytest.param(
            [("a\n\n", "\u00e9" * 23), "b" * 50], "q", [1, 1], id="heading beyond the limit"
        ),
        pytest.param([("a\n\n", "\u00e9" * 23), "b" * 49], "q", [2], id="heading within the limit"),
        pytest.param(
            [RerankDocument(image="data:" + "i" * 50), RerankDocument(text="t", image="i" * 50)],
            "q",
            [1, 1],
            id="images",
        ),
        pytest.param(
            [RerankDocument(text="t" * 20, image="i" * 30), "b" * 49],
            "q",
            [1, 1],
            id="text and image of one document",
        ),
        pytest.param(
            [RerankDocument(text="t" * 50), "b" * 48], "q", [2], id="text without an image"
        ),
        pytest.param(
            [RerankDocument(image="i" * 50), "b" * 48], "q", [2], id="image without a text"
        ),
        pytest.param(
            [RerankDocument(image="https://h/" + "\u00e9" * 20), "b" * 49],
            "q",
            [1, 1],
            id="bytes of an image's URL",
        ),
    ],
)
def test_requests_respect_the_limit_of_bytes(documents, query, sizes):
    """A request has as many documents as fit into the model's limit of bytes, here 100."""
    model = RerankModel(slug="any/model", max_request_bytes=100, counts_query_with_each=True)

    assert [len(part) for part in parts(documents, query, model, None)] == sizes


def test_a_query_that_does_not_count_never_splits_a_call():
    """If a model does not count the query, its length never splits a call."""
    model = RerankModel(slug="any/model", max_request_bytes=100)

    assert parts(["a" * 50, "b" * 50], "q" * 1000, model, None) == (range(2),)
    assert len(parts(["a" * 50, "b" * 51], "q" * 1000, model, None)) == 2


def test_a_call_to_a_listwise_model_is_not_split():
    """Too many documents for a listwise model are refused, and the error says what to do."""
    with pytest.raises(InvalidRequestError, match=r"one/list .* 3 of them need 2 .* pass fewer"):
        parts(["a", "b", "c"], "q", LISTWISE, None)


def test_a_part_of_a_call_has_its_own_documents():
    """A part of a call has the documents of its range, without copies."""
    call = Call(query="q", documents=("a", "b"), positions=Positions(((0, 2), (1,))))

    assert call.part(range(1, 2)) == Call(query="q", documents=("b",))
    assert call.part(range(2)) is call


def test_the_repr_of_a_call_does_not_show_what_the_user_passed():
    """The `repr` of a call, which tracebacks with locals contain, has no text of the user."""
    options = {"option": "secret"}
    call = Call(query="secret", documents=("secret",), extra=options, provider=options)

    assert "secret" not in repr(call)


@given(
    st.lists(st.text(max_size=9), min_size=1, max_size=40),
    st.none() | st.integers(1, 12),
    st.none() | st.integers(1, 60),
)
def test_every_document_is_in_one_part(documents, max_documents, max_bytes):
    """Each document is in one part, in order, and no part is empty or exceeds a limit."""
    model = RerankModel(slug="any/model", max_request_bytes=max_bytes, counts_query_with_each=True)

    split = parts(documents, "qu", model, max_documents)

    assert [index for part in split for index in part] == [*range(len(documents))]
    for part in split:
        sizes = [len(documents[index].encode(errors="replace")) + 2 for index in part]
        assert 1 <= len(part) <= (max_documents or 40)
        assert max_bytes is None or len(part) == 1 or sum(sizes) <= max_bytes


@given(
    st.lists(st.sampled_from([0.1, 0.5, 0.9]), min_size=1, max_size=30),
    st.none() | st.integers(1, 12),
    st.integers(1, 12),
)
def test_merged_parts_have_the_ranking_of_one_request(scores, top_n, size):
    """The best `top_n` of each part, merged, are the best `top_n` of all, with ties by position."""
    split = [range(start, min(start + size, len(scores))) for start in range(0, len(scores), size)]
    usage = Usage(cost=0.5)
    receipt = AnsweredRequest(id="r", served_model=None, provider=None, usage=usage)
    rankings = [
        replace(ranked([scores[i] for i in part], top_n), requests=(receipt,)) for part in split
    ]

    ranking = merged(rankings, split, top_n)

    assert ranking.results == ranked(scores, top_n).results
    assert ranking.usage.cost == 0.5 * len(split)


def test_a_ranking_that_needs_no_merging_stays():
    """The ranking of the only part is returned; several have the model that the first names."""
    first, second = (replace(ranked([0.5]), model=model) for model in ("first", "second"))

    assert merged([first], [range(1)], None) is first
    assert merged([first, second], [range(1), range(1, 2)], None).model == "first"
