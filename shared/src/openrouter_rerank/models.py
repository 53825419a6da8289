"""
The limits and features of the known rerank models. Models that are not listed work too.

Source: OpenRouter's model pages and the providers' documentation, November 2026. OpenRouter's
listing (`GET /api/v1/models?output_modalities=rerank`) names the models. Its `pricing` says "0" for
paid rerank models, so there are no prices here. `Ranking.usage.cost` is what a call has cost.
"""

from dataclasses import dataclass

__all__ = ["DEFAULT_MODEL", "MODELS", "RerankModel", "known_model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankModel:
    """One rerank model, as OpenRouter and the provider document it."""

    slug: str
    context_length: int | None = None
    """Tokens of the query and one document together. The rest is cut off without an error."""
    max_documents: int | None = None
    """Documents in one request. `None`: no limit is known."""
    max_request_bytes: int | None = None
    """Bytes, as UTF-8, of all documents in one request."""
    counts_query_with_each: bool = False
    """`True` if the query counts in `max_request_bytes`, once for each document."""
    takes_images: bool = False
    search_units: bool = False
    """`True` if it is billed by search units: a query with up to 100 documents is one unit."""
    is_listwise: bool = False
    """`True` if a score depends on the other documents, so that requests cannot be merged."""


SEARCH_UNIT = 100
"""The number of documents that are billed together."""
_VOYAGE_BYTES = 1_800_000
"""
Voyage's limit is 600,000 tokens, and the query counts once for each document. Ordinary text has at
least three bytes for a token, in any script.
"""
_NVIDIA_BYTES = 30_000_000
"""Requests with 30 MB of images have failed on NVIDIA's route."""

DEFAULT_MODEL = "cohere/rerank-v3.5"
"""The model of OpenRouter's own examples."""

_ALL = (
    RerankModel(
        slug="cohere/rerank-v3.5", context_length=4_096, max_documents=1_000, search_units=True
    ),
    RerankModel(
        slug="cohere/rerank-4-fast", context_length=32_768, max_documents=1_000, search_units=True
    ),
    RerankModel(
        slug="cohere/rerank-4-pro", context_length=32_768, max_documents=1_000, search_units=True
    ),
    RerankModel(slug="cohere/rerank-5-fast", context_length=32_768, max_documents=1_000),
    RerankModel(slug="cohere/rerank-5-pro", context_length=32_768, max_documents=1_000),
    RerankModel(
        slug="voyageai/rerank-2.5",
        context_length=32_000,
        max_documents=1_000,
        max_request_bytes=_VOYAGE_BYTES,
        counts_query_with_each=True,
    ),
    RerankModel(
        slug="voyageai/rerank-2.5-lite",
        context_length=32_000,
        max_documents=1_000,
        max_request_bytes=_VOYAGE_BYTES,
        counts_query_with_each=True,
    ),
    RerankModel(
        slug="voyageai/rerank-3",
        context_length=32_000,
        max_documents=1_000,
        max_request_bytes=_VOYAGE_BYTES,
        counts_query_with_each=True,
    ),
    RerankModel(
        slug="voyageai/rerank-3-lite",
        context_length=32_000,
        max_documents=1_000,
        max_request_bytes=_VOYAGE_BYTES,
        counts_query_with_each=True,
    ),
    RerankModel(slug="qwen/qwen3-reranker-8b", context_length=40_960),
    RerankModel(
        slug="nvidia/llama-nemotron-rerank-vl-1b-v2",
        context_length=10_240,
        max_documents=1_000,
        max_request_bytes=_NVIDIA_BYTES,
        takes_images=True,
    ),
)

MODELS = {model.slug: model for model in _ALL}
"""The known models by their slug, without a variant such as `:free`."""


def known_model(slug: str) -> RerankModel | None:
    """Return the model with this slug, with or without a variant such as `:free`, or `None`."""
    return MODELS.get(slug.partition(":")[0])
