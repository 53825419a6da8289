"""
Writes docs/guides/models.md from the built-in models and from facts that were measured.

`make generate` runs it, and a test compares the page with what it writes.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from openrouter_rerank.cli.latencies import LATENCIES
from openrouter_rerank.models import CATALOGUE_DATE, DEFAULT_MODEL, MODELS, RerankModel

PAGE = Path(__file__).parents[1] / "docs/guides/models.md"
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
# Models

The rerank models that the packages know, to help you choose one. Prices and limits are from
OpenRouter's model pages and the providers' documentation on {date}. Prices change:
`Ranking.usage.cost` is what a call has cost. The current list is on
[OpenRouter's page](https://openrouter.ai/models?output_modalities=rerank) and in `client.models()`.

`make generate` generates this page from `openrouter_rerank.MODELS`.

## Which model?

The default is `{default}`, because it is the model of OpenRouter's own examples. It is neither
the cheapest nor the strongest model:

- **Cheapest:** {free}
  cost nothing. They take at most 20 requests per minute, and NVIDIA may use what you send
  ([your data](#your-data)). The cheapest paid models are {cheapest},
  for ${price} per million tokens. For example, 25 documents of 200 tokens cost about ${example}
  there, and $0.001 with `{default}`.
- **Strongest:** there are two public evaluations ([quality](#quality)). The best of the models here
  is `mongodb/rerank-2.5` in one, and `cohere/rerank-4-pro` in the other. `{default}` is the
  last of the models here in both. Models without a value in that table are in neither.
- **Images:** only the models of NVIDIA take images.
- **Long documents:** text beyond the context is cut off without an error. `{default}` has
  the shortest context. [Long documents](long-documents.md) can be ranked by their passages.

Set `model` to choose one. Each model has its own score scale: if you change the model, choose
`score_threshold` again. Measure with your own documents.

## Prices and limits

Prices are those of {date}, limits are for one request.

{limits}

- The context is for the query and one document together. Voyage's models (`mongodb/...`) also
  limit the query to 8,000 tokens.
- A search unit is a query with up to 100 documents. Documents of more than about 500 tokens count
  as several.
- Voyage's limit is 600,000 tokens, and the query counts once for each document. The client counts
  bytes, at three bytes per token.
- Requests of 30 MB have failed at NVIDIA. Its documented limit is 512 documents.
- Lists that exceed a limit are split into several requests: see the README of `openrouter-rerank`.

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

## Names

{names}

- **Old names** are found too, and a client logs one warning with the new name. Whether OpenRouter
  still answers under the old names is {unknown}.
- **Variants** such as `:free` and `:nitro`, and **dated slugs** such as
  `cohere/rerank-5-fast-20261028`, have the limits of their model.
- **New models** of an author in this list, and aliases such as `~cohere/rerank-latest`, have the
  most cautious limits of the author's listed models. `model_for(slug)` returns them.
- All other models work too, without known limits. Set `max_documents_per_request`, and
  `image_mode="always"` if the model takes images.

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
                "price in US dollars": lambda model: model.price or UNKNOWN,
                "context in tokens": lambda model: _number(model.context_length),
                "input": _input,
                "documents": lambda model: _number(model.max_documents),
                "bytes": lambda model: _number(model.max_request_bytes),
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
        names=_table(
            [model for model in models if model.aliases],
            {"old name": lambda model: _listed(model.aliases)},
        ),
    )


def _knows(model: RerankModel, *names: str) -> bool:
    return any(getattr(FACTS[model.slug], name) != UNKNOWN for name in names)


def _p50(model: RerankModel) -> str:
    return LATENCIES.get(model.slug, UNKNOWN).removesuffix(" s")


def _table(models: Sequence[RerankModel], columns: dict[str, Callable[[RerankModel], str]]) -> str:
    rows = [["model", *columns], ["---"] * (len(columns) + 1)]
    rows += [[f"`{each.slug}`", *(cell(each) for cell in columns.values())] for each in models]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _input(model: RerankModel) -> str:
    if not model.takes_images:
        return "text"
    formats = [each.removeprefix("image/").upper() for each in model.image_formats]
    return f"text, images ({' and '.join(formats)} only)" if formats else "text, images"


def _number(limit: int | None) -> str:
    return UNKNOWN if limit is None else f"{limit:,}"


def _listed(slugs: Sequence[str]) -> str:
    names = [f"`{slug}`" for slug in slugs]
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
