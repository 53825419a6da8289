"""Which of a framework's documents are sent, and the placement that is returned for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.documents import RerankDocument, checked_documents
from openrouter_rerank.errors import InvalidRequestError, OpenRouterRerankError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.ranking import RankedDocument, Ranking
from openrouter_rerank.reranker import (
    LocalImageDocument,
    Placed,
    Placement,
    Unscorable,
    WithoutImage,
)
from openrouter_rerank.reranker.placement import ImagePolicy, in_input_order, sendable

URL = "https://host/cat.png"
PNG = "data:image/png;base64,iVBORw0KGgo="
HEADED = ("p: 1\n\n", "a")
READ_IMAGE = "data:image/jpeg;base64,AAAA"


def read_image(image):
    """Return an image for every file, except those with `missing` in their path."""
    return Unscorable("it is not there") if "missing" in image.path else READ_IMAGE


def convert(
    *contents,
    takes_images=True,
    is_refused_by_user=False,
    max_image_bytes=100,
    formats=(),
    unscorable="keep",
    score_threshold=None,
):
    """Return the documents to send for `contents`, and the positions of the kept ones."""
    policy = ImagePolicy(
        refusal=None if takes_images else "a/model takes no images",
        is_refused_by_user=is_refused_by_user,
        max_bytes=max_image_bytes,
        formats=formats,
        read=read_image,
    )
    return sendable(contents, lambda: policy, unscorable, score_threshold=score_threshold)


def local_image(path, text=None):
    """Return a document whose image is in a file."""
    return LocalImageDocument(text=text, image=LocalImage(path))


def index_score_pairs(placement):
    """Return the positions and scores of a placement."""
    return [(item.index, item.relevance_score) for item in placement.order]


def ranking(*results):
    """Return a ranking with these (index, score) pairs."""
    results = tuple(RankedDocument(index, score) for index, score in results)
    return Ranking(results=results, model="m", requests=())


@pytest.mark.parametrize(
    ("content", "with_image", "without_image"),
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
        pytest.param(local_image("cat.png"), RerankDocument(image=READ_IMAGE), None, id="file"),
        pytest.param(
            local_image("cat.png", "a"),
            RerankDocument(text="a", image=READ_IMAGE),
            "a",
            id="file and text",
        ),
        pytest.param(local_image("missing", "a"), "a", "a", id="missing file and text"),
        pytest.param(RerankDocument(text="a", image="cat"), "a", "a", id="bad image and text"),
    ],
)
def test_a_document_is_sent_with_its_image_if_the_model_takes_images(
    content, with_image, without_image
):
    """A document is sent with its image if the model takes it, and otherwise with its text."""
    for takes_images, sent in ((True, with_image), (False, without_image)):
        converted = convert(content, takes_images=takes_images)

        assert converted.documents == (() if sent is None else (sent,))
        assert converted.kept == ((0,) if sent is None else ())


def test_headed_texts_among_other_documents_are_sent_as_plain_texts():
    """Headings are sent separately only if all documents have one, to recognise equal texts."""
    converted = convert(HEADED, Unscorable("it is a video"), "b")

    assert converted.documents == ("p: 1\n\na", "b")


@pytest.mark.parametrize("takes_images", [True, False])
def test_documents_to_send_pass_the_check_of_the_client(takes_images):
    """The documents to send are valid for the client, so it does not need to check them again."""
    contents = ["a", " ", HEADED, RerankDocument(text=" ", image=PNG), RerankDocument(image="cat")]
    contents += [
        local_image("cat.png", "\n"),
        local_image("missing"),
        RerankDocument(),
        Unscorable("video"),
    ]

    converted = convert(*contents, takes_images=takes_images)

    plain = ["".join(item) if isinstance(item, tuple) else item for item in converted.documents]
    assert checked_documents(plain) == converted.documents
    assert checked_documents(converted.documents) is converted.documents


@pytest.mark.parametrize("takes_images", [True, False])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (RerankDocument(text=b"a"), "text of documents[1] is of type bytes: pass a string"),
        (RerankDocument(text=b"a", image=URL), "text of documents[1] is of type bytes"),
        (RerankDocument(text="a", image=5), "image of documents[1] is of type int"),
    ],
)
def test_a_document_with_values_of_a_wrong_type_is_refused(content, message, takes_images):
    """The error names the field and position of a value that is not a string."""
    with pytest.raises(InvalidRequestError) as caught:
        convert("a", content, takes_images=takes_images)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("", "there is neither text nor image", id="empty"),
        pytest.param(" \n", "there is neither text nor image", id="blank"),
        pytest.param(RerankDocument(), "there is neither text nor image", id="empty value"),
        pytest.param(Unscorable("it is a video"), "it is a video", id="unscorable"),
        pytest.param(local_image("missing"), "it is not there", id="missing file"),
        pytest.param(
            RerankDocument(image="cat.png"),
            (
                "the image is neither an http(s) URL nor a data URI"
                " (for a file, pass data_uri(Path(...).read_bytes()))"
            ),
            id="path",
        ),
        pytest.param(
            RerankDocument(image="data:image/png;base64," + "A" * 400),
            "the image is larger than max_image_bytes=100",
            id="large",
        ),
        pytest.param(
            RerankDocument(image="data:text/plain;base64," + "A" * 400),
            "the image is a data URI, but not of the form data:image/...;base64,...",
            id="large, and no image",
        ),
        pytest.param(
            local_image("missing.png", " "), "it is not there", id="missing file and blank text"
        ),
    ],
)
def test_unscorable_documents_follow_the_unscorable_option(content, reason):
    """A document that cannot be ranked is never sent: it is kept, dropped, or refused."""
    assert convert(content, unscorable="keep").kept == (0,)
    assert convert(content, unscorable="drop").kept == ()
    for policy in ("keep", "drop"):
        assert convert(content, unscorable=policy).documents == ()
    with pytest.raises(InvalidRequestError, match=r"^document 1 has nothing to rank: ") as caught:
        convert("a", content, unscorable="raise")
    assert str(caught.value) == f"document 1 has nothing to rank: {reason}"


def test_an_image_for_a_text_only_model_is_unscorable():
    """If the model takes no images, the error for a document without text gives that reason."""
    with pytest.raises(InvalidRequestError, match="a/model takes no images"):
        convert(RerankDocument(image=URL), takes_images=False, unscorable="raise")


def test_an_image_of_exactly_max_image_bytes_is_sent():
    """`max_image_bytes` is the largest size that is allowed."""
    image = RerankDocument(image="data:image/png;base64," + "A" * 100)

    assert convert(image, max_image_bytes=75).documents == (image,)
    assert convert(image, max_image_bytes=74).documents == ()


MIXED_CONTENTS = ["a", "", "b", Unscorable("no"), "c"]


@pytest.mark.parametrize(
    ("unscorable", "options", "order"),
    [
        pytest.param(
            "keep", {}, [(4, 0.9), (0, 0.5), (2, 0.1), (1, None), (3, None)], id="kept at the end"
        ),
        pytest.param("drop", {}, [(4, 0.9), (0, 0.5), (2, 0.1)], id="dropped"),
        pytest.param("keep", {"top_n": 2}, [(4, 0.9), (0, 0.5)], id="limited to ranked documents"),
        pytest.param(
            "keep",
            {"top_n": 4},
            [(4, 0.9), (0, 0.5), (2, 0.1), (1, None)],
            id="limited to ranked and kept documents",
        ),
        pytest.param(
            "keep",
            {"score_threshold": 0.5},
            [(4, 0.9), (0, 0.5)],
            id="threshold, so that documents without a score are left out",
        ),
        pytest.param(
            "drop", {"score_threshold": 0.5, "top_n": 1}, [(4, 0.9)], id="threshold, then top_n"
        ),
        pytest.param("drop", {"score_threshold": 0.95}, [], id="none reaches the threshold"),
        pytest.param(
            "drop", {"top_n": 99}, [(4, 0.9), (0, 0.5), (2, 0.1)], id="top_n larger than the list"
        ),
    ],
)
def test_placement_of_ranked_and_kept_documents(unscorable, options, order):
    """Ranked documents come first, then the kept ones; then `top_n` limits the number."""
    best_first = ranking((2, 0.9), (0, 0.5), (1, 0.1))

    options = {"top_n": None, "score_threshold": None} | options
    placement = convert(
        *MIXED_CONTENTS, unscorable=unscorable, score_threshold=options["score_threshold"]
    ).placed(best_first, **options)

    assert placement.order == tuple(Placed(*item) for item in order)
    assert placement.ranking is best_first
    assert placement.error is None


def test_a_score_threshold_of_zero_is_applied():
    """A threshold of zero removes negative scores, and is not treated as `None`."""
    best_first = ranking((0, 0.0), (1, -0.5))

    placement = convert("a", "b").placed(best_first, top_n=None, score_threshold=0.0)

    assert index_score_pairs(placement) == [(0, 0.0)]


@pytest.mark.parametrize("contents", ["abc", [("p: 1\n\n", item) for item in "abc"]])
@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({}, [(2, 0.9), (0, 0.5), (1, 0.1)]),
        ({"top_n": 2}, [(2, 0.9), (0, 0.5)]),
        ({"score_threshold": 0.5}, [(2, 0.9), (0, 0.5)]),
        ({"score_threshold": 0.6, "top_n": 3}, [(2, 0.9)]),
    ],
)
def test_placement_if_all_documents_are_sent(contents, options, order):
    """The documents are in the order of the ranking, limited by threshold and `top_n`."""
    best_first = ranking((2, 0.9), (0, 0.5), (1, 0.1))

    placement = convert(*contents).placed(
        best_first, **{"top_n": None, "score_threshold": None} | options
    )

    assert index_score_pairs(placement) == order


@pytest.mark.parametrize(
    ("top_n", "indexes"), [(None, [0, 1, 2, 3, 4]), (2, [0, 1]), (9, range(5))]
)
@pytest.mark.parametrize("error", [None, OpenRouterRerankError("down")])
def test_an_untouched_placement_keeps_the_input_order(top_n, indexes, error):
    """Without a ranking the input order is kept, limited to `top_n`, without scores."""
    placement = in_input_order(len(MIXED_CONTENTS), top_n=top_n, error=error)

    assert placement.order == tuple(Placed(index, None) for index in indexes)
    assert placement.error is error
    assert placement.ranking is None


def test_no_documents_have_an_empty_placement():
    """The placement of no documents is empty."""
    converted = convert()

    assert (converted.documents, converted.kept) == ((), ())
    assert converted.unranked(top_n=None).order == in_input_order(0, top_n=None).order == ()


@pytest.mark.parametrize(
    ("unscorable", "top_n", "indexes"),
    [("keep", None, [0, 1, 2]), ("keep", 2, [0, 1]), ("drop", None, [])],
)
def test_placement_if_nothing_can_be_ranked(unscorable, top_n, indexes):
    """If nothing can be sent, the kept documents stay in input order, without scores."""
    placement = convert("", " ", Unscorable("no"), unscorable=unscorable).unranked(top_n=top_n)

    assert placement.order == tuple(Placed(index, None) for index in indexes)
    assert (placement.ranking, placement.error) == (None, None)


def test_the_indexes_of_scores_refer_to_the_list_of_the_caller():
    """The indexes are positions in the caller's list. Documents without a score are left out."""
    of_request = Ranking(results=(RankedDocument(0, 0.5),), model="a/b", requests=(), attempts=1)
    placement = Placement(order=(Placed(2, 0.5), Placed(1, None)), ranking=of_request)

    scores = placement.scores(model="c/d")

    assert scores.results == (RankedDocument(2, 0.5),)
    assert (scores.model, scores.attempts) == ("a/b", 1)


