"""What is sent of a framework's documents, and where each of them ends up."""

import pytest
from openrouter_rerank.documents import RerankDocument, checked_documents
from openrouter_rerank.errors import InvalidRequestError, OpenRouterRerankError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.ranking import RankedDocument, Ranking
from openrouter_rerank.reranker import LocalImageDocument, Placed, Unscorable
from openrouter_rerank.reranker.placement import ImagePolicy, sendable, untouched

URL = "https://host/cat.png"
PNG = "data:image/png;base64,iVBORw0KGgo="
HEADED = ("p: 1\n\n", "a")
READ = "data:image/jpeg;base64,AAAA"


def read_image(image):
    """Read every file but those that are missing."""
    return Unscorable("it is not there") if "missing" in image.path else READ


def arrangement(*contents, takes_images=True, max_image_bytes=100, unscorable="keep"):
    """Sort out `contents`."""
    images = ImagePolicy(takes_images=takes_images, max_bytes=max_image_bytes, read=read_image)
    return sendable(contents, images, unscorable)


def local(path, text=None):
    """A document whose image is in a file."""
    return LocalImageDocument(text=text, image=LocalImage(path))


def pairs(placement):
    """Where documents are placed, and with which scores."""
    return [(each.index, each.relevance_score) for each in placement.order]


def ranking(*results):
    """A ranking of these (index, score) pairs."""
    results = tuple(RankedDocument(index, score) for index, score in results)
    return Ranking(results=results, model="m", requests=())


@pytest.mark.parametrize(
    ("content", "with_images", "without"),
    [
        pytest.param("a", "a", "a", id="text"),
        pytest.param(HEADED, HEADED, HEADED, id="headed text"),
        pytest.param(RerankDocument(text="a"), "a", "a", id="value with text"),
        pytest.param(RerankDocument(image=URL), RerankDocument(image=URL), None, id="URL"),
        pytest.param(
            RerankDocument(text="a", image=PNG), RerankDocument(text="a", image=PNG), "a", id="both"
        ),
        pytest.param(
            RerankDocument(text=" ", image=PNG), RerankDocument(image=PNG), None, id="blank text"
        ),
        pytest.param(local("cat.png"), RerankDocument(image=READ), None, id="file"),
        pytest.param(
            local("cat.png", "a"), RerankDocument(text="a", image=READ), "a", id="file and text"
        ),
        pytest.param(local("missing", "a"), "a", "a", id="missing file and text"),
        pytest.param(RerankDocument(text="a", image="cat"), "a", "a", id="bad image and text"),
    ],
)
def test_what_is_sent(content, with_images, without):
    """A document is sent with its image where images are taken and it is usable, else as text."""
    for takes_images, sent in ((True, with_images), (False, without)):
        found = arrangement(content, takes_images=takes_images)

        assert found.documents == (() if sent is None else (sent,))
        assert found.kept == ((0,) if sent is None else ())


def test_headed_texts_among_others_are_plain():
    """All or none are sent with their headings apart, so that equal texts are equal documents."""
    found = arrangement(HEADED, Unscorable("it is a video"), "b")

    assert found.documents == ("p: 1\n\na", "b")


@pytest.mark.parametrize("takes_images", [True, False])
def test_what_is_sorted_out_is_valid(takes_images):
    """Whatever is passed on as checked would pass the check of the client."""
    contents = ["a", " ", HEADED, RerankDocument(text=" ", image=PNG), RerankDocument(image="cat")]
    contents += [local("cat.png", "\n"), local("missing"), RerankDocument(), Unscorable("video")]

    found = arrangement(*contents, takes_images=takes_images)

    plain = ["".join(each) if isinstance(each, tuple) else each for each in found.documents]
    assert checked_documents(plain) == found.documents
    assert checked_documents(found.documents) is found.documents


@pytest.mark.parametrize("takes_images", [True, False])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (RerankDocument(text=b"a"), "text of documents[1] is of type bytes: pass a string"),
        (RerankDocument(text=b"a", image=URL), "text of documents[1] is of type bytes"),
        (RerankDocument(text="a", image=5), "image of documents[1] is of type int"),
    ],
)
def test_a_document_of_something_else_is_refused(content, message, takes_images):
    """What a user has made of no strings is named, with its position, whatever is sent of it."""
    with pytest.raises(InvalidRequestError) as caught:
        arrangement("a", content, takes_images=takes_images)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "it has neither text nor image", id="empty"),
        pytest.param(" \n", "it has neither text nor image", id="blank"),
        pytest.param(RerankDocument(), "it has neither text nor image", id="empty value"),
        pytest.param(Unscorable("it is a video"), "it is a video", id="unscorable"),
        pytest.param(local("missing"), "it is not there", id="missing file"),
        pytest.param(
            RerankDocument(image="cat.png"),
            "its image is neither an http(s) URL nor a data URI",
            id="path",
        ),
        pytest.param(
            RerankDocument(image="data:image/png;base64," + "A" * 400),
            "its image is larger than max_image_bytes=100",
            id="large",
        ),
        pytest.param(
            local("missing.png", " "), "it is not there", id="missing file beside a blank text"
        ),
    ],
)
def test_what_has_nothing_to_rank(content, reason):
    """What cannot be ranked is never sent: it is kept, or dropped, or refused with the reason."""
    assert arrangement(content, unscorable="keep").kept == (0,)
    assert arrangement(content, unscorable="drop").kept == ()
    for policy in ("keep", "drop"):
        assert arrangement(content, unscorable=policy).documents == ()
    with pytest.raises(InvalidRequestError, match=r"^document 1 has nothing to rank: ") as caught:
        arrangement("a", content, unscorable="raise")
    assert str(caught.value) == f"document 1 has nothing to rank: {reason}"


