"""
Writes docs/guides/models.md from the built-in models and from facts that were measured.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from openrouter_rerank.cli.latencies import LATENCIES
from openrouter_rerank.models import CATALOGUE_DATE, DEFAULT_MODEL, MODELS, RerankModel

UNKNOWN = "not documented"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of a model beyond its limits. Sources and dates are in the text of the page."""

    measured: str = UNKNOWN
    """Milliseconds, p50 / p95, in the public measurement through OpenRouter."""
    mrr: str = UNKNOWN
    """Mean reciprocal rank in the same measurement."""
    elo: str = UNKNOWN
    """Elo in the public evaluation by LLM judge."""
    languages: str = UNKNOWN
    calibrated: str = UNKNOWN


_COHERE_LANGUAGES = "English and others"
_CALIBRATED = "yes, says Cohere"

FACTS = {
    "mongodb/rerank-2.5-lite": Facts(mrr="0.864", elo="1520"),
    "mongodb/rerank-2.5": Facts(measured="783 / 830", mrr="0.905", elo="1544"),
    "mongodb/rerank-3-lite": Facts(),
    "mongodb/rerank-3": Facts(),
    "qwen/qwen3-reranker-8b": Facts(
        measured="935 / 5921", mrr="0.890", elo="1473", languages="more than 100"
    ),
    "qwen/qwen3-reranker-0.6b": Facts(languages="more than 100"),
    "cohere/rerank-5-fast": Facts(calibrated=_CALIBRATED),
    "cohere/rerank-5-pro": Facts(calibrated=_CALIBRATED),
    "cohere/rerank-4-fast": Facts(
        measured="724 / 792", mrr="0.838", elo="1510", languages=_COHERE_LANGUAGES
    ),
    "cohere/rerank-4-pro": Facts(
        measured="752 / 980", mrr="0.848", elo="1629", languages=_COHERE_LANGUAGES
    ),
    "cohere/rerank-v3.5": Facts(
        measured="719 / 1072",
        mrr="0.819",
        elo="1451",
        languages=_COHERE_LANGUAGES,
    ),
    "nvidia/nemotron-3.5-rerank-8b": Facts(),
    "nvidia/llama-nemotron-rerank-vl-1b-v2": Facts(),
}

_TEXT = """\
---
description: Which rerank model to choose, with prices, contexts and limits on {date}.
---

# Choose a model

Which rerank model is right for you? For text, start with the default, `{default}`, or with one
of the cheapest paid models:
{cheapest}.
For images, use `nvidia/nemotron-3.5-rerank-8b:free`; only NVIDIA's models take them. For documents
of more than about 2,700 English words, or 2,000 German words, choose a model with a larger context
than the default's 4,096 tokens. [Measure on your own questions](evaluate.md) before you decide.

## Prices and limits

Prices are those of {date}, in US dollars. Documents and bytes are the limits of one request.

<div class="stacked" markdown>

{limits}

</div>

- **Old names** (*was*) are found too, and a client logs one warning with the new name. Whether
  OpenRouter still answers under the old names is {unknown}.
- **Context**: the tokens of the query and one document together. Text behind it is cut off
  without an error: see [long documents](long-documents.md). Voyage's models (`mongodb/...`) also
  limit the query to 8,000 tokens.
- **Search unit**: a query with up to 100 documents. Documents of more than about 500 tokens count
  as several. [Cost](cost.md#price-by-number-of-candidates) compares the prices for 10 to 200
  candidates.
- **Voyage's limit** is 600,000 tokens, and the query counts once for each document. The client
  counts bytes, at three bytes per token.
- **NVIDIA's limits**: requests of 30 MB have failed. The documented limit is 512 documents.
- Lists that exceed a limit are [split and merged](long-documents.md#any-number-of-documents).

`Ranking.usage.cost` is what a call has cost. The current list of models is on
[OpenRouter's page](https://openrouter.ai/models?output_modalities=rerank), and in
[`client.models()`](#in-python) and `openrouter-rerank models`.

## Which model?

The default is `{default}`, because it is the model of OpenRouter's own examples. It is neither
the cheapest nor the strongest model:

- **Cheapest:** {free} cost nothing. They take at most 20 requests per minute, and NVIDIA may use
  what you send ([your data](#your-data)). The cheapest paid models are {cheapest}, for ${price}
  per million tokens. For example, 25 documents of 200 tokens cost about ${example} there, and
  $0.001 with `{default}`.
- **Strongest:** there are two public evaluations ([quality](#quality)). The best of the models
  here is `mongodb/rerank-2.5` in one, and `cohere/rerank-4-pro` in the other. `{default}` is the
  last of the models here in both. Models without a value in that table are in neither.
- **Fastest:** `mongodb/rerank-2.5-lite` has the shortest [response time](#latency) on
  OpenRouter's pages.
- **Long documents:** `{default}` has the shortest context. [Long documents](long-documents.md)
  can be ranked by their passages.

Set `model` to choose one. Each model has its own score scale: if you change the model, choose
`score_threshold` [again](candidates-and-thresholds.md#find-a-threshold).

## Latency

{latency}

- p50: OpenRouter's page of the model, {date}.
- Measured: published measurements through OpenRouter's endpoint, 26 documents per request, 2026.
  Qwen's 8B model needed 1.5 s for 256 documents, 3.5 s for 1,024 and 6.6 s for 2,048.

## Quality

{quality}

- MRR, the mean reciprocal rank (1 is best): a public measurement through OpenRouter's endpoint, 28
  questions with 26 text chunks each, August 2026. Without reranking, it is 0.483.
- Elo: a public evaluation of 12 rerank models on six data sets, judged by an LLM. Its date is
  {unknown}. `{default}` is the 10th.

Both evaluations are small, and use other documents than yours.

## Languages and scores

{languages}

- Languages: the providers' documentation, November 2026.
- Calibrated scores: Cohere says that a fixed threshold behaves alike for all queries. All recorded
  scores are from 0 to 1, but the scores of two models cannot be compared.

## Other names

- **Variants** such as `:free` and `:nitro`, and **dated slugs** such as
  `cohere/rerank-5-fast-20261028`, have the limits of their model.
- **New models** of an author in the table, and aliases such as `~cohere/rerank-latest`, have the
  most cautious limits of the author's listed models.
- All other models work too, without known limits. Set `max_documents_per_request`, and
  `image_mode="always"` if the model takes images.

## In Python

`known_model(slug)` returns the record of a listed model, or `None`. It finds old names, variants
and dated slugs too. `model_for(slug)` returns the record that the client uses for any slug. If
the model is not listed, `derived_from` names the author whose most cautious values it has.
`MODELS` has all listed models.

```python
from openrouter_rerank import known_model, model_for

print(known_model("voyageai/rerank-2.5").slug)
print(known_model("cohere/rerank-9"))
print(model_for("cohere/rerank-9").max_documents, model_for("cohere/rerank-9").derived_from)
```

```text
mongodb/rerank-2.5
None
1000 cohere
```

`client.models()` returns a `ModelListing`: the rerank models that OpenRouter lists today, with
their context, modalities, limits, billing, expiry and replacement. Without a network it returns
the built-in data, and says so. Prices and "free" are never read from the listing, because it says
"0" for paid rerank models.

```python
from openrouter_rerank import RerankClient

with RerankClient() as client:
    listing = client.models(timeout=5)
for model in listing:
    print(model.slug, model.context_length, model.takes_images, model.expires, model.replacement)
if not listing.is_live:
    print("built-in data:", listing.problem)
```

A client logs one warning for each model that has a new name or will be removed, and names the
replacement. It knows this from the built-in data, and from a listing that it has fetched.

## Your data

NVIDIA may use what you send to its `:free` models for training: queries, documents and images. Do
not send confidential data to them. `provider={{"data_collection": "deny"}}` restricts a call to
providers that do not collect data. The call fails if no such provider serves the model.
"""


