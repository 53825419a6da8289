"""PIL images in LangChain's documents: when and where they are encoded, and in which format."""

import base64
import io
import subprocess
import sys
import threading

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.pillow import is_pillow
from PIL import Image

VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2"
RED = (255, 0, 0)


def red_image():
    """Return a red image of PIL."""
    return Image.new("RGB", (8, 4), RED)


def image_from_file(image_format):
    """Return an image of PIL that was opened from a file."""
    file = io.BytesIO()
    red_image().save(file, format=image_format)
    return Image.open(file)


def decoded(uri):
    """Return the image in a data URI."""
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.fixture
def vision_reranker(make_reranker):
    """A reranker whose model accepts images."""
    return make_reranker(model=VISION_MODEL, image_key="photo")


@pytest.fixture
def sent_documents(compress, vision_reranker, local_openrouter):
    """Return a function that reranks documents and returns the documents of the request."""

    async def sent_documents(*documents):
        await compress(vision_reranker, documents, "a cat")
        return local_openrouter.requests[-1].documents if local_openrouter.requests else []

    return sent_documents


@pytest.mark.parametrize(
    ("mode_of_image", "sent_mode"),
    [
        *[(mode, mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")],
        *[("I", "I;16"), ("F", "RGB"), ("CMYK", "RGB"), ("YCbCr", "RGB"), ("HSV", "RGB")],
    ],
)
async def test_images_of_every_mode_are_sent(sent_documents, mode_of_image, sent_mode):
    """An image is sent as a PNG. If PNG does not support its mode, it is converted."""
    image = Image.new(mode_of_image, (8, 4))

    [document] = await sent_documents(Document("", metadata={"image": image}))

    assert document["image"].startswith("data:image/png;base64,")
    assert decoded(document["image"]).size == (8, 4)
    assert decoded(document["image"]).mode == sent_mode


async def test_the_sent_image_has_the_same_pixels(sent_documents):
    """The image in the request has the pixels of the PIL image."""
    [document] = await sent_documents(Document("A cat", metadata={"photo": red_image()}))

    assert document["text"] == "A cat"
    assert decoded(document["image"]).getpixel((7, 3)) == RED


async def test_a_jpeg_is_sent_as_a_jpeg(sent_documents):
    """An image from a JPEG file is not converted to a PNG, which would be larger."""
    [document] = await sent_documents(Document("", metadata={"image": image_from_file("JPEG")}))

    assert document["image"].startswith("data:image/jpeg;base64,")
    assert decoded(document["image"]).format == "JPEG"


async def test_a_jpeg_keeps_its_quality(sent_documents):
    """A JPEG is encoded as it was, so that it does not get larger or worse."""
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(file, format="JPEG", quality=10)
    image = Image.open(file)

    [document] = await sent_documents(Document("", metadata={"image": image}))

    assert decoded(document["image"]).quantization == image.quantization


def test_nothing_is_an_image_of_a_library_that_is_not_imported(monkeypatch):
    """PIL is not imported to look for its images."""
    monkeypatch.delitem(sys.modules, "PIL.Image")

    assert not is_pillow(object())


async def test_an_image_that_cannot_be_loaded_is_not_ranked(sent_documents):
    """A document with a damaged image is ranked by its text, or is unscorable without a text."""
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(file, format="PNG")
    damaged = Image.open(io.BytesIO(file.getvalue()[:200]))

    documents = await sent_documents(
        Document("", metadata={"image": damaged}),
        Document("A cat", metadata={"photo": damaged}),
        Document("A dog"),
    )

    assert documents == ["A cat", "A dog"]


async def test_an_image_in_the_metadata_of_a_text_is_not_sent(sent_documents):
    """If a document has a text, an image in a field that `image_key` does not name is not sent."""
    documents = await sent_documents(Document("A cat", metadata={"image": red_image()}))

    assert documents == ["A cat"]


async def test_rerank_accepts_images(vision_reranker, local_openrouter):
    """`rerank` accepts a PIL image alone, and in a mapping with a text."""
    vision_reranker.rerank(
        [red_image(), {"text": "A cat", "image": red_image()}, "A text"], "a cat"
    )

    image, image_and_text, text = local_openrouter.requests[0].documents
    assert decoded(image["image"]).size == decoded(image_and_text["image"]).size == (8, 4)
    assert (image_and_text["text"], text) == ("A cat", "A text")


class ThreadRecordingImage(Image.Image):
    """An image that records the threads that encode it."""

    threads: set

    def save(self, *arguments, **options):
        """Record the thread and encode."""
        self.threads.add(threading.get_ident())
        super().save(*arguments, **options)


def thread_recording_image():
    """Return a red image that records the threads that encode it."""
    image = ThreadRecordingImage()
    image.threads = set()
    image.im = red_image().im
    image._mode, image._size = "RGB", (8, 4)  # noqa: SLF001 - PIL's plugins set these too
    return image


async def test_async_calls_encode_in_a_thread(vision_reranker):
    """Async calls do not encode images in the event loop."""
    image = thread_recording_image()
    await vision_reranker.acompress_documents([Document("", metadata={"image": image})], "a cat")
    await vision_reranker.arerank([image], "a cat")

    assert len(image.threads) >= 1
    assert threading.get_ident() not in image.threads


def test_only_the_best_image_of_a_document_is_encoded(local_openrouter, vision_reranker):
    """If a document has an image at a URL too, its PIL image is not encoded."""
    image = thread_recording_image()
    url = "https://example.com/cat.png"

    vision_reranker.compress_documents(
        [Document("", metadata={"image": image, "image_url": url})], "a cat"
    )

    assert local_openrouter.requests[0].documents == [{"image": url}]
    assert image.threads == set()


async def test_no_image_is_encoded_for_a_text_model(vision_reranker, sent_documents):
    """If the model accepts no images, none is encoded, and documents are ranked by their texts."""
    vision_reranker.model = "cohere/rerank-v3.5"
    images = [thread_recording_image(), thread_recording_image()]

    documents = await sent_documents(
        Document("A cat", metadata={"photo": images[0]}),
        Document("", metadata={"photo": images[1]}),
    )

    assert documents == ["A cat"]
    assert [image.threads for image in images] == [set(), set()]


def test_the_model_of_a_call_decides_if_images_are_sent(vision_reranker, local_openrouter):
    """A call with another model sends images only if that model accepts them."""
    documents = [Document("A cat", metadata={"photo": red_image()})]
    vision_reranker.compress_documents(documents, "a cat")
    vision_reranker.compress_documents(documents, "a cat", model="cohere/rerank-v3.5")

    image_and_text, text = (request.documents[0] for request in local_openrouter.requests)
    assert image_and_text.keys() == {"text", "image"}
    assert text == "A cat"


@pytest.mark.usefixtures("key_in_environment")
def test_pillow_is_not_imported_without_pil_images(local_openrouter):
    """A program without PIL images does not import Pillow."""
    program = """
import sys
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank
reranker = OpenRouterRerank()
reranker.compress_documents([Document("a", metadata={"image": object()}), Document("b")], "b")
sys.exit("PIL" in sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
    assert len(local_openrouter.requests) == 1
