"""Documents that an error of the service names, and the one call that is made without them."""

import logging

import pytest
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import (
    APIStatusError,
    BadRequestError,
    DeadlineExceededError,
    OpenRouterRerankError,
)
from openrouter_rerank.local.stage import Fault, Reply, error, scores, word_overlap
from openrouter_rerank.reranker import Placed, Reranker
from openrouter_rerank.reranker.refused_documents import is_refusal, refused_documents

VISION_MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
PNG = "data:image/png;base64,iVBORw0KGgo="
CAT = "https://example.com/cat.png"
SIGNED = "https://store.example/dog?X-Amz-Signature=abc&X-Amz-Expires=60"
# Images at the positions 1, 3 and 4.
DOCUMENTS = (
    "a text",
    RerankDocument(text="a cat", image=CAT),
    "another text",
    RerankDocument(image=SIGNED),
    RerankDocument(text="a pixel", image=PNG),
)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (f"Could not fetch {CAT}", {1}),
        (f"Could not fetch {CAT}.", {1}),
        (f'{{"url":"{CAT}","status":403}}', {1}),
        (f"Could not fetch {CAT}2", set()),
        (f"Could not fetch {CAT}.bak", set()),
        (f"{CAT} and {SIGNED} are gone", {1, 3}),
        ("Could not fetch https://store.example/dog?X-Amz-Sig", {3}),
        ("Could not fetch https://store.example/dog.", {3}),
        ("Could not fetch https://store.example/", set()),
        ("documents[3].image: unsupported format", {3}),
        ("documents.4.image is not valid", {4}),
        ("body -> passages -> 1 -> image: cannot decode", {1}),
        ("Document 3: the image could not be fetched", {3}),
        ("the input at index 4 is no image", {4}),
        ("cannot decode image at position 1", {1}),
        ("items[1] and items[4] are invalid", {1, 4}),
        ("Image of document 4 is not a base64 data URI of a PNG image", {4}),
        ("image 1 could not be decoded", {1}),
        ("image 0 could not be decoded", {1}),
        ("image #2 could not be decoded", {4}),
        ("images[4] could not be decoded", {4}),
        ("image 9 could not be decoded", set()),
        ("image 1 is too large", {1}),
        (f"cannot decode {PNG}", set()),
        ("documents[0] is not valid", set()),
        ("documents[0] is too long: 9000 tokens", {0}),
        ("passage 2 exceeds the maximum context length", {2}),
        ("documents[4] is too long", {4}),
        ("documents[5] is too long", set()),
        ("documents[7] is too long", set()),
        ("an image could not be decoded", set()),
        ("Too many documents: at most 3 are allowed", set()),
        ("the request is too long", set()),
        ("", set()),
    ],
)
def test_documents_are_found_by_url_and_by_index(message, named):
    """A document is named by the URL of its image, by its index, or as the n-th image."""
    refusal = APIStatusError.of(400, message)

    assert refused_documents(refusal, DOCUMENTS) == named


def test_documents_are_found_in_the_reason_of_the_provider():
    """The reason of the provider, which may be longer than the message, is searched too."""
    refusal = APIStatusError.of(400, "Provider returned error", metadata={"raw": f"{CAT}: 404"})

    assert refused_documents(refusal, DOCUMENTS) == {1}


def test_an_index_means_nothing_if_the_request_had_only_some_documents():
    """The URL of an image still names a document."""
    for message, named in (("documents[1] is no image", set()), (f"no image at {CAT}", {1})):
        refusal = APIStatusError.of(400, message)
        assert refused_documents(refusal, DOCUMENTS, are_all=False) == named


def test_images_whose_urls_differ_only_in_the_query_are_not_confused():
    """A URL without its query names an image only if no other image has the same."""
    documents = [RerankDocument(image=f"https://host/image?id={number}") for number in range(3)]

    assert refused_documents(APIStatusError.of(400, "https://host/image?id=1"), documents) == {1}
    assert refused_documents(APIStatusError.of(400, "https://host/image"), documents) == set()


def test_an_image_beyond_the_last_one_is_not_found():
    """Of two images, the first is `image 0`, and `image 2` is none, unless document 2 has one."""
    documents = ["a text", RerankDocument(image=CAT), "another", "third", RerankDocument(image=PNG)]

    assert refused_documents(APIStatusError.of(400, "image 0 is damaged"), documents) == {1}
    assert refused_documents(APIStatusError.of(400, "image 2 is damaged"), documents) == set()


def test_a_document_without_an_image_is_named_only_if_it_is_too_long():
    """What else is wrong with a text is a mistake of the program, in a `RerankDocument` too."""
    documents = [RerankDocument(text="a text")]

    for message, named in (("document 0 is not valid", set()), ("document 0 is too long", {0})):
        assert refused_documents(APIStatusError.of(400, message), documents) == named


@pytest.mark.parametrize("status", [200, 400, 401, 402, 403, 404, 408, 413, 415, 422, 429, 500])
def test_only_an_error_about_what_was_sent_is_a_refusal(status):
    """Only errors about the content of the request, which cost nothing, are refusals."""
    assert is_refusal(APIStatusError.of(status, "")) == (status in {400, 413, 415, 422})
    assert not is_refusal(APIStatusError.of(status, "", retryable=True))
    assert not is_refusal(OpenRouterRerankError("", status_code=status))


