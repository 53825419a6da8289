"""Which documents can be ranked, in which form they are sent, and the errors for the others."""

import pytest
from openrouter_rerank.documents import (
    RerankDocument,
    are_headed,
    checked_documents,
    longest_text,
)
from openrouter_rerank.errors import InvalidRequestError
from pydantic import BaseModel

PNG = "data:image/png;base64,iVBORw0KGgo="
URL = "https://host/cat.png"


class Page(BaseModel):
    """A document of another library, whose fields can be iterated."""

    text: str


class ShoutingText(str):
    """A string whose `str()` returns another text, like some members of an `Enum`."""

    __slots__ = ()

    def __str__(self):
        """Return a text that is not the content of the string."""
        return "LOUD"


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        pytest.param("a", "a", id="string"),
        pytest.param(" a\n", " a\n", id="string with surrounding blanks"),
        pytest.param("\ud83d", "\ud83d", id="lone surrogate"),
        pytest.param("\x00", "\x00", id="control character"),
        pytest.param({"text": "a"}, "a", id="text"),
        pytest.param({"text": "a", "image": None}, "a", id="text, no image"),
        pytest.param({"image": PNG}, RerankDocument(image=PNG), id="data URI"),
        pytest.param({"image": URL}, RerankDocument(image=URL), id="URL"),
        pytest.param({"image": URL, "text": None}, RerankDocument(image=URL), id="no text"),
        pytest.param({"image": URL, "text": " "}, RerankDocument(image=URL), id="blank text"),
        pytest.param({"image": URL, "text": ""}, RerankDocument(image=URL), id="empty text"),
        pytest.param(
            {"text": "a", "image": PNG}, RerankDocument(text="a", image=PNG), id="text and image"
        ),
        pytest.param(ShoutingText("a"), "a", id="subclass of str"),
        pytest.param(RerankDocument(text="a"), "a", id="value with text"),
        pytest.param(RerankDocument(image=PNG), RerankDocument(image=PNG), id="value with image"),
        pytest.param(
            RerankDocument(text="a", image=PNG), RerankDocument(text="a", image=PNG), id="both"
        ),
    ],
)
def test_accepted_forms_of_a_document(document, sent):
    """A document becomes its text, or a `RerankDocument` if it has an image."""
    assert checked_documents([document]) == (sent,)


def test_one_list_can_mix_all_forms():
    """One list can contain all forms and equal documents, and their order is kept."""
    documents = ["a", {"text": "b"}, {"image": PNG}, RerankDocument(text="a"), "a"]

    assert checked_documents(documents) == ("a", "b", RerankDocument(image=PNG), "a", "a")


@pytest.mark.parametrize("documents", [[], (), iter([]), {}.values()])
def test_an_empty_list_is_accepted(documents):
    """An empty list of documents is accepted."""
    assert checked_documents(documents) == ()


@pytest.mark.parametrize("documents", [("a", "b"), iter(["a", "b"]), {"a": 1, "b": 2}.keys()])
def test_any_iterable_is_accepted(documents):
    """Documents can be in any iterable."""
    assert checked_documents(documents) == ("a", "b")


def test_checked_documents_are_not_checked_again():
    """Checked documents are returned as they are, because checking thousands takes time."""
    checked = checked_documents(["a", {"image": PNG}])

    assert checked_documents(checked) is checked


@pytest.mark.parametrize(
    ("document", "message"),
    [
        pytest.param("", "documents[1] is blank: give it a text or an image, or", id="empty"),
        pytest.param(" \t\n\u3000", "documents[1] is blank", id="blank"),
        pytest.param({}, "documents[1] is blank", id="empty mapping"),
        pytest.param({"text": None}, "documents[1] is blank", id="null text"),
        pytest.param({"text": " ", "image": None}, "documents[1] is blank", id="blank text"),
        pytest.param(RerankDocument(), "documents[1] is blank", id="empty value"),
        pytest.param(None, "documents[1] is of type NoneType: pass a string, a m", id="None"),
        pytest.param(1, "documents[1] is of type int", id="number"),
        pytest.param(b"a", "documents[1] is of type bytes", id="bytes"),
        pytest.param(["a"], "documents[1] is of type list", id="list"),
        pytest.param(("a", "b"), "documents[1] is of type tuple", id="tuple"),
        pytest.param(
            {"content": "a"},
            "documents[1] has the unknown key 'content': use text and/or image",
            id="unknown key",
        ),
        pytest.param(
            {"text": "a", "title": "b"},
            "documents[1] has the unknown key 'title'",
            id="additional unknown key",
        ),
        pytest.param({1: "a"}, "documents[1] has the unknown key 1", id="key of another type"),
        pytest.param({"x" * 999: "a"}, "documents[1] has the unknown key 'xxx", id="long key"),
        pytest.param(
            {"text": 1}, "text of documents[1] is of type int: pass a string", id="number as text"
        ),
        pytest.param({"text": b"a"}, "text of documents[1] is of type bytes", id="text as bytes"),
        pytest.param(
            {"image": b"a"},
            "image of documents[1] is of type bytes: pass an http(s) URL, or what data_uri(data)",
            id="image as bytes",
        ),
        pytest.param(
            RerankDocument(text=1), "text of documents[1] is of type int", id="value with a number"
        ),
        pytest.param(
            {"image": "cat.png"},
            (
                "documents[1]: the image is neither an http(s) URL nor a data URI"
                " (for a file, pass data_uri(Path(...).read_bytes()))"
            ),
            id="path",
        ),
        pytest.param(
            {"image": "", "text": "a"}, "documents[1]: the image is neither", id="empty image"
        ),
        pytest.param(
            {"image": "data:image/png;base64,"},
            "documents[1]: the image is a data URI whose content",
            id="empty data URI",
        ),
    ],
)
def test_an_invalid_document_is_refused(document, message):
    """An invalid document is refused; the error has its position, the reason and what to do."""
    with pytest.raises(InvalidRequestError) as caught:
        checked_documents(["a", document])

    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 200


