"""Describes, for the log, what a reranker has not ranked: how many, why, and what to do."""

from collections import Counter
from collections.abc import Iterable

from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.telemetry import SituationLog

from .placement import Sendable

# Reasons in one line. A call seldom has more than two.
_MOST_REASONS = 4
# Positions in one line.
_MOST_POSITIONS = 10


def report_unsent(log: SituationLog, sent: Sendable) -> None:
    """Report the images and the documents that are not sent. A new reason is a new situation."""
    if sent.without_image:
        log.report(
            _situation("images", sent.without_image.values()),
            "images were not sent, so their documents are ranked by text alone: images=%d: %s",
            len(sent.without_image),
            _counted(sent.without_image.values()),
        )
    if sent.unscorable:
        log.report(
            _situation("nothing to rank", sent.unscorable.values()),
            "documents had nothing to rank, so they are %s: documents=%d: %s",
            _fate(sent),
            len(sent.unscorable),
            _counted(sent.unscorable.values()),
        )


def report_blank_query(log: SituationLog, documents: int) -> None:
    """Report a call with a blank query."""
    log.report(
        "blank query",
        "the query is blank, so nothing was ranked, and the retriever's order is returned: "
        "documents=%d. Check where the query comes from",
        documents,
    )


def report_refused(
    log: SituationLog, positions: Iterable[int], sent: Sendable, error: OpenRouterRerankError
) -> None:
    """Report the documents whose image, or everything, the service refused."""
    shown = sorted(positions)
    more = f" and {len(shown) - _MOST_POSITIONS} more" if len(shown) > _MOST_POSITIONS else ""
    log.report(
        "refused",
        "the service refused documents, so the call is made once more without their images: "
        "positions=%s%s. Documents that have nothing else are %s. The service said: %s",
        shown[:_MOST_POSITIONS],
        more,
        _fate(sent),
        error.message,
    )


def _situation(name: str, reasons: Iterable[str]) -> str:
    # Each name is remembered, so it has a few reasons at most.
    return "; ".join([name, *sorted(set(reasons))[:_MOST_REASONS]])


def _fate(sent: Sendable) -> str:
    return "returned last, without a score" if sent.is_kept else "left out"


def _counted(reasons: Iterable[str]) -> str:
    """Return how many have which reason, the most frequent first."""
    found = Counter(reasons).most_common()
    parts = [f"{count} because {reason}" for reason, count in found[:_MOST_REASONS]]
    if rest := sum(count for _, count in found[_MOST_REASONS:]):
        parts.append(f"{rest} for other reasons")
    return "; ".join(parts)