@pytest.fixture
def make_reranker(stage):
    """A function that makes a reranker for the stage, with a model that takes images."""

    def make(**options):
        defaults = {"base_url": stage.base_url, "api_key": stage.api_key, "model": VISION_MODEL}
        return Reranker(**defaults | options)

    return make


@pytest.fixture
def place(mode):
    """A coroutine function that places contents with `place` or `aplace`."""

    async def place(reranker, contents=DOCUMENTS, query="a cat"):
        if mode == "sync":
            return reranker.place(query, contents)
        return await reranker.aplace(query, contents)

    return place


def refuses(image, message, status=400):
    """Return a function that refuses requests with this image, and ranks others."""

    def reply(request):
        images = [each.get("image") for each in request.documents if isinstance(each, dict)]
        return error(status, message) if image in images else word_overlap(request)

    return reply


def score_at(placement):
    """Return the score at each position."""
    return {placed.index: placed.relevance_score for placed in placement.order}


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("message", [f"Could not fetch {CAT}", "documents[1].image is not valid"])
async def test_a_refused_image_is_left_out_and_its_text_is_ranked(
    make_reranker, place, stage, caplog, *, status, message
):
    """The text of a document whose image was refused is ranked, and a warning names it."""
    stage.always(refuses(CAT, message, status))
    reranker = make_reranker()

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        placement = await place(reranker)
        await place(reranker)

    assert placement.order[0] == Placed(1, 1.0)
    assert len(placement.order) == len(DOCUMENTS)
    assert [request.documents[1] for request in stage.requests[:2]] == [
        {"text": "a cat", "image": CAT},
        "a cat",
    ]
    assert [len(request.documents) for request in stage.requests] == [5] * 4
    logged = [each for each in caplog.records if "the service refused" in each.getMessage()]
    assert [each.levelname for each in logged] == ["WARNING", "DEBUG"]
    assert (
        "positions=[1]. Documents that have nothing else are returned last, "
        in logged[0].getMessage()
    )
    assert "The error was " in logged[0].getMessage()
    assert message not in logged[0].getMessage()


@pytest.mark.parametrize(
    "reply",
    [
        error(400, f"Could not fetch {CAT}", status=200),
        error(400, "Provider returned error", metadata={"raw": f'{{"detail":"no image: {CAT}"}}'}),
        error(400, "Provider returned error", metadata={"raw": {"detail": f"no image: {CAT}"}}),
        Reply(status=422, body={"detail": [{"loc": ["body"], "msg": "image 0 is not valid"}]}),
    ],
    ids=["status 200", "reason as JSON", "reason as an object", "list of details"],
)
async def test_a_refusal_may_have_any_form(make_reranker, place, stage, reply):
    """OpenRouter, providers and gateways write a refusal in different places of a response."""
    stage.script(reply)

    placement = await place(make_reranker())

    assert [placed.index for placed in placement.order[:1]] == [1]
    assert stage.requests[1].documents[1] == "a cat"


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({}, [1, 2, 0, 4, 3]),
        ({"unscorable": "drop"}, [1, 2, 0, 4]),
        ({"score_threshold": 0.9}, [1]),
        ({"top_n": 1}, [1]),
    ],
)
async def test_a_refused_document_without_text_has_nothing_to_rank(
    make_reranker, place, stage, options, order
):
    """A document that had only the refused image is treated as `unscorable` says."""
    stage.script(error(400, f"Could not fetch {SIGNED}"), scores(0.3, 0.9, 0.4, 0.1))

    placement = await place(make_reranker(**options))

    assert [placed.index for placed in placement.order] == order
    assert len(stage.requests[1].documents) == 4


@pytest.mark.parametrize(
    ("options", "rest"),
    [({}, [Placed(0, None)]), ({"unscorable": "drop"}, []), ({"score_threshold": 0}, [])],
)
async def test_a_text_that_is_too_long_is_not_ranked(make_reranker, place, stage, options, rest):
    """A document that the service says is too long does not fail the call."""
    stage.script(error(400, "documents[0] is too long: 9000 tokens"), scores(0.1, 0.9))

    placement = await place(make_reranker(**options), ["long", "a", "b"])

    assert placement.order == (Placed(2, 0.9), Placed(1, 0.1), *rest)


async def test_nothing_is_left_to_rank(make_reranker, place, stage, caplog):
    """If the only document was refused, it is returned without a score, and nothing more sent."""
    stage.always(error(400, f"Could not fetch {CAT}"))

    placement = await place(make_reranker(), [RerankDocument(image=CAT)])

    assert placement.order == (Placed(0, None),)
    assert len(stage.requests) == 1
    [record] = [each for each in caplog.records if each.levelname == "WARNING"]
    assert record.getMessage().startswith(
        "the service refused documents, and no others are left to rank: positions=[0]. They are "
        "returned last, without a score. The error was BadRequestError, request id "
    )