def test_without_a_request_there_are_no_scores():
    """If no request was sent, the ranking has no results and has the model of the call."""
    scores = Placement(order=(Placed(0, None),)).scores(model="c/d")

    assert scores == Ranking(results=(), model="c/d", requests=())


def test_an_empty_ranking_keeps_its_model():
    """A ranking without results, which is false, still has its own model and attempts."""
    empty = Ranking(results=(), model="a/b", requests=(), attempts=2)

    assert Placement(order=(), ranking=empty).scores(model="c/d") == empty


CONTENTS = st.lists(
    st.sampled_from(
        [
            "text",
            " ",
            HEADED,
            RerankDocument(image=URL),
            RerankDocument(text="a", image=PNG),
            RerankDocument(text="a", image="cat"),
            local_image("cat.png", "a"),
            local_image("missing"),
            WithoutImage(text="a", reason="damaged"),
            Unscorable("it is a video"),
        ]
    ),
    max_size=8,
)


@given(CONTENTS, st.booleans(), st.sampled_from(["keep", "drop"]), st.data())
def test_every_document_is_sent_or_has_nothing_to_rank(contents, takes_images, unscorable, data):
    """Every position is sent or unscorable, also after any of the documents were refused."""
    converted = convert(*contents, takes_images=takes_images, unscorable=unscorable)
    refused = data.draw(st.sets(st.sampled_from(range(len(converted.documents) or 1))))

    rest = converted.without(refused, "refused")

    for each in (converted, rest):
        assert sorted([*each.positions, *each.unscorable]) == list(range(len(contents)))
        assert len(each.positions) == len(each.documents)
        assert each.without_image.keys() <= set(each.positions)
        assert each.kept == (tuple(sorted(each.unscorable)) if unscorable == "keep" else ())
    assert rest.unscorable.keys() >= converted.unscorable.keys()
    assert all(
        rest.documents[[*rest.positions].index(position)] == document
        for at, (position, document) in enumerate(
            zip(converted.positions, converted.documents, strict=True)
        )
        if at not in refused
    )
