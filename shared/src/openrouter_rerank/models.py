"""
The limits and features of the known rerank models. Models that are not listed work too.

Source: OpenRouter's model pages and the providers' documentation, as of `CATALOGUE_DATE`.
OpenRouter's listing (`GET /api/v1/models?output_modalities=rerank`) names the models; its `pricing`
says "0" for paid rerank models, so nothing here is computed from it. `Ranking.usage.cost` is what a
call has cost.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Literal, TypeAlias, overload

__all__ = [
    "DEFAULT_MODEL",
    "MODELS",
    "ModelListing",
    "RerankModel",
    "known_model",
    "model_for",
]

CATALOGUE_DATE = date(2026, 11, 29)
"""The day on which the built-in data was compared with its sources."""

SEARCH_UNIT = 100
"""The number of documents that are billed together."""

DEFAULT_MODEL = "cohere/rerank-v3.5"
"""The model of OpenRouter's own examples."""

_VOYAGE_BYTES = 1_800_000
"""
Voyage's limit is 600,000 tokens, and the query counts once for each document. Ordinary text has at
least three bytes for a token, in any script.
"""
_NVIDIA_BYTES = 30_000_000
"""Requests with 30 MB of images have failed on NVIDIA's route, which serves both of its models."""

Billing: TypeAlias = Literal["search units", "tokens", "free"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankModel:
    """
    One rerank model, as OpenRouter and the provider document it.

    `None` and an empty tuple mean that nothing is documented.
    """

    slug: str
    """The name to send, without a variant such as `:free` if the model is a listed one."""
    aliases: tuple[str, ...] = ()
    """Other names of the model. Those of the built-in models are old: send `slug` instead."""
    context_length: int | None = None
    """Tokens of the query and one document together. The rest is cut off without an error."""
    query_length: int | None = None
    """Tokens of the query. The rest is cut off without an error."""
    max_documents: int | None = None
    """Documents in one request. `None`: no limit is known."""
    max_request_bytes: int | None = None
    """Bytes, as UTF-8, of all documents in one request."""
    counts_query_with_each: bool = False
    """`True` if the query counts in `max_request_bytes`, once for each document."""
    takes_images: bool = False
    """`True` if the model is known to take images."""
    image_formats: tuple[str, ...] = ()
    """The only MIME types of images that the model takes."""
    billing: Billing | None = None
    """
    What is paid for: search units (a query with up to 100 documents is one), tokens, or nothing.
    Models that are `"free"` are known only in their variant `:free`.
    """
    is_listwise: bool = False
    """`True` if a score depends on the other documents, so that requests cannot be merged."""
    price: str | None = None
    """The price in US dollars on `CATALOGUE_DATE`, as text to read: prices change."""
    expires: date | None = None
    """The day after which OpenRouter may remove the model."""
    replacement: str | None = None
    """The slug that OpenRouter names for this one."""
    derived_from: str | None = None
    """
    The author whose listed models the limits and modalities come from, because this model is not
    listed. `None`: the model is listed, or nothing is known of it.
    """

    @property
    def search_units(self) -> bool:
        """Return `True` if the model is billed by search units."""
        return self.billing == "search units"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelListing(Sequence[RerankModel]):
    """The rerank models of a service: a sequence of `RerankModel`s that says where it is from."""

    models: tuple[RerankModel, ...]
    """The models, in the order of the listing."""
    is_live: bool
    """`True` if the service has sent the listing, `False` if this is only the built-in data."""
    problem: str | None = None
    """Why there is no live listing. `None` if there is one."""

    @overload
    def __getitem__(self, index: int) -> RerankModel: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[RerankModel, ...]: ...
    def __getitem__(self, index: int | slice) -> RerankModel | tuple[RerankModel, ...]:
        return self.models[index]

    def __len__(self) -> int:
        return len(self.models)

    def __iter__(self) -> Iterator[RerankModel]:
        return iter(self.models)


def _cohere_by_unit(slug: str, context_length: int, price: str) -> RerankModel:
    return RerankModel(
        slug=slug,
        context_length=context_length,
        max_documents=1_000,
        billing="search units",
        price=price,
    )


def _cohere_by_token(slug: str, price: str) -> RerankModel:
    return RerankModel(
        slug=slug, context_length=32_768, max_documents=1_000, billing="tokens", price=price
    )


def _voyage(name: str, price: str) -> RerankModel:
    return RerankModel(
        slug=f"mongodb/{name}",
        aliases=(f"voyageai/{name}",),
        context_length=32_000,
        query_length=8_000,
        max_documents=1_000,
        max_request_bytes=_VOYAGE_BYTES,
        counts_query_with_each=True,
        billing="tokens",
        price=price,
    )


_ALL = (
    _voyage("rerank-2.5-lite", "$0.02 per million tokens"),
    _voyage("rerank-2.5", "$0.05 per million tokens"),
    _voyage("rerank-3-lite", "$0.02 per million tokens"),
    _voyage("rerank-3", "$0.05 per million tokens"),
    RerankModel(
        slug="qwen/qwen3-reranker-8b",
        context_length=40_960,
        billing="tokens",
        price="$0.20 per million tokens",
    ),
    RerankModel(slug="qwen/qwen3-reranker-0.6b", billing="tokens"),
    _cohere_by_token("cohere/rerank-5-fast", "$0.02 per million tokens"),
    _cohere_by_token("cohere/rerank-5-pro", "$0.05 per million tokens"),
    _cohere_by_unit("cohere/rerank-4-fast", 32_768, "$0.002 per search unit"),
    _cohere_by_unit("cohere/rerank-4-pro", 32_768, "$0.0025 per search unit"),
    _cohere_by_unit(
        "cohere/rerank-v3.5", 4_096, "$0.001 (Cohere) or $0.002 (Amazon Bedrock) per search unit"
    ),
    RerankModel(
        slug="nvidia/nemotron-3.5-rerank-8b",
        context_length=32_768,
        max_documents=512,
        max_request_bytes=_NVIDIA_BYTES,
        takes_images=True,
        image_formats=("image/jpeg", "image/png"),
        billing="free",
        price="free as `:free`, 20 requests per minute",
    ),
    RerankModel(
        slug="nvidia/llama-nemotron-rerank-vl-1b-v2",
        context_length=10_240,
        max_documents=512,
        max_request_bytes=_NVIDIA_BYTES,
        takes_images=True,
        billing="free",
        price="free as `:free`, 20 requests per minute",
    ),
)

MODELS: Mapping[str, RerankModel] = MappingProxyType({model.slug: model for model in _ALL})
"""The listed models by their slug, without aliases and without variants such as `:free`."""

_BY_NAME = {name: model for model in _ALL for name in (model.slug, *model.aliases)}

# The words by which another author's slug, such as `baseten/qwen3-reranker-4b`, names a family.
_FAMILY_WORDS = {
    "cohere": "cohere",
    "mongodb": "mongodb",
    "nemotron": "nvidia",
    "nvidia": "nvidia",
    "qwen": "qwen",
    "voyage": "mongodb",
}
# Characters. A longer string is not a slug, and is not kept in memory.
_LONGEST_SLUG = 200


def known_model(slug: str) -> RerankModel | None:
    """
    Return the listed model with this slug, or `None`.

    A model is found by its slug and its aliases, also with a variant (`:free`, `:nitro`) or a date
    (`cohere/rerank-5-fast-20261028`). If `slug` is an old name, the `slug` of the result is the new
    one. An alias such as `~cohere/rerank-latest` is not a listed model: the service decides which
    model it means.

    Args:
        slug: Any string.
    """
    return _BY_NAME.get(slug) or _BY_NAME.get(base_slug(slug))


def model_for(slug: str) -> RerankModel:
    """
    Return what is known of any slug: see `RerankModel.derived_from`.

    1. A listed model: as `known_model` returns it.
    2. Another slug of an author with listed models, or a slug with "rerank" and the name of such a
       family (`baseten/qwen3-reranker-4b`): the most cautious values of the family. These are the
       smallest limits, and images only if all its models take them. A limit that is too low costs
       another request; one that is too high fails the call.
    3. Any other slug: a record without limits.

    Args:
        slug: Any string.
    """
    found = _BY_NAME.get(slug)
    if found is None and len(slug) <= _LONGEST_SLUG:
        found = _resolved(slug)
    return found or RerankModel(slug=slug)


def image_model() -> str:
    """Return the slug to send of the first listed model that takes images."""
    found = next(model for model in _ALL if model.takes_images)
    return f"{found.slug}:free" if found.billing == "free" else found.slug


def base_slug(slug: str) -> str:
    """Return a slug without its variant and its date."""
    name = slug.partition(":")[0]
    rest, _, day = name.rpartition("-")
    return rest if len(day) == len("20261028") and day.isascii() and day.isdigit() else name


@functools.lru_cache(maxsize=256)
def _resolved(slug: str) -> RerankModel | None:
    return known_model(slug) or _of_family(slug)


def _of_family(slug: str) -> RerankModel | None:
    name = slug.lower()
    family = _FAMILIES.get(_author(name.removeprefix("~")))
    if family is None and "rerank" in name:
        family = next((_FAMILIES[of] for word, of in _FAMILY_WORDS.items() if word in name), None)
    return None if family is None else _most_cautious(slug, *family)


def _author(slug: str) -> str:
    return slug.partition("/")[0]


def _most_cautious(slug: str, author: str, models: Sequence[RerankModel]) -> RerankModel:
    formats = [{*model.image_formats} for model in models if model.image_formats]
    return RerankModel(
        slug=slug,
        context_length=_smallest(model.context_length for model in models),
        query_length=_smallest(model.query_length for model in models),
        max_documents=_smallest(model.max_documents for model in models),
        max_request_bytes=_smallest(model.max_request_bytes for model in models),
        counts_query_with_each=any(model.counts_query_with_each for model in models),
        takes_images=all(model.takes_images for model in models),
        image_formats=tuple(sorted(formats[0].intersection(*formats))) if formats else (),
        billing=_cautious_billing({model.billing for model in models}),
        is_listwise=any(model.is_listwise for model in models),
        derived_from=author,
    )


def _cautious_billing(billings: AbstractSet[Billing | None]) -> Billing | None:
    # Parts of whole search units cost a model that is billed by tokens nothing. That another model
    # is free is never assumed.
    if "search units" in billings:
        return "search units"
    return "tokens" if billings == {"tokens"} else None


def _smallest(limits: Iterator[int | None]) -> int | None:
    return min((limit for limit in limits if limit is not None), default=None)


_FAMILIES = {
    _author(name): (
        _author(model.slug),
        [each for each in _ALL if _author(each.slug) == _author(model.slug)],
    )
    for name, model in _BY_NAME.items()
}