async def test_copies_and_documents_that_were_not_sent_do_not_shift_the_index(
    make_reranker, place, stage
):
    """An index of the service is one of the distinct documents that were sent."""
    stage.always(refuses(CAT, "documents[1].image is not valid"))
    contents = [" ", "a", "a", DOCUMENTS[1], DOCUMENTS[1], DOCUMENTS[4]]

    placement = await place(make_reranker(), contents)

    assert score_at(placement) == {0: None, 1: 0.5, 2: 0.5, 3: 1.0, 4: 1.0, 5: 0.5}
    assert [len(request.documents) for request in stage.requests] == [3, 3]
    assert stage.requests[1].documents[:2] == ["a", "a cat"]


SENT_IMAGES = (
    " Images were sent with 3 of 5 documents: check that they are PNG or JPEG images and that "
    "their URLs can be fetched, or set image_mode='never'."
)


@pytest.mark.parametrize(
    ("options", "message", "requests"),
    [
        pytest.param({}, "an image could not be decoded", 1, id="no document named"),
        pytest.param({"unscorable": "raise"}, f"no image: {CAT}", 1, id="raise"),
        pytest.param({"max_documents_per_request": 3}, f"no image: {CAT}", 2, id="two requests"),
        pytest.param({"timeout": 1e-3}, f"no image: {CAT}", None, id="no time left"),
    ],
)
async def test_a_refusal_is_raised_if_the_call_is_not_made_once_more(
    make_reranker, place, stage, *, options, message, requests
):
    """The error says how many images were sent, and what to do."""
    stage.always(error(400, message))

    with pytest.raises(OpenRouterRerankError) as caught:
        await place(make_reranker(max_retries=0, **options))

    if requests is not None:
        assert type(caught.value) is BadRequestError
        assert caught.value.message.endswith(SENT_IMAGES)
        assert str(caught.value) == caught.value.message
        assert len(stage.requests) <= requests


async def test_a_second_refusal_is_raised(make_reranker, place, stage):
    """The call is made once more, and not twice."""
    stage.always(error(400, f"Could not fetch {CAT}, and {SIGNED} is no image"))
    stage.script(error(400, f"Could not fetch {CAT}"))

    with pytest.raises(BadRequestError, match="Images were sent with 2 of 5 documents"):
        await place(make_reranker())

    assert len(stage.requests) == 2


async def test_a_call_that_may_have_been_billed_is_not_made_once_more(make_reranker, place, stage):
    """If an attempt before the refusal may have been billed, nothing more is sent."""
    stage.script(error(500, "down", retry_after=0), error(400, f"Could not fetch {CAT}"))

    with pytest.raises(BadRequestError):
        await place(make_reranker())

    assert len(stage.requests) == 2


async def test_a_refusal_of_texts_is_raised_as_it_is(make_reranker, place, stage):
    """A refusal of a request without images does not speak of images."""
    stage.always(error(400, "documents[0] is not valid"))

    with pytest.raises(BadRequestError) as caught:
        await place(make_reranker(), ["a", "b"])

    assert "images were sent" not in caught.value.message
    assert len(stage.requests) == 1


async def test_an_index_of_a_passage_names_no_document(make_reranker, place, stage):
    """If a document is split into passages, an index in an error is not one of a document."""
    refusal = error(400, "documents[2].image is not valid")
    reranker = make_reranker(long_documents="split")

    stage.script(refusal)
    await place(reranker, ["a short text", *DOCUMENTS])
    stage.script(refusal)
    with pytest.raises(BadRequestError):
        await place(reranker, ["a long text " * 20_000, *DOCUMENTS])

    assert len(stage.requests) == 2 + 1


async def test_both_requests_share_the_time_of_the_call(make_reranker, place, stage):
    """The second request ends at the deadline of the call."""
    late = Reply(
        status=400, body={"error": {"code": 400, "message": f"no image: {CAT}"}}, delay=0.3
    )
    stage.script(late, Fault.hang())

    with pytest.raises(DeadlineExceededError, match=r"within timeout=0\.[0-6]"):
        await place(make_reranker(timeout=0.9, max_retries=0))

    assert len(stage.requests) == 2


async def test_a_score_store_does_not_hide_the_refused_image(make_reranker, place, stage):
    """With a score store, an image is found by its URL, and the scores are stored."""
    stage.always(refuses(CAT, f"Could not fetch {CAT}"))
    reranker = make_reranker(score_store=InMemoryByteStore())

    first = await place(reranker)
    second = await place(reranker)

    assert first.order == second.order
    assert [len(request.documents) for request in stage.requests] == [5, 5, 1]


async def test_with_a_score_store_an_index_names_no_document(make_reranker, place, stage):
    """Documents with stored scores are not sent, so an index in an error names no document."""
    reranker = make_reranker(score_store=InMemoryByteStore())
    await place(reranker, ["a text", "another text"])
    stage.always(error(400, "documents[0].image could not be fetched"))

    with pytest.raises(BadRequestError):
        await place(reranker, ["a text", RerankDocument(text="a cat", image=CAT), "another text"])

    assert len(stage.requests) == 2