def test_an_invalid_image_is_not_quoted():
    """An invalid image is not quoted, because it can be any text, such as a patient's record."""
    with pytest.raises(InvalidRequestError, match=r"documents\[0\]: the image is") as caught:
        checked_documents([{"image": "John Doe was diagnosed with"}])

    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize("documents", [{"a", "b"}, frozenset("ab")], ids=["set", "frozenset"])
def test_a_set_is_refused(documents):
    """A set is refused, because its documents have no positions."""
    with pytest.raises(
        InvalidRequestError, match="must be a list of documents, got an object of type"
    ):
        checked_documents(documents)


@pytest.mark.parametrize(
    ("documents", "type_name"),
    [
        pytest.param("a text", "str", id="string"),
        pytest.param(b"a text", "bytes", id="bytes"),
        pytest.param({"text": "a"}, "dict", id="mapping"),
        pytest.param(RerankDocument(text="a"), "RerankDocument", id="value"),
        pytest.param(Page(text="a"), "Page", id="model of Pydantic"),
        pytest.param(None, "NoneType", id="None"),
        pytest.param(5, "int", id="number"),
    ],
)
def test_a_single_document_is_refused(documents, type_name):
    """A single document in place of a list is refused."""
    with pytest.raises(InvalidRequestError) as caught:
        checked_documents(documents)

    assert str(caught.value) == (
        f"documents must be a list of documents, got an object of type {type_name}: pass [...], "
        "with one item for each document"
    )


def test_the_input_is_not_changed():
    """The objects that were passed in are not changed."""
    mapping = {"text": " ", "image": PNG}
    documents = [mapping]

    checked_documents(documents)

    assert (documents, mapping) == ([mapping], {"text": " ", "image": PNG})


def test_signed_urls_have_different_hashes():
    """Images with equal ends, as signed URLs have, have different hashes."""
    signature = "?sv=2024-11-04&sp=r&se=2026-12-31T00:00:00Z&sig=" + "a" * 300
    images = [f"https://host/{number:06}.png{signature}" for number in range(1000)]

    assert len({hash(RerankDocument(image=image)) for image in images}) == 1000


@pytest.mark.parametrize(
    ("documents", "length"),
    [
        ([], 0),
        (["ab", "c"], 2),
        ([RerankDocument(text="abc", image=URL), "ab"], 3),
        ([RerankDocument(image=URL)], 0),
        ([("ab", "c"), ("a", "b")], 3),
    ],
)
def test_the_length_of_the_longest_text(documents, length):
    """The length is that of the text alone, without images, in any form of a document."""
    assert longest_text(documents) == length


@pytest.mark.parametrize(
    ("documents", "expected"),
    [
        ([("a", "b"), ("c", "d")], True),
        ([("a", "b"), "c"], False),
        (["a"], False),
        ([RerankDocument(text="a")], False),
        ([], False),
    ],
)
def test_headed_texts_are_recognized(documents, expected):
    """Documents are headed texts if there is at least one, and all of them are."""
    assert are_headed(documents) is expected


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (
            ("a", 0.5),
            "documents[1] is a tuple with a score: pass only the document, its first item",
        ),
        (("a", 5), "documents[1] is of type tuple: pass a string, a mapping"),
        (("a", 0.5, "b"), "documents[1] is of type tuple: pass a string, a mapping"),
        (["a", 0.5], "documents[1] is of type list: pass a string, a mapping"),
    ],
)
def test_a_document_with_a_score_is_refused(document, message):
    """The error of a pair of a document and its score says which part of it to pass."""
    with pytest.raises(InvalidRequestError) as caught:
        checked_documents(["a", document])

    assert str(caught.value).startswith(message)