def page() -> str:
    """Return the text of docs/guides/models.md."""
    models = [*MODELS.values()]
    prices = {
        model.slug: float(found[1])
        for model in models
        if (found := re.match(r"\$([\d.]+) per million tokens", model.price or ""))
    }
    price = min(prices.values())
    paid = [slug for slug in prices if prices[slug] == price]
    free = [f"{model.slug}:free" for model in models if model.billing == "free"]
    return _TEXT.format(
        date=f"{CATALOGUE_DATE.day} {CATALOGUE_DATE:%B %Y}",
        default=DEFAULT_MODEL,
        unknown=UNKNOWN,
        free=_listed(free),
        cheapest=_listed(paid),
        price=f"{price:.2f}",
        example=f"{25 * 200 * price / 1e6:.4f}",
        limits=_table(
            models,
            {
                "price": _price,
                "context": lambda model: _counted(model.context_length, "tokens", "context"),
                "images": _images,
                "limits of a request": _limits,
            },
        ),
        latency=_table(
            [model for model in models if model.slug in LATENCIES or _knows(model, "measured")],
            {
                "p50 in seconds": _p50,
                "measured p50 / p95 in ms": lambda model: FACTS[model.slug].measured,
            },
        ),
        quality=_table(
            [model for model in models if _knows(model, "mrr", "elo")],
            {
                "MRR": lambda model: FACTS[model.slug].mrr,
                "Elo": lambda model: FACTS[model.slug].elo,
            },
        ),
        languages=_table(
            models,
            {
                "languages": lambda model: FACTS[model.slug].languages,
                "calibrated scores": lambda model: FACTS[model.slug].calibrated,
            },
        ),
    )


def _knows(model: RerankModel, *names: str) -> bool:
    return any(getattr(FACTS[model.slug], name) != UNKNOWN for name in names)


def _p50(model: RerankModel) -> str:
    return LATENCIES.get(model.slug, UNKNOWN).removesuffix(" s")


def _table(models: Sequence[RerankModel], columns: dict[str, Callable[[RerankModel], str]]) -> str:
    rows = [["model", *columns], ["---"] * (len(columns) + 1)]
    rows += [[_names(each), *(cell(each) for cell in columns.values())] for each in models]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _names(model: RerankModel) -> str:
    return "<br>was ".join(f"`{name}`" for name in (model.slug, *model.aliases))


def _price(model: RerankModel) -> str:
    billed = model.billing or UNKNOWN
    return model.price or f"price {UNKNOWN}, billed by {billed}"


def _images(model: RerankModel) -> str:
    if not model.takes_images:
        return "no images"
    formats = [each.removeprefix("image/").upper() for each in model.image_formats]
    return f"images ({' and '.join(formats)} only)" if formats else "images"


def _limits(model: RerankModel) -> str:
    bytes_ = model.max_request_bytes
    documents = _counted(model.max_documents, "documents", "limits")
    return documents if bytes_ is None else f"{documents}, {_counted(bytes_, 'bytes', 'limits')}"


def _counted(limit: int | None, unit: str, what: str) -> str:
    return f"{what} {UNKNOWN}" if limit is None else f"{limit:,} {unit}"


def _listed(slugs: Sequence[str]) -> str:
    names = [f"`{slug}`" for slug in slugs]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


PAGES = {"docs/guides/models.md": page}
