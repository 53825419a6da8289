"""
How the demo looks: the retriever's order and the reranked one side by side, and the bill.
"""

import sys
from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pipeline import Hit, Outcome
from openrouter_rerank.ranking import Ranking, Usage

_ROWS = 6
# In columns: below it there is room for names, but not for scores.
_NARROW = 70


def comparison(
    title: str, outcome: Outcome, passages: Mapping[str, Passage], *, width: int
) -> Table:
    """
    Lay out the first passages of both orders.

    Args:
        title: Above the table.
        outcome: What the pipeline has found.
        passages: All there are, by id.
        width: Of the terminal, in columns.
    """
    with_scores = width >= _NARROW
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, expand=True, pad_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("retriever", ratio=1, no_wrap=True, overflow="ellipsis")
    if with_scores:
        table.add_column("score", justify="right", no_wrap=True)
    table.add_column("reranked", ratio=1, no_wrap=True, overflow="ellipsis")
    if with_scores:
        table.add_column("score", justify="right", no_wrap=True)
    table.add_column("was", justify="right", no_wrap=True)

    was = {hit.id: place for place, hit in enumerate(outcome.retrieved, start=1)}
    pairs = zip(outcome.retrieved, outcome.reranked, strict=True)
    for place, (found, ranked) in enumerate(list(pairs)[:_ROWS], start=1):
        left, right = [_named(passages[found.id])], [_named(passages[ranked.id])]
        if with_scores:
            left.append(_score(found))
            right.append(_score(ranked))
        table.add_row(str(place), *left, *right, _move(was[ranked.id], place))
    return table


def _named(passage: Passage) -> Text:
    said = passage.text.removeprefix(passage.title)
    return Text.assemble((passage.title, "bold"), " ", (" ".join(said.split()), "dim"))


def _score(hit: Hit) -> Text:
    return Text("-" if hit.score is None else f"{hit.score:.3f}", style="cyan")


def _move(was: int, place: int) -> Text:
    """Show where a passage was, in green if it rose and in red if it fell."""
    return Text(str(was), style="green" if was > place else "red" if was < place else "dim")


def answered_by(rankings: Sequence[Ranking]) -> str:
    """Tell who answered, as the answers say it themselves."""
    found = {
        f"{ranking.served_model or ranking.model}, {ranking.provider or 'provider not told'}"
        for ranking in rankings
    }
    return "; ".join(sorted(found)) or "nobody: nothing was sent"


def bill(rankings: Sequence[Ranking], *, seconds: float) -> str:
    """Sum up what the answers say of themselves, and the time that they took."""
    cost = Usage.total(ranking.usage for ranking in rankings).cost
    return (
        f"{seconds:.1f} seconds to retrieve and rerank, "
        f"{sum(len(ranking.requests) for ranking in rankings)} requests, "
        f"{sum(len(ranking.results) for ranking in rankings)} documents, "
        + ("cost not told" if cost is None else f"{cost:.4f} US dollars")
    )


def console() -> Console:
    """Make the console of this terminal, or of the file or pipe that stands in for it."""
    # A pipe may have an encoding without the letters of the passages.
    if (reconfigure := getattr(sys.stdout, "reconfigure", None)) is not None:
        reconfigure(errors="replace")
    return Console(highlight=False, markup=False, emoji=False)
