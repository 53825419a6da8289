"""
Tells OpenTelemetry of each call, if its API package is installed: numbers and names, no content.

Attributes follow the conventions of OpenTelemetry for generative AI and of OpenInference, where
they have a word; what a call has cost has none yet and stands under `openrouter.`.
"""

import functools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ._version import __version__
from .errors import OpenRouterRerankError
from .ranking import Ranking

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer


@contextmanager
def traced(
    model: str, *, documents: int, top_n: int | None
) -> Generator[Callable[[Ranking], None]]:
    """Open a span around a call; what is yielded notes the ranking that it came to."""
    tracer = _tracer()
    if tracer is None:
        yield _ignored
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode

    # Exceptions are not recorded: the words of a server may be those of a document.
    with tracer.start_as_current_span(
        f"rerank {model}",
        kind=SpanKind.CLIENT,
        attributes={
            "gen_ai.operation.name": "rerank",
            "gen_ai.provider.name": "openrouter",
            "gen_ai.request.model": model,
            "openinference.span.kind": "RERANKER",
            "reranker.model_name": model,
            "reranker.top_k": documents if top_n is None else min(top_n, documents),
            "openrouter.rerank.documents": documents,
        },
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            yield functools.partial(_noted, span)
        except OpenRouterRerankError as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_attribute("openrouter.rerank.attempts", error.attempts)
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


@functools.cache
def _tracer() -> "Tracer | None":
    try:
        from opentelemetry.trace import get_tracer
    except ImportError:
        return None
    return get_tracer("openrouter_rerank", __version__)


def _ignored(ranking: Ranking) -> None:
    """Note nothing: nobody listens."""


def _noted(span: "Span", ranking: Ranking) -> None:
    usage = ranking.usage
    found = {
        "gen_ai.response.id": ranking.id,
        "gen_ai.response.model": ranking.served_model,
        "gen_ai.usage.input_tokens": usage.total_tokens,
        "openrouter.model": ranking.model,
        "openrouter.provider": ranking.provider,
        "openrouter.usage.cost": usage.cost,
        "openrouter.usage.search_units": usage.search_units,
        "openrouter.rerank.attempts": ranking.attempts,
    }
    span.set_attributes({name: value for name, value in found.items() if value is not None})
