"""Describes, for the log, what a reranker has not ranked: how many, why, and what to do."""

from collections import Counter
from collections.abc import Collection, Iterable

from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.telemetry import SituationLog

from .placement import Sendable

# Reasons in one line. A call seldom has more than two.
_MOST_REASONS = 4
# Positions in one line.
_MOST_POSITIONS = 10


def report_unsent(log: SituationLog, sent: Sendable) -> None:
    """Report the images and the documents that are not sent. A new reason is a new situation."""
    size = len(sent.positions) + len(sent.unscorable)
    if sent.without_image:
        _report_reasons(
            log,
            "images",
            "%d of %d documents are ranked by text alone, because their images were not sent: %s",
            sent.without_image.values(),
            size,
        )
    if sent.unscorable:
        _report_reasons(
            log,
            "nothing to rank",
            f"%d of %d documents had nothing to rank, so they are {_where(sent)}: %s",
            sent.unscorable.values(),
            size,
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
    """
    Report the documents whose image, or everything, the service refused.

    Args:
        log: The log.
        positions: The positions of these documents.
        sent: What is left to send.
        error: The refusal.
    """
    shown = sorted(positions)
    more = f" and {len(shown) - _MOST_POSITIONS} more" if len(shown) > _MOST_POSITIONS else ""
    text = (
        "the service refused documents, so the call is made once more without their images: "
        "positions=%s%s. Documents that have nothing else are %s. The error was %s"
        if sent.documents
        else "the service refused documents, and no others are left to rank: positions=%s%s. They "
        "are %s. The error was %s"
    )
    # The message of the service may quote a document, or a signed URL.
    response = f"{type(error).__name__}, request id {error.request_id or 'unknown'}"
    log.report("refused", text, shown[:_MOST_POSITIONS], more, _where(sent), response)


def _report_reasons(
    log: SituationLog, name: str, text: str, reasons: Collection[str], size: int
) -> None:
    # Each name is remembered, so it has a few reasons at most.
    situation = "; ".join([name, *sorted(set(reasons))[:_MOST_REASONS]])
    # A lasting situation is met in every call, and then its text is seldom needed.
    if log.is_logged(situation):
        log.report(situation, text, len(reasons), size, _counted(reasons))


def _where(sent: Sendable) -> str:
    return "returned last, without a score" if sent.is_kept else "left out"


def _counted(reasons: Iterable[str]) -> str:
    """Return how many have which reason, the most frequent first."""
    found = Counter(reasons).most_common()
    parts = [f"{count} because {reason}" for reason, count in found[:_MOST_REASONS]]
    if rest := sum(count for _, count in found[_MOST_REASONS:]):
        parts.append(f"{rest} for other reasons")
    return ", ".join(parts)
