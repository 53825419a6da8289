"""
Formats the demo's output: the retriever's and the reranked order side by side, and the totals.
"""

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from openrouter_rerank.cli.summary import ranked_by, shown_cost
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pipeline import Hit, Outcome
from openrouter_rerank.ranking import Ranking, Usage

_ROWS = 6
# In columns. A narrower terminal has room for the passages, but not for their scores.
_MIN_WIDTH_FOR_SCORES = 70


def comparison_table(
    title: str, outcome: Outcome, passages: Mapping[str, Passage], *, width: int
) -> Table:
    """
    Return a table of the first passages of both orders.

    Args:
        title: The line above the table.
        outcome: The result of a pipeline.
        passages: All passages by id.
        width: The width of the terminal, in columns.
    """
    with_scores = width >= _MIN_WIDTH_FOR_SCORES
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("retriever", ratio=1, no_wrap=True, overflow="ellipsis")
    if with_scores:
        table.add_column("score", justify="right", no_wrap=True)
    table.add_column("reranked", ratio=1, no_wrap=True, overflow="ellipsis")
    if with_scores:
        table.add_column("score", justify="right", no_wrap=True)
    table.add_column("was", justify="right", no_wrap=True)

    old_ranks = {hit.id: rank for rank, hit in enumerate(outcome.retrieved, start=1)}
    pairs = zip(outcome.retrieved, outcome.reranked, strict=True)
    for rank, (retrieved, reranked) in enumerate(list(pairs)[:_ROWS], start=1):
        left, right = [_passage(passages[retrieved.id])], [_passage(passages[reranked.id])]
        if with_scores:
            left.append(_score(retrieved))
            right.append(_score(reranked))
        table.add_row(str(rank), *left, *right, _old_rank(old_ranks[reranked.id], rank))
    return table


def _passage(passage: Passage) -> Text:
    text = passage.text.removeprefix(passage.title)
    return Text.assemble((passage.title, "bold"), " ", (" ".join(text.split()), "dim"))


def _score(hit: Hit) -> Text:
    return Text("-" if hit.score is None else f"{hit.score:.3f}", style="cyan")


def _old_rank(old_rank: int, rank: int) -> Text:
    """Show the old rank of a passage, green if the new one is better and red if it is worse."""
    style = "green" if old_rank > rank else "red" if old_rank < rank else "dim"
    return Text(str(old_rank), style=style)


def models_and_providers(rankings: Sequence[Ranking]) -> str:
    """Return the models and providers that the responses name."""
    return "; ".join(sorted({*map(ranked_by, rankings)})) or "no request was sent"


def totals(rankings: Sequence[Ranking], *, seconds: float) -> str:
    """Return the total time, requests, documents and cost of `rankings`."""
    cost = Usage.total(ranking.usage for ranking in rankings).cost
    return (
        f"{seconds:.1f} seconds to retrieve and rerank, "
        f"{sum(len(ranking.requests) for ranking in rankings)} requests, "
        f"{sum(len(ranking.results) for ranking in rankings)} documents, {shown_cost(cost)}"
    )
