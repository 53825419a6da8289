"""PIL images among LangChain's documents: encoded when they are ranked, and not before."""

import base64
import io
import subprocess
import sys
import threading

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank
from PIL import Image

VISION_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2"
RED = (255, 0, 0)


def red():
    """Draw a red picture."""
    return Image.new("RGB", (8, 4), RED)


def from_file(kind):
    """Return a picture as one gets it by opening a file."""
    file = io.BytesIO()
    red().save(file, format=kind)
    return Image.open(file)


def decoded(uri):
    """Return the picture in a data URI."""
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


@pytest.fixture
def reranker(local_openrouter):
    """A reranker of a model that takes images."""
    return OpenRouterRerank(
        model=VISION_MODEL,
        image_key="photo",
        api_key=local_openrouter.api_key,
        base_url=local_openrouter.base_url,
    )


@pytest.fixture
def sent(mode, reranker, local_openrouter):
    """Rerank in each mode of code, and return what the service got."""

    async def sent(*documents):
        if mode == "sync":
            reranker.compress_documents(documents, "a cat")
        else:
            await reranker.acompress_documents(documents, "a cat")
        return local_openrouter.requests[-1].documents if local_openrouter.requests else []

    return sent


@pytest.mark.parametrize(
    "pixels", ["1", "L", "LA", "P", "RGB", "RGBA", "I", "I;16", "F", "CMYK", "YCbCr", "HSV"]
)
async def test_pictures_of_every_mode_are_sent(sent, pixels):
    """A picture goes out as a PNG, converted if PNG does not know its pixel mode."""
    picture = Image.new(pixels, (8, 4))

    [document] = await sent(Document("", metadata={"image": picture}))

    assert document["image"].startswith("data:image/png;base64,")
    assert decoded(document["image"]).size == (8, 4)


async def test_the_picture_is_the_one_that_was_given(sent):
    """What is sent has the same pixels."""
    [document] = await sent(Document("A cat", metadata={"photo": red()}))

    assert document["text"] == "A cat"
    assert decoded(document["image"]).getpixel((7, 3)) == RED


async def test_a_photograph_stays_a_jpeg(sent):
    """A picture from a JPEG file is not blown up to a PNG."""
    [document] = await sent(Document("", metadata={"image": from_file("JPEG")}))

    assert document["image"].startswith("data:image/jpeg;base64,")
    assert decoded(document["image"]).format == "JPEG"


async def test_a_picture_that_cannot_be_loaded_is_not_ranked(sent):
    """A damaged file ranks by its text, if it has one, and hurts nobody else."""
    file = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(file, format="PNG")
    cut = Image.open(io.BytesIO(file.getvalue()[:200]))

    documents = await sent(
        Document("", metadata={"image": cut}),
        Document("A cat", metadata={"photo": cut}),
        Document("A dog"),
    )

    assert documents == ["A cat", "A dog"]


async def test_a_picture_beside_a_text_is_left_alone(sent):
    """Without `image_key` naming its field, a picture beside a text is not looked at."""
    assert await sent(Document("A cat", metadata={"image": red()})) == ["A cat"]


async def test_pictures_are_items_of_rerank(reranker, local_openrouter):
    """A picture is ranked as it is, or in a mapping beside its text."""
    reranker.rerank([red(), {"text": "A cat", "image": red()}, "A text"], "a cat")

    picture, both, text = local_openrouter.requests[0].documents
    assert decoded(picture["image"]).size == decoded(both["image"]).size == (8, 4)
    assert (both["text"], text) == ("A cat", "A text")


class Camera(Image.Image):
    """A picture that tells which thread encodes it."""

    threads: set

    def save(self, *arguments, **options):
        """Note the thread."""
        self.threads.add(threading.get_ident())
        super().save(*arguments, **options)


def watched():
    """Return such a picture."""
    picture = Camera()
    picture.threads = set()
    picture.im = red().im
    picture._mode, picture._size = "RGB", (8, 4)  # noqa: SLF001 - How PIL's plugins are written.
    return picture


async def test_event_loops_do_not_encode(reranker):
    """Asynchronous calls encode in a thread, whatever calls them."""
    picture = watched()
    await reranker.acompress_documents([Document("", metadata={"image": picture})], "a cat")
    await reranker.arerank([picture], "a cat")

    assert len(picture.threads) >= 1
    assert threading.get_ident() not in picture.threads


def test_a_picture_not_needed_is_not_encoded(local_openrouter, reranker):
    """Of several images of a document, only the best is touched."""
    picture = watched()
    url = "https://example.com/cat.png"

    reranker.compress_documents(
        [Document("", metadata={"image": picture, "image_url": url})], "a cat"
    )

    assert local_openrouter.requests[0].documents == [{"image": url}]
    assert picture.threads == set()


async def test_a_picture_for_a_model_without_eyes_is_not_encoded(reranker, sent, local_openrouter):
    """Where no image is sent none is encoded; the text beside it is ranked, if there is one."""
    reranker.model = "cohere/rerank-v3.5"
    pictures = [watched(), watched()]

    documents = await sent(
        Document("A cat", metadata={"photo": pictures[0]}),
        Document("", metadata={"photo": pictures[1]}),
    )

    assert documents == ["A cat"]
    assert [picture.threads for picture in pictures] == [set(), set()]


def test_the_model_of_a_call_decides_whether_pictures_are_sent(reranker, local_openrouter):
    """A call with a model of its own sends what that model takes."""
    documents = [Document("A cat", metadata={"photo": red()})]
    reranker.compress_documents(documents, "a cat")
    reranker.compress_documents(documents, "a cat", model="cohere/rerank-v3.5")

    beside, alone = (each.documents[0] for each in local_openrouter.requests)
    assert beside.keys() == {"text", "image"}
    assert alone == "A cat"


@pytest.mark.usefixtures("key_in_environment")
def test_pillow_is_never_imported_for_others(local_openrouter):
    """Whoever has no such picture pays nothing for it."""
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
