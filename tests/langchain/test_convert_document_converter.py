"""The results of `document_converter`: what is ranked, and what is refused."""

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank._convert.documents import contents
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.reranker import Unscorable

from tests.langchain.converted_documents import PNG, URL, encoded, image, uri


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ("A text", "A text"),
        (uri(PNG), uri(PNG)),
        ("", ""),
        ({"text": "A text"}, "A text"),
        ({"text": "A text", "image": encoded(PNG)}, RerankDocument(text="A text", image=uri(PNG))),
        ({"image": PNG}, image(uri(PNG))),
        ({"type": "image", "url": URL}, image(URL)),
        (RerankDocument(text="A text"), RerankDocument(text="A text")),
        (None, Unscorable("document_converter found nothing to rank")),
    ],
)
def test_the_result_of_a_converter_is_ranked(result, expected):
    """The result of `document_converter` is ranked, and no other rule applies to the document."""
    document = Document("A cat", metadata={"title": "Cats", "image": URL})

    for names in ([], ["title"]):
        assert contents([document], converter=lambda _: result, rank_fields=names) == [expected]


@pytest.mark.parametrize("result", [17, ["A text"], b"bytes", Document("A text")])
def test_an_invalid_result_of_a_converter_is_an_error(result):
    """The error names `document_converter` and the position of the document."""

    def converter(document):
        return "A text" if document.page_content == "good" else result

    with pytest.raises(InvalidRequestError, match=r"document_converter returned .*documents\[1\]"):
        contents([Document("good"), Document("bad")], converter=converter)
