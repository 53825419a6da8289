"""What a reranker logs if it does not rank everything: how many, why, and what to do."""

import copy
import logging
import pickle

import pytest
from openrouter_rerank.documents import CheckedDocuments, RerankDocument
from openrouter_rerank.errors import APIStatusError, InvalidRequestError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import LocalImageDocument, Reranker, Unscorable, WithoutImage
from openrouter_rerank.reranker.placement import Sendable
from openrouter_rerank.reranker.situations import report_refused
from openrouter_rerank.telemetry import SituationLog

VISION_MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
PNG = "data:image/png;base64,iVBORw0KGgo="
GIF = "data:image/gif;base64,R0lGODlhAQAB"
SVG = "data:image/svg+xml;base64,PHN2Zy8+"
URL = "https://example.com/cat.png"
NO_IMAGES = (
    f"cohere/rerank-v3.5 takes no images ({VISION_MODEL} does; if texts are enough, set "
    "image_mode='never')"
)


@pytest.fixture
def make_reranker(stage):
    """A function that makes a reranker for the stage."""

    def make(**options):
        return Reranker(base_url=stage.base_url, api_key=stage.api_key, **options)

    return make


@pytest.fixture
def place(mode, caplog):
    """A coroutine function that places contents, and returns what was logged."""

    async def place(reranker, *contents, query="q"):
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
            if mode == "sync":
                reranker.place(query, contents)
            else:
                await reranker.aplace(query, contents)
        logged = [(each.levelname, each.getMessage()) for each in caplog.records]
        return [(level, text) for level, text in logged if not text.startswith("rerank: ")]

    return place


def local(path, text=None):
    """Return a document with an image file."""
    return LocalImageDocument(text=text, image=LocalImage(path))


IMAGE_AND_TEXT = RerankDocument(text="a", image=URL)

LEFT_OUT = {
    "model without images": ([IMAGE_AND_TEXT] * 3, {}, "3 of 3", f"3 because {NO_IMAGES}"),
    "fallback model without images": (
        [IMAGE_AND_TEXT],
        {"model": VISION_MODEL, "fallback_models": ["cohere/rerank-v3.5"]},
        "1 of 1",
        f"1 because {NO_IMAGES}",
    ),
    "unknown model": (
        [IMAGE_AND_TEXT],
        {"model": "new/model"},
        "1 of 1",
        (
            "1 because new/model is not known to take images (if it does, set "
            "image_mode='always'; if texts are enough, 'never')"
        ),
    ),
    "several reasons": (
        [local("cat.png", "a"), local("dog.png", "b"), RerankDocument(text="c", image="cat"), "d"],
        {"model": VISION_MODEL},
        "3 of 4",
        (
            "2 because the image is a local file, and image_root is not set, 1 because "
            "the image is neither an http(s) URL nor a data URI (for a file, pass "
            "data_uri(Path(...).read_bytes()))"
        ),
    ),
    "left out by a package": (
        [WithoutImage(text="a", reason="the PIL image fails to load: OSError")],
        {"model": VISION_MODEL},
        "1 of 1",
        "1 because the PIL image fails to load: OSError",
    ),
    "large image": (
        [RerankDocument(text="a", image=PNG)],
        {"model": VISION_MODEL, "max_image_bytes": 5},
        "1 of 1",
        "1 because the image is larger than max_image_bytes=5",
    ),
    "format that the model does not take": (
        [RerankDocument(text="a", image=GIF)],
        {"model": VISION_MODEL},
        "1 of 1",
        (
            "1 because the image is of another type than image/jpeg and "
            "image/png, the only ones that the model takes"
        ),
    ),
    "format that no model takes": (
        [RerankDocument(text="a", image=SVG), RerankDocument(text="b", image=f"{URL}/a.tiff")],
        {"image_mode": "always"},
        "2 of 2",
        (
            "1 because the image is of type image/svg+xml, which rerank models do not "
            "take, 1 because the image is of type image/tiff, which rerank models do not take"
        ),
    ),
    "many reasons": (
        [WithoutImage(text="a", reason=f"of {number}") for number in (1, 1, 2, 3, 4, 5, 6)],
        {},
        "7 of 7",
        "2 because of 1, 1 because of 2, 1 because of 3, 1 because of 4, 2 for other reasons",
    ),
}


@pytest.mark.parametrize("case", LEFT_OUT.values(), ids=LEFT_OUT)
async def test_images_that_are_left_out_are_counted_by_reason(make_reranker, place, stage, case):
    """The first call that leaves images out warns: how many, why, and what to do."""
    contents, options, counts, reasons = case
    reranker = make_reranker(**options)
    what = "documents are ranked by text alone, because their images were not sent"
    message = f"{counts} {what}: {reasons}"

    assert await place(reranker, *contents) == [("WARNING", message)]
    assert await place(reranker, *contents) == [("DEBUG", message)]
    assert len(stage.requests) == 2
    with pytest.raises(InvalidRequestError, match=r"^document 0 has an image that cannot"):
        await place(make_reranker(**options, unscorable="raise"), *contents)


async def test_another_reason_is_another_situation(make_reranker, place):
    """A reason that was not met before is warned of, because something else has to be done."""
    reranker = make_reranker()
    other = reranker.model_copy(update={"model": VISION_MODEL})
    contents = [local("cat.png", "a")]

    levels = [(await place(each, *contents))[0][0] for each in (reranker, other, reranker, other)]

    assert levels == ["WARNING", "WARNING", "DEBUG", "DEBUG"]


