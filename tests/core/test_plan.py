"""Sending each different document once changes nothing but the bill."""

from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import RankedDocument, Ranking, RerankDocument
from openrouter_rerank._plan import NO_COPIES, without_copies

DOCUMENTS = st.lists(
    st.sampled_from(["a", "b", "c", RerankDocument(text="a", image="https://host/i.png")]),
    min_size=1,
)
IMAGE = "https://host/image.png"


def ranked(scores, top_n=None):
    """Rank documents by their scores, ties by position, as the service does."""
    order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))
    results = tuple(RankedDocument(index, scores[index]) for index in order[:top_n])
    return Ranking(results=results, model="m", requests=())


@given(DOCUMENTS, st.none() | st.integers(min_value=1, max_value=8), st.data())
def test_copies_change_nothing_but_the_bill(documents, top_n, data):
    """A call without its copies gives the order that the whole call would give."""
    kinds = dict.fromkeys(documents)
    scores = {kind: data.draw(st.sampled_from([0.1, 0.5, 0.9])) for kind in kinds}
    whole = ranked([scores[document] for document in documents], top_n)

    different, positions = without_copies(documents)
    sent = ranked([scores[document] for document in different], top_n)

    assert positions.restored(sent, top_n) == whole
    assert len(set(different)) == len(different)


def test_a_document_is_its_text_and_its_image():
    """Documents with the same text but different images are different documents."""
    documents = ["a", RerankDocument(text="a", image=IMAGE), RerankDocument(image=IMAGE)]

    different, positions = without_copies(documents)

    assert different == tuple(documents)
    assert positions is NO_COPIES
