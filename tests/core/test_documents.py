"""Which documents can be ranked, in which form they are sent, and what is said of the others."""

import pytest
from openrouter_rerank.documents import RerankDocument, checked_documents
from openrouter_rerank.errors import InvalidRequestError

PNG = "data:image/png;base64,iVBORw0KGgo="
URL = "https://host/cat.png"


class Loud(str):
    """A string that writes itself in another way, as those of an `Enum` do."""

    __slots__ = ()

    def __str__(self):
        """Return something else than the text."""
        return "LOUD"


@pytest.mark.parametrize(
    ("document", "sent"),
    [
        pytest.param("a", "a", id="string"),
        pytest.param(" a\n", " a\n", id="string with blanks around"),
        pytest.param("\ud83d", "\ud83d", id="half a surrogate pair"),
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
        pytest.param(Loud("a"), "a", id="string of another class"),
        pytest.param(RerankDocument(text="a"), "a", id="value with text"),
        pytest.param(RerankDocument(image=PNG), RerankDocument(image=PNG), id="value with image"),
        pytest.param(
            RerankDocument(text="a", image=PNG), RerankDocument(text="a", image=PNG), id="both"
        ),
    ],
)
def test_forms_of_a_document(document, sent):
    """A document becomes its text, or a value with its image and the text beside it."""
    assert checked_documents([document]) == (sent,)


def test_forms_are_mixed():
    """One list may hold every form, twice if need be; the order stays."""
    documents = ["a", {"text": "b"}, {"image": PNG}, RerankDocument(text="a"), "a"]

    assert checked_documents(documents) == ("a", "b", RerankDocument(image=PNG), "a", "a")


@pytest.mark.parametrize("documents", [[], (), iter([]), {}.values()])
def test_no_documents(documents):
    """An empty list is no mistake."""
    assert checked_documents(documents) == ()


@pytest.mark.parametrize("documents", [("a", "b"), iter(["a", "b"]), {"a": 1, "b": 2}.keys()])
def test_any_iterable_of_documents(documents):
    """Whatever yields documents is taken for a list of them."""
    assert checked_documents(documents) == ("a", "b")


def test_what_was_checked_is_not_checked_again():
    """The framework packages pass on what they have made valid, which may be thousands."""
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
            {"text": "a", "title": "b"}, "documents[1] has the unknown key 'title'", id="one more"
        ),
        pytest.param({1: "a"}, "documents[1] has the unknown key 1", id="key of another type"),
        pytest.param({"x" * 999: "a"}, "documents[1] has the unknown key 'xxx", id="long key"),
        pytest.param(
            {"text": 1}, "text of documents[1] is of type int: pass a string", id="text a number"
        ),
        pytest.param({"text": b"a"}, "text of documents[1] is of type bytes", id="text as bytes"),
        pytest.param({"image": b"a"}, "image of documents[1] is of type bytes", id="image bytes"),
        pytest.param(
            RerankDocument(text=1), "text of documents[1] is of type int", id="value with a number"
        ),
        pytest.param(
            {"image": "cat.png"},
            "documents[1]: the image is neither an http(s) URL nor a data URI",
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
def test_bad_document(document, message):
    """A document that cannot be ranked is refused by its position, with the reason and the cure."""
    with pytest.raises(InvalidRequestError) as caught:
        checked_documents(["a", document])

    assert str(caught.value).startswith(message)
    assert len(str(caught.value)) < 200


def test_a_bad_image_is_not_quoted():
    """What stands where an image should be may be anything, a patient's file for instance."""
    with pytest.raises(InvalidRequestError, match=r"documents\[0\]: the image is") as caught:
        checked_documents([{"image": "John Doe was diagnosed with"}])

    assert "Doe" not in str(caught.value)


@pytest.mark.parametrize("documents", [{"a", "b"}, frozenset("ab")], ids=["set", "frozenset"])
def test_a_set_is_no_list_of_documents(documents):
    """A set has no positions, so an index would mean nothing."""
    with pytest.raises(InvalidRequestError, match="must be a list of documents, got one"):
        checked_documents(documents)


@pytest.mark.parametrize(
    ("documents", "kind"),
    [
        pytest.param("a text", "str", id="string"),
        pytest.param(b"a text", "bytes", id="bytes"),
        pytest.param({"text": "a"}, "dict", id="mapping"),
        pytest.param(RerankDocument(text="a"), "RerankDocument", id="value"),
        pytest.param(None, "NoneType", id="None"),
        pytest.param(5, "int", id="number"),
    ],
)
def test_one_document_is_no_list_of_documents(documents, kind):
    """A single document instead of a list is refused, not taken apart."""
    with pytest.raises(InvalidRequestError) as caught:
        checked_documents(documents)

    assert str(caught.value) == f"documents must be a list of documents, got one {kind}"


def test_the_input_is_not_changed():
    """Checking changes none of the objects that were passed in."""
    mapping = {"text": " ", "image": PNG}
    documents = [mapping]

    checked_documents(documents)

    assert (documents, mapping) == ([mapping], {"text": " ", "image": PNG})


def test_signed_urls_are_told_apart_at_once():
    """Documents whose images end alike, as signed URLs do, have hashes of their own."""
    signature = "?sv=2024-11-04&sp=r&se=2026-12-31T00:00:00Z&sig=" + "a" * 300
    images = [f"https://host/{at:06}.png{signature}" for at in range(1000)]

    assert len({hash(RerankDocument(image=image)) for image in images}) == 1000