NOTHING = [" ", Unscorable("it is a video"), "a", RerankDocument(image=URL)]
REASONS = (
    f"1 because there is neither text nor image, 1 because it is a video, 1 because {NO_IMAGES}"
)
NOTHING_OF_4 = "3 of 4 documents had nothing to rank, so they are"
KEPT = f"{NOTHING_OF_4} returned last, without a score: {REASONS}"
DROPPED = f"{NOTHING_OF_4} left out: {REASONS}"


@pytest.mark.parametrize(
    ("options", "message"),
    [({}, KEPT), ({"unscorable": "drop"}, DROPPED), ({"score_threshold": 0.5}, DROPPED)],
)
async def test_documents_with_nothing_to_rank_are_counted_by_reason(
    make_reranker, place, options, message
):
    """The first call with documents that have nothing to rank warns, and says where they are."""
    reranker = make_reranker(**options)

    assert await place(reranker, *NOTHING) == [("WARNING", message)]
    assert await place(reranker, *NOTHING) == [("DEBUG", message)]


async def test_a_blank_query_is_logged(make_reranker, place, stage):
    """A blank query ranks nothing and warns, the first time."""
    reranker = make_reranker()
    message = (
        "the query is blank, so nothing was ranked, and the retriever's order is returned: "
        "documents=2. Check where the query comes from"
    )

    assert await place(reranker, "a", "b", query=" ") == [("WARNING", message)]
    assert await place(reranker, "a", "b", query="") == [("DEBUG", message)]
    assert stage.requests == []


async def test_images_that_the_user_does_not_want_are_not_reported(make_reranker, place):
    """With `image_mode="never"` leaving images out is what was asked for, and no error either."""
    for unscorable in ("keep", "raise"):
        reranker = make_reranker(image_mode="never", unscorable=unscorable)
        contents = [IMAGE_AND_TEXT, WithoutImage(text="b", reason="damaged"), local("a.png", "c")]
        assert await place(reranker, *contents) == []


async def test_texts_and_images_that_are_sent_are_not_reported(make_reranker, place):
    """A call that ranks everything logs nothing."""
    contents = ["a", ("p: 1\n\n", "b"), IMAGE_AND_TEXT, RerankDocument(image=PNG)]

    assert await place(make_reranker(model=VISION_MODEL), *contents) == []


async def test_copies_of_a_reranker_share_what_they_have_warned_of(make_reranker, place):
    """Shallow copies warn once together; deep copies and unpickled ones warn again."""
    reranker = make_reranker()
    await place(reranker, " ")

    copies = [reranker.model_copy(), copy.copy(reranker)]
    others = [copy.deepcopy(reranker), pickle.loads(pickle.dumps(reranker)), make_reranker()]  # noqa: S301

    assert [(await place(each, " "))[0][0] for each in copies] == ["DEBUG"] * 2
    assert [(await place(each, " "))[0][0] for each in others] == ["WARNING"] * 3


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (["a", IMAGE_AND_TEXT, " "], "document 1 has an image that cannot be sent: cohere/rerank"),
        ([" ", IMAGE_AND_TEXT], "document 0 has nothing to rank: there is neither text nor image"),
    ],
)
async def test_the_first_document_that_cannot_be_ranked_whole_is_named(
    make_reranker, place, stage, contents, message
):
    """With `unscorable="raise"`, the error names the first position, the reason and the fix."""
    with pytest.raises(InvalidRequestError) as caught:
        await place(make_reranker(unscorable="raise"), *contents)

    assert caught.value.message.startswith(message)
    assert stage.requests == []


async def test_the_reasons_are_counted_only_for_a_line_that_is_logged(make_reranker, stage, caplog):
    """A lasting situation is met in every call, but its text is made only if it is logged."""
    counted = []

    class Reason(str):
        __slots__ = ()

        def __format__(self, spec):
            counted.append(spec)
            return super().__format__(spec)

    reranker = make_reranker()
    for level in (logging.INFO, logging.INFO, logging.DEBUG):
        with caplog.at_level(level, "openrouter_rerank"):
            reranker.place("q", [Unscorable(Reason("it is a video")), "a"])
        counted.append(level)

    assert counted == ["", logging.INFO, logging.INFO, "", logging.DEBUG]


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (10, "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]"),
        (12, "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9] and 2 more"),
    ],
)
@pytest.mark.parametrize(
    ("request_id", "named"), [("r-1", "request id r-1"), (None, "request id unknown")]
)
def test_the_report_of_refused_documents(caplog, *, count, shown, request_id, named):
    """The report has at most ten positions, what happens to the documents, and the request id."""
    error = APIStatusError.of(400, "a secret document", request_id=request_id)
    left = Sendable(positions=(20,), documents=CheckedDocuments(["a"]))

    report_refused(SituationLog(), reversed(range(count)), left, error)
    report_refused(
        SituationLog(),
        range(count),
        Sendable(positions=(), documents=CheckedDocuments([]), is_kept=False),
        error,
    )

    assert [each.getMessage() for each in caplog.records] == [
        (
            "the service refused documents, so the call is made once more without their images: "
            f"positions={shown}. Documents that have nothing else are returned last, without a "
            f"score. The error was BadRequestError, {named}"
        ),
        (
            "the service refused documents, and no others are left to rank: "
            f"positions={shown}. They are left out. The error was BadRequestError, {named}"
        ),
    ]
