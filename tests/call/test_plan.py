"""Plans of a call: each distinct document is sent once, in as few requests as the limits allow."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import RankedDocument, Ranking, RerankDocument
from openrouter_rerank._call.plan import NO_COPIES, merged, parts, without_copies
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
def test_copies_change_nothing_but_the_bill(documents, top_n, data):
    """If copies are not sent, the order equals that of a call that sends them."""
    kinds = dict.fromkeys(documents)
    scores = {kind: data.draw(st.sampled_from([0.1, 0.5, 0.9])) for kind in kinds}
    whole = ranked([scores[document] for document in documents], top_n)

    different, positions = without_copies(documents)
    sent = ranked([scores[document] for document in different], top_n)

    assert positions.restored(sent, top_n) == whole
    assert len(set(different)) == len(different)


def test_a_document_is_its_text_and_its_image():
    """Documents with the same text and different images are distinct."""
    documents = ["a", RerankDocument(text="a", image=IMAGE), RerankDocument(image=IMAGE)]

    different, positions = without_copies(documents)

    assert different == tuple(documents)
    assert positions is NO_COPIES


MODEL = RerankModel(slug="any/model")
UNITS = RerankModel(slug="by/unit", max_documents=1_000, search_units=True)
TOKENS = RerankModel(slug="by/token", max_documents=150)
LISTWISE = RerankModel(slug="one/list", max_documents=2, is_listwise=True)


@pytest.mark.parametrize(
    ("count", "model", "max_documents", "sizes"),
    [
        pytest.param(2500, MODEL, None, [2500], id="no limit is known"),
        pytest.param(3, MODEL, 3, [3], id="just within the user's limit"),
        pytest.param(4, MODEL, 3, [2, 2], id="even parts"),
        pytest.param(7, MODEL, 3, [3, 3, 1], id="as few parts as can be"),
        pytest.param(3, MODEL, 1, [1, 1, 1], id="one by one"),
        pytest.param(1000, UNITS, None, [1000], id="just within the model's limit"),
        pytest.param(1001, UNITS, None, [600, 401], id="whole search units"),
        pytest.param(2000, UNITS, None, [1000, 1000], id="just two"),
        pytest.param(1001, UNITS, 5000, [600, 401], id="the lower limit holds"),
        pytest.param(500, UNITS, 250, [200, 200, 100], id="the user's limit in search units"),
        pytest.param(200, UNITS, 64, [50, 50, 50, 50], id="less than a search unit is as asked"),
        pytest.param(300, TOKENS, None, [150, 150], id="no search units, no rounding to them"),
        pytest.param(2, LISTWISE, None, [2], id="one list"),
    ],
)
def test_how_many_documents_go_into_each_request(count, model, max_documents, sizes):
    """All documents go into one request, unless a limit needs several, of about equal size."""
    split = parts([str(number) for number in range(count)], "q", model, max_documents)

    assert [len(part) for part in split] == sizes
    assert [index for part in split for index in part] == [*range(count)]


@pytest.mark.parametrize(
    ("documents", "query", "sizes"),
    [
        pytest.param(["a" * 50, "b" * 49], "q", [1, 1], id="the query counts for each"),
        pytest.param(["a" * 50, "b" * 48], "q", [2], id="just within"),
        pytest.param(["\u00e9" * 25, "b" * 49], "q", [1, 1], id="bytes and not characters"),
        pytest.param(["a", "b"], "\u00e9" * 25, [1, 1], id="bytes of the query"),
        pytest.param(["a" * 200, "b"], "q", [1, 1], id="too large alone"),
        pytest.param(["a", "b" * 200, "c"], "q", [1, 1, 1], id="too large between others"),
        pytest.param(["half \ud83d", "b"], "q", [2], id="half a surrogate pair"),
        pytest.param([("a\n\n", "\u00e9" * 23), "b" * 50], "q", [1, 1], id="heading"),
        pytest.param([("a\n\n", "\u00e9" * 23), "b" * 49], "q", [2], id="headed"),
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
            [RerankDocument(image="https://h/" + "\u00e9" * 20), "b" * 49],
            "q",
            [1, 1],
            id="bytes of an image's URL",
        ),
    ],
)
def test_how_many_bytes_go_into_each_request(documents, query, sizes):
    """A request has as many documents as fit into the model's limit of bytes, here 100."""
    model = RerankModel(slug="any/model", max_request_bytes=100, counts_query_with_each=True)

    assert [len(part) for part in parts(documents, query, model, None)] == sizes


def test_a_query_that_does_not_count_never_splits_a_call():
    """If the query does not count, its length never splits a call."""
    model = RerankModel(slug="any/model", max_request_bytes=100)

    assert parts(["a" * 50, "b" * 50], "q" * 1000, model, None) == (range(2),)
    assert len(parts(["a" * 50, "b" * 51], "q" * 1000, model, None)) == 2


def test_documents_that_are_ranked_against_each_other_are_not_split():
    """Too many documents for a listwise model are refused, and the error says what to do."""
    with pytest.raises(InvalidRequestError, match=r"one/list .* 3 of them need 2 .* pass fewer"):
        parts(["a", "b", "c"], "q", LISTWISE, None)


@given(
    st.lists(st.text(max_size=9), min_size=1, max_size=40),
    st.none() | st.integers(1, 12),
    st.none() | st.integers(1, 60),
)
def test_every_document_is_in_one_part(documents, max_documents, max_bytes):
    """Each document is in one part, in order. No part is empty or exceeds a limit."""
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
def test_merged_parts_are_the_order_of_the_whole(scores, top_n, size):
    """The best `top_n` of each part, merged, are the best `top_n` of all, ties by position."""
    of = [range(at, min(at + size, len(scores))) for at in range(0, len(scores), size)]
    usage = Usage(cost=0.5)
    receipt = AnsweredRequest(id="r", served_model=None, provider=None, usage=usage)
    rankings = [
        replace(ranked([scores[i] for i in part], top_n), requests=(receipt,)) for part in of
    ]

    whole = merged(rankings, of, top_n)

    assert whole.results == ranked(scores, top_n).results
    assert whole.usage.cost == 0.5 * len(of)
