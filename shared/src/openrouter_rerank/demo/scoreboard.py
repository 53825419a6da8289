"""
The numbers over all judged questions, with those that got worse.
"""

from collections.abc import Iterator

from rich.text import Text

from openrouter_rerank.demo.comparison import Comparison
from openrouter_rerank.demo.measures import CUTOFF
from openrouter_rerank.demo.orders import shortened
from openrouter_rerank.demo.signs import Signs

_WORSE_SHOWN = 5


def scoreboard(
    found: Comparison, *, of: int, candidates: int, signs: Signs, width: int
) -> Iterator[Text]:
    """
    Yield the lines of the scoreboard.

    Args:
        found: The judged questions that were asked.
        of: The number of judged questions there are.
        candidates: How many passages the retriever has fetched for each question.
        signs: The signs that the output can write.
        width: The columns of the output.
    """
    count = len(found.changes)
    heading = f"{count} judged questions" if count == of else f"{count} of {of} questions"
    yield Text.assemble((f"{heading:<23}", "bold"), ("before   after", "dim"))
    for name, first in (("right passage first", 1), ("among the first three", 3)):
        before, after = found.among(first)
        yield _row(name, str(before), str(after), after - before, signs)
    low, high = found.ndcg
    yield _row(f"nDCG@{CUTOFF}", _decimals(low), _decimals(high), high - low, signs)
    yield Text("")
    better, worse, unchanged, missing = (
        len(found.of(verdict)) for verdict in ("better", "worse", "unchanged", "not found")
    )
    yield Text.assemble(
        (f"{signs.up} {better} better", "green"),
        "   ",
        (f"{signs.down} {worse} worse", "yellow"),
        f"   {unchanged} unchanged",
    )
    yield Text(f"  {missing} not among the {candidates} candidates")
    losses = sorted(found.of("worse"), key=lambda each: (each.before or 0) - (each.after or 0))
    for change in losses[:_WORSE_SHOWN]:
        places = f"{change.before} {signs.arrow} {change.after}"
        line = Text.assemble((f"{signs.down} {places:<8}", "yellow"), change.question)
        yield shortened(line, width, signs)
    if len(losses) > _WORSE_SHOWN:
        yield Text(f"  and {len(losses) - _WORSE_SHOWN} more")


def _row(name: str, before: str, after: str, gain: float, signs: Signs) -> Text:
    sign, style = (signs.up, "green") if gain > 0 else (signs.down, "yellow")
    return Text.assemble(
        f"  {name:<21}{before:>6} {signs.arrow:^3}",
        (f"{after:>4}", "bold"),
        (f" {sign}" if gain else "", style),
    )


def _decimals(value: float) -> str:
    """Return a number from 0 to 1 with two decimals, as in `.26`."""
    return f"{value:.2f}".removeprefix("0")
