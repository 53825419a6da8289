"""
Reports calls: as OpenTelemetry spans, if the application uses OpenTelemetry, and in the log.

A span has numbers and names, but no content. Its attributes are those of OpenTelemetry's
conventions for generative AI and of OpenInference, where these define one.
"""

import functools
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

from ._version import __version__
from .errors import OpenRouterRerankError
from .ranking import Ranking

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer, TracerProvider

logger = logging.getLogger("openrouter_rerank")

# A pipeline that meets more has a name for each document or call, and would fill its log.
_MOST_SITUATIONS = 100


class SituationLog:
    """
    Logs a situation that lasts: as a WARNING the first time, then as DEBUG.

    A pipeline meets the same situation in each call, and its log must not fill up. Threads and
    event loops may share one log. After a hundred situations, new ones are logged as DEBUG too.
    """

    def __init__(self) -> None:
        self._warned: dict[str, object] = {}

    def share(self, other: "SituationLog") -> None:
        """Warn once together with `other`."""
        self._warned = other._warned  # noqa: SLF001 - Of this class

    def report(self, situation: str, text: str, *arguments: object) -> None:
        """
        Log `text`, with `arguments` in place of its `%s` and the like.

        Args:
            situation: The name of the situation, such as `"blank query"`. It must not quote a
                document.
            text: What happened, why, and what to do. It must not quote a document.
            *arguments: The values in the text, such as counts.
        """
        is_first = self._is_new(situation)
        if is_first:
            mark = object()
            # One step, so that of two threads only one warns.
            is_first = self._warned.setdefault(situation, mark) is mark
        logger.log(logging.WARNING if is_first else logging.DEBUG, text, *arguments)

    def is_logged(self, situation: str) -> bool:
        """Return `True` if a report would be logged now, so that its text is needed."""
        return logger.isEnabledFor(logging.WARNING if self._is_new(situation) else logging.DEBUG)

    def _is_new(self, situation: str) -> bool:
        return situation not in self._warned and len(self._warned) < _MOST_SITUATIONS


def traced(
    model: str, *, documents: int, top_n: int | None
) -> AbstractContextManager[Callable[[Ranking], None]]:
    """Return a context with a span for a call. It yields a function that records the ranking."""
    tracer = _tracer()
    if tracer is None:
        return nullcontext(_record_nothing)
    return _span(tracer, model, documents, top_n)


@contextmanager
def _span(
    tracer: "Tracer", model: str, documents: int, top_n: int | None
) -> Generator[Callable[[Ranking], None]]:
    from opentelemetry.trace import SpanKind, Status, StatusCode

    # Exceptions are not recorded, because the message of a server may quote a document.
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
            yield functools.partial(_record, span)
        except OpenRouterRerankError as error:
            span.set_attribute("error.type", type(error).__name__)
            span.set_attribute("openrouter.rerank.attempts", error.attempts)
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def _tracer() -> "Tracer | None":
    """Return the tracer, or `None` if no provider is set: spans cost a tenth of a call's time."""
    # It is not imported here, because that takes time. An application that uses OpenTelemetry has
    # imported it.
    if sys.modules.get("opentelemetry.trace") is None:
        return None
    from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider

    provider = get_tracer_provider()
    return None if isinstance(provider, ProxyTracerProvider) else _tracer_of(provider)


@functools.lru_cache(maxsize=1)
def _tracer_of(provider: "TracerProvider") -> "Tracer":
    return provider.get_tracer("openrouter_rerank", __version__)


def _record_nothing(ranking: Ranking) -> None:
    """Do nothing: there is no span."""


def _record(span: "Span", ranking: Ranking) -> None:
    span.set_attributes(span_attributes(ranking))


def span_attributes(ranking: Ranking) -> dict[str, str | int | float]:
    """Return the attributes of a span for `ranking`, without those the service did not report."""
    usage = ranking.usage
    found = {
        "gen_ai.response.id": ranking.id,
        "gen_ai.response.model": ranking.served_model,
        # No convention has a name for the cost. Langfuse reads this one.
        "gen_ai.usage.cost": usage.cost,
        "gen_ai.usage.input_tokens": usage.total_tokens,
        "openrouter.model": ranking.model,
        "openrouter.provider": ranking.provider,
        "openrouter.rerank.attempts": ranking.attempts,
        "openrouter.usage.cost": usage.cost,
        "openrouter.usage.search_units": usage.search_units,
    }
    return {name: value for name, value in found.items() if value is not None}