def test_an_image_that_the_model_does_not_take_has_nothing_to_rank():
    """Without a text, a document for a model without eyes says why it was not ranked."""
    with pytest.raises(InvalidRequestError, match="takes no images, or image_mode is 'never'"):
        arrangement(RerankDocument(image=URL), takes_images=False, unscorable="raise")


def test_an_image_as_large_as_allowed_is_sent():
    """The limit itself is allowed."""
    image = RerankDocument(image="data:image/png;base64," + "A" * 100)

    assert arrangement(image, max_image_bytes=75).documents == (image,)
    assert arrangement(image, max_image_bytes=74).documents == ()


CONTENTS = ["a", "", "b", Unscorable("no"), "c"]


@pytest.mark.parametrize(
    ("unscorable", "options", "order"),
    [
        pytest.param(
            "keep", {}, [(4, 0.9), (0, 0.5), (2, 0.1), (1, None), (3, None)], id="kept behind"
        ),
        pytest.param("drop", {}, [(4, 0.9), (0, 0.5), (2, 0.1)], id="dropped"),
        pytest.param("keep", {"top_n": 2}, [(4, 0.9), (0, 0.5)], id="cut"),
        pytest.param(
            "keep", {"top_n": 4}, [(4, 0.9), (0, 0.5), (2, 0.1), (1, None)], id="cut behind"
        ),
        pytest.param(
            "keep",
            {"score_threshold": 0.5},
            [(4, 0.9), (0, 0.5), (1, None), (3, None)],
            id="scored",
        ),
        pytest.param(
            "drop", {"score_threshold": 0.5, "top_n": 1}, [(4, 0.9)], id="threshold, then cut"
        ),
        pytest.param("drop", {"score_threshold": 0.95}, [], id="none reaches the threshold"),
        pytest.param("drop", {"top_n": 99}, [(4, 0.9), (0, 0.5), (2, 0.1)], id="more than all"),
    ],
)
def test_where_documents_are_placed(unscorable, options, order):
    """Ranked ones come first, by position in the input; then the kept ones; then all is cut."""
    answer = ranking((2, 0.9), (0, 0.5), (1, 0.1))

    placement = arrangement(*CONTENTS, unscorable=unscorable).placed(
        answer, **{"top_n": None, "score_threshold": None} | options
    )

    assert placement.order == tuple(Placed(*each) for each in order)
    assert placement.ranking is answer
    assert placement.error is None


def test_a_threshold_of_zero_is_a_threshold():
    """Zero cuts what is below zero, and is not taken for none."""
    answer = ranking((0, 0.0), (1, -0.5))

    placement = arrangement("a", "b").placed(answer, top_n=None, score_threshold=0.0)

    assert pairs(placement) == [(0, 0.0)]


@pytest.mark.parametrize("contents", ["abc", [("p: 1\n\n", each) for each in "abc"]])
@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({}, [(2, 0.9), (0, 0.5), (1, 0.1)]),
        ({"top_n": 2}, [(2, 0.9), (0, 0.5)]),
        ({"score_threshold": 0.5}, [(2, 0.9), (0, 0.5)]),
        ({"score_threshold": 0.6, "top_n": 3}, [(2, 0.9)]),
    ],
)
def test_where_documents_that_are_all_sent_are_placed(contents, options, order):
    """Each is where the answer has it, cut by threshold and number."""
    answer = ranking((2, 0.9), (0, 0.5), (1, 0.1))

    placement = arrangement(*contents).placed(
        answer, **{"top_n": None, "score_threshold": None} | options
    )

    assert pairs(placement) == order


@pytest.mark.parametrize(
    ("top_n", "indexes"), [(None, [0, 1, 2, 3, 4]), (2, [0, 1]), (9, range(5))]
)
@pytest.mark.parametrize("error", [None, OpenRouterRerankError("down")])
def test_untouched(top_n, indexes, error):
    """Without an answer the order is the input's, cut, without a score, and tells the failure."""
    placement = untouched(len(CONTENTS), top_n=top_n, error=error)

    assert placement.order == tuple(Placed(index, None) for index in indexes)
    assert placement.error is error
    assert placement.ranking is None


def test_nothing_is_placed_nowhere():
    """No documents are an empty placement."""
    found = arrangement()

    assert (found.documents, found.kept) == ((), ())
    assert found.unranked(top_n=None).order == untouched(0, top_n=None).order == ()


@pytest.mark.parametrize(
    ("unscorable", "top_n", "indexes"),
    [("keep", None, [0, 1, 2]), ("keep", 2, [0, 1]), ("drop", None, [])],
)
def test_when_nothing_can_be_ranked(unscorable, top_n, indexes):
    """With nothing to send, what is kept stays in its order, without a score."""
    placement = arrangement("", " ", Unscorable("no"), unscorable=unscorable).unranked(top_n=top_n)

    assert placement.order == tuple(Placed(index, None) for index in indexes)
    assert (placement.ranking, placement.error) == (None, None)
