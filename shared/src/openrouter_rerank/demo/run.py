"""
The whole demo: embeds the passages, asks the questions, and shows what reranking has changed.
"""

import time
from collections.abc import Sequence
from pathlib import Path

from openrouter_rerank.cli.summary import shown_cost
from openrouter_rerank.demo.asking import Answer, Asking, threads
from openrouter_rerank.demo.corpus import corpus
from openrouter_rerank.demo.introduction import PAID_QUESTIONS, has_key
from openrouter_rerank.demo.judgements import JudgedQuestion, Judgements, judgements
from openrouter_rerank.demo.presentation import Presentation, Report
from openrouter_rerank.demo.screen import Screen
from openrouter_rerank.demo.service import select_service
from openrouter_rerank.demo.vector_cache import user_cache_folder
from openrouter_rerank.demo.vectors import embed_all
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.ranking import Usage

EXAMPLE = "How do I keep money amounts exact, without binary rounding errors?"
"""The judged question that is shown in full. It was chosen because it convinces."""


def run(
    screen: Screen,
    frameworks: Sequence[str],
    questions: Sequence[str] = (),
    *,
    passages: int | None = None,
    cache: Path | None = None,
) -> Report:
    """
    Ask `questions`, or the judged ones, and show how reranking has changed the order.

    Args:
        screen: Where the results are shown.
        frameworks: The frameworks that are installed, the one that draws first.
        questions: Questions of the user, without judgements.
        passages: Search only this number of passages.
        cache: The folder for the vectors. By default, the user's cache folder.

    Raises:
        ConfigurationError: If no passage that answers a judged question is searched.
        OpenRouterRerankError: If a call failed.
    """
    start = time.perf_counter()
    folder = user_cache_folder() if cache is None else cache
    with screen.activity("Reading Python's documentation"):
        searched = corpus()[:passages]
        known = judgements(searched)
    asked = questions or [judged.question for judged in _selected(known)]
    embed = embed_all(screen, [*(each.text for each in searched), *asked], folder)
    service = select_service(folder)
    try:
        with threads(1) as loader:
            asking = Asking(loader, frameworks, searched, embed, service.settings)
            show = Presentation(screen, asking, frameworks, {each.id: each for each in searched})
            report = show.own(questions) if questions else show.judged(known, _selected(known))
    finally:
        service.save()
    screen.lines(_totals(asking.answers, seconds=time.perf_counter() - start))
    if not questions:
        screen.lines("Ask your own question:", "  openrouter-rerank demo How do I undo an import")
    return report


def _selected(known: Judgements) -> Sequence[JudgedQuestion]:
    """Return the judged questions to ask, the example first: all of them if they cost nothing."""
    if not known.questions:
        raise ConfigurationError(
            "no judged question can be answered by these passages. Raise --passages, or ask a "
            "question of your own: openrouter-rerank demo How do I undo an import"
        )
    ordered = sorted(known.questions, key=lambda judged: judged.question != EXAMPLE)
    return ordered[:PAID_QUESTIONS] if has_key() else ordered


def _totals(answers: Sequence[Answer], *, seconds: float) -> str:
    """Return the seconds, requests and cost of the whole demo."""
    rankings = [ranking for answer in answers for ranking in answer.rankings]
    requests = sum(len(ranking.requests) for ranking in rankings)
    cost = Usage.total(ranking.usage for ranking in rankings).cost
    return f"{seconds:.1f} seconds, {requests} requests, {shown_cost(cost)}"
