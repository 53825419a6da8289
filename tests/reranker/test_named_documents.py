"""Which numbers in an error name a document, and which are counts, sizes and statuses."""

import pytest
from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import APIStatusError
from openrouter_rerank.reranker.refused_documents import refused_documents

# As many as a request may have, so that a count, a size or a status can be a wrong index.
DOCUMENTS = [RerankDocument(text=f"{at}", image=f"https://host/{at}.png") for at in range(600)]


def named(message):
    """Return the indexes of the documents that an error with `message` names."""
    return refused_documents(APIStatusError.of(400, message), DOCUMENTS)


COUNTS = (
    "Images: {} provided, at most {} allowed",
    "Documents: {} provided, at most {} allowed",
    "Too many documents: {}",
    "Too many documents. {} is the maximum",
    "Too many images: {} (maximum {})",
    "documents: {}",
    "documents {} exceed the maximum of {}",
    "{} documents exceed the limit {}",
    "{} images are too large",
    "document {} of {} is too long",
    "input {} tokens exceeds the maximum of {} tokens",
    "text {} characters, maximum {}",
    "image {} MB exceeds the maximum of {} MB",
    "image {}x{} is too large",
    "image {}.{} MB is too large",
    "image {}/{} could not be decoded",
    "at most {} documents per request",
    "maximum per document {}, got {}",
    "max image {}",
    "limit {} exceeded",
    "list index {} out of range",
    "Unexpected token at position {}",
    '{{"documents": {}, "limit": {}}}',
    '[{{"code":"too_big","maximum":{},"path":["documents"]}}]',
)


@pytest.mark.parametrize("message", COUNTS)
@pytest.mark.parametrize("first", [0, 3, 404, 512])
def test_a_count_or_a_size_names_no_document(message, first):
    """A number that says how many or how large is not an index."""
    assert named(message.format(first, 20)) == set()


@pytest.mark.parametrize(
    "message",
    [
        "HTTP 404 for the image",
        "Could not fetch image: 404",
        "image 404 Not Found",
        "image 403: Forbidden",
        "image 500 Internal Server Error",
        "document: 422",
        "Received 400 fetching image https://example.com/missing.png",
        "Model qwen/no-such-reranker does not exist",
        "Rate limit exceeded: free-models-per-min.",
    ],
)
def test_a_status_names_no_document(message):
    """A status of HTTP is not an index."""
    assert named(message) == set()


INDEXES = (
    "documents[{}].image: unsupported format",
    "documents.{}.image is not valid",
    "documents/{}/image is not valid",
    "body -> passages -> {} -> image: cannot decode",
    '[{{"code":"invalid_string","path":["documents",{},"image"],"message":"Invalid url"}}]',
    '{{"detail":[{{"loc":["body","passages",{},"image"],"msg":"cannot decode"}}]}}',
    '{{"raw":"{{\\"loc\\":[\\"passages\\",{}]}}"}}',
    '{{"index": {}, "error": "no image"}}',
    "index={}: no image",
    "Document {}: the image could not be fetched",
    "document #{} is too long: 9000 of 512 tokens",
    "document number {}, which has an image",
    "the input at index {} is no image",
    "text at position {} exceeds the maximum of 512 tokens",
    "Image of document {} is not a base64 data URI of a PNG image",
    "image {} could not be decoded",
    "image #{} could not be decoded",
    "images[{}] could not be decoded",
    "cannot decode image at position {}",
)


@pytest.mark.parametrize("message", INDEXES)
@pytest.mark.parametrize("index", [0, 7, 404, 599])
def test_an_index_names_its_document(message, index):
    """Paths and words that point to one document name it."""
    assert named(message.format(index)) == {index}


def test_several_indexes_name_several_documents():
    """Each index in an error counts."""
    assert named("items[1] and items[4] are invalid, as is document 7") == {1, 4, 7}
