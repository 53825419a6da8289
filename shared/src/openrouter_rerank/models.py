"""
What is known of each rerank model. Models that are not listed here work too.

Source: OpenRouter's model pages and the providers' documentation, November 2026. OpenRouter's own
listing (`GET /api/v1/models?output_modalities=rerank`) names the models; its `pricing` says "0" for
paid rerank models, so no price is kept here: what a call has cost is in `Ranking.usage.cost`.
"""

from dataclasses import dataclass

__all__ = ["DEFAULT_MODEL", "MODELS", "RerankModel", "known_model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankModel:
    """What OpenRouter and the provider document about one rerank model."""

    slug: str
    context_length: int | None = None
    """Tokens that the query and one document may have together; the rest is cut off silently."""
    max_documents: int | None = None
    """How many documents one request may hold; `None` where no limit has been met."""
    max_request_bytes: int | None = None
    """UTF-8 bytes that the documents of one request may have."""
    counts_query_with_each: bool = False
    """Whether the query counts against that too, once for each document."""
    takes_images: bool = False
    search_units: bool = False
    """Whether it is billed by search unit: a query with up to 100 documents."""
    is_listwise: bool = False
    """Whether a score depends on the other documents, so that requests cannot be merged."""


SEARCH_UNIT = 100
"""Documents that are billed together."""
_VOYAGE_BYTES = 1_800_000
"""
Their limit is 600,000 tokens, those of the query once for each document; ordinary text has three
bytes a token or more, in any script.
"""
_NVIDIA_BYTES = 30_000_000
"""Of images; their route has failed at that."""

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
    """Tell what is known of `slug`, whatever variant (`:free`, `:nitro`) it asks for."""
    return MODELS.get(slug.partition(":")[0])
