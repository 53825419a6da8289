"""Images that cannot be sent, refused documents, thresholds and blank queries in both packages."""

import logging
import pickle

import pytest
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError
from openrouter_rerank.local.stage import error, word_overlap

VISION_MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
WARNINGS = (
    "1 of 3 documents are ranked by text alone, because their images were not sent: ",
    "1 of 3 documents had nothing to rank, so they are returned last, without a score: ",
)


@pytest.fixture
def items(pipeline):
    """A text, a text with an image file, and an image file alone."""
    return [
        pipeline.item("0", "Rome is a capital."),
        pipeline.item("1", "Paris is the capital of France.", image_path="paris.png"),
        pipeline.item("2", image_path="rome.png"),
    ]


@pytest.fixture
def make_reranker(pipeline):
    """A function that makes a reranker which ranks the image with the text of a document."""

    def make(**options):
        named = "image_key" in pipeline.reranker_class.model_fields
        return pipeline.reranker(**({"image_key": "image_path"} if named else {}) | options)

    return make


async def test_images_that_are_not_sent_are_logged_once(pipeline, make_reranker, items, caplog):
    """The first call warns of images that are not sent, with the reason and the fix."""
    reranker = make_reranker()

    with caplog.at_level(logging.DEBUG, "openrouter_rerank"):
        first = await pipeline.names(reranker, items)
        await pipeline.rerank(reranker, items)

    assert first == ["1", "0", "2"]
    logged = [each for each in caplog.records if each.getMessage().startswith(WARNINGS)]
    assert [each.levelname for each in logged] == ["WARNING", "WARNING", "DEBUG", "DEBUG"]
    for record in logged:
        assert "1 because cohere/rerank-v3.5 takes no images" in record.getMessage()
        assert "paris.png" not in record.getMessage()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({}, "cohere/rerank-v3.5 takes no images"),
        ({"model": VISION_MODEL}, "the image is a local file, and image_root is not set"),
    ],
)
async def test_an_image_that_was_asked_for_is_an_error_if_wanted(
    pipeline, make_reranker, items, options, reason
):
    """With `unscorable="raise"`, an image that cannot be sent is an error, even with a text."""
    reranker = make_reranker(unscorable="raise", **options)

    with pytest.raises(InvalidRequestError) as caught:
        await pipeline.rerank(reranker, items)

    assert caught.value.message.startswith(f"document 1 has an image that cannot be sent: {reason}")
    assert pipeline.service.requests == []


async def test_texts_alone_are_no_error_if_the_user_wants_no_images(
    pipeline, make_reranker, items, caplog
):
    """With `image_mode="never"`, documents are ranked by their texts, and nothing is logged."""
    reranker = make_reranker(image_mode="never", unscorable="raise")

    assert await pipeline.names(reranker, items[:2]) == ["1", "0"]
    assert [each for each in caplog.records if each.levelname != "DEBUG"] == []


async def test_documents_that_were_not_ranked_do_not_pass_a_threshold(pipeline, make_reranker):
    """With `score_threshold`, only ranked documents are returned; `None` returns the others too."""
    items = pipeline.items("bread", " ", "capital of France")

    assert await pipeline.names(make_reranker(score_threshold=1), items) == ["2"]
    assert await pipeline.names(make_reranker(score_threshold=2), items) == []
    assert await pipeline.names(make_reranker(score_threshold=0), pipeline.items(" ", "")) == []
    assert await pipeline.names(make_reranker(), items) == ["2", "0", "1"]


async def test_a_refused_image_does_not_fail_the_call(pipeline, make_reranker, items, tmp_path):
    """If the service refuses one image, its text is ranked, and nothing is lost."""
    for name in ("paris.png", "rome.png"):
        (tmp_path / name).write_bytes(PNG)
    reranker = make_reranker(model=VISION_MODEL, image_root=tmp_path)
    refusal = error(400, "documents[1].image could not be decoded")
    pipeline.service.script(refusal, word_overlap)

    assert await pipeline.names(reranker, items) == ["1", "0", "2"]
    first, second = (request.documents for request in pipeline.service.requests)
    assert [first[0], first[2]] == [second[0], second[2]]
    assert (first[1]["text"], second[1]) == ("Paris is the capital of France.",) * 2


async def test_a_blank_query_is_logged(pipeline, make_reranker, caplog):
    """A blank query returns the retriever's order, cut to `top_n`, and warns."""
    reranker = make_reranker(top_n=1)

    found = await pipeline.rerank(reranker, pipeline.items("a", "b"), query=" ")

    assert [name for name, _ in pipeline.names_and_scores(found)] == ["0"]
    assert [each.levelname for each in caplog.records] == ["WARNING"]
    assert "the query is blank" in caplog.text
    assert pipeline.service.requests == []


def test_an_image_root_that_is_no_folder_is_refused(framework, tmp_path):
    """A folder that does not exist is refused when the reranker is made, copied or changed."""
    missing = tmp_path / "nowhere"
    message = f"image_root='{missing}' is not a folder: pass the folder that contains the images"
    reranker = framework.reranker_class(image_root=tmp_path)

    for make in (
        lambda: framework.reranker_class(image_root=missing),
        lambda: framework.reranker_class(image_root=str(missing)),
        lambda: reranker.model_copy(update={"image_root": missing}),
        lambda: setattr(reranker, "image_root", missing),
    ):
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert caught.value.message == message
    assert reranker.image_root == tmp_path


async def test_a_pickle_is_loaded_where_the_folder_does_not_exist(
    pipeline, make_reranker, items, tmp_path
):
    """A reranker is restored on a machine without the folder; a call that needs it is refused."""
    folder = tmp_path / "images"
    folder.mkdir()
    reranker = make_reranker(model=VISION_MODEL, image_root=folder)
    folder.rmdir()

    restored = pickle.loads(pickle.dumps(reranker))  # noqa: S301 - Made in this line

    assert restored.image_root == folder
    assert await pipeline.names(restored, items[:1]) == ["0"]
    with pytest.raises(ConfigurationError, match="is not a folder"):
        await pipeline.rerank(restored, items)
