"""The situations of `docs/errors.md` that only rerankers meet, and those of `data_uri`."""

from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank import data_uri
from openrouter_rerank.local.stage import error

DOCUMENTS = [
    Document("Berlin is in Germany."),
    Document("Paris", metadata={"photo": "https://example.com/paris.png"}),
    Document(" "),
]


def compress(stage, documents, **options):
    """Rerank documents with a reranker of the stage."""
    OpenRouterRerank(
        base_url=stage.base_url,
        api_key=stage.api_key,
        **{"model": "nvidia/nemotron-3.5-rerank-8b:free", "image_key": "photo"} | options,
    ).compress_documents(documents, "capital of France")


def refused_image(stage):
    """The service refuses an image, and does not name it."""
    stage.always(error(400, "An image could not be decoded"))
    compress(stage, DOCUMENTS)


SITUATIONS = {
    "`image_root` is not a folder.": lambda _: OpenRouterRerank(image_root="/nowhere"),
    'With `unscorable="raise"`, a document has nothing to rank.': lambda stage: compress(
        stage, DOCUMENTS[::2], unscorable="raise"
    ),
    'With `unscorable="raise"`, an image cannot be sent.': lambda stage: compress(
        stage, DOCUMENTS, unscorable="raise", model="cohere/rerank-v3.5"
    ),
    "The service refuses an image, and does not name it.": refused_image,
    "Two scores would be written to one field.": lambda _: OpenRouterRerank(
        keep_retrieval_score=True, score_key="retrieval_score"
    ),
    "The score would be written to the field of the passage.": lambda _: OpenRouterRerank(
        score_key="relevance_passage"
    ),
    "`data_uri` gets a path.": lambda _: data_uri("paris.png"),
    "`data_uri` gets bytes that are no image.": lambda _: data_uri(b"hello"),
}
"""What raises each error, as a function of the stage."""
