"""
Draws both orders of a question side by side, as lines without blanks at their ends.
"""

from collections.abc import Iterator, Mapping

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from openrouter_rerank.demo.measures import is_right
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pipeline import Outcome
from openrouter_rerank.demo.signs import Signs

# In columns. A narrower terminal has room for a sign and a number only.
_WIDE = 70
_RANK_WIDTH = 4


class OrderTable:
    """
    Draws the orders of one question.

    Args:
        outcome: Both orders.
        passages: All passages by id.
        grades: The grades of the judged passages by id, empty for a question without judgements.
        signs: The signs that the output can write.
        width: The columns of the output.
    """

    def __init__(
        self,
        outcome: Outcome,
        passages: Mapping[str, Passage],
        grades: Mapping[str, int],
        *,
        signs: Signs,
        width: int,
    ) -> None:
        self._retrieved = [hit.id for hit in outcome.retrieved]
        self._reranked = [hit.id for hit in outcome.reranked]
        self._old_ranks = {each: rank for rank, each in enumerate(self._retrieved, start=1)}
        self._passages = passages
        self._grades = grades
        self._signs = signs
        self._is_wide = width >= _WIDE
        self._change_width = len(f"{signs.up} up from 25" if self._is_wide else f"{signs.up}25")
        self._cell_width = (width - _RANK_WIDTH - self._change_width - 4) // 2

    def lines(self, first: int | None = None) -> Iterator[Text]:
        """
        Yield the heading and the rows.

        Args:
            first: The number of rows. The row from which the best right passage came follows.
                By default, all rows.
        """
        yield self._line("", Text("  retriever"), Text("  reranked"), Text(""), style="dim")
        shown = range(len(self._retrieved))[:first]
        for at in shown:
            yield self._row(at)
        right = next((each for each in self._reranked if is_right(each, self._grades)), None)
        if right is not None and (at := self._retrieved.index(right)) not in shown:
            yield Text(f"{self._signs.more:>3}", style="dim")
            yield self._line(str(at + 1), self._passage(right), Text(""), Text(""))

    def _row(self, at: int) -> Text:
        left, right = self._retrieved[at], self._reranked[at]
        return self._line(
            str(at + 1), self._passage(left), self._passage(right), self._change(right, at + 1)
        )

    def _line(self, rank: str, left: Text, right: Text, change: Text, style: str = "") -> Text:
        line = Text(f"{rank:>3} ", style=style)
        for cell in (left, right):
            fitted = shortened(cell, self._cell_width, self._signs)
            fitted.pad_right(self._cell_width - cell_len(fitted.plain))
            line.append_text(fitted).append("  ")
        line.append_text(change)
        line.rstrip()
        return line

    def _passage(self, passage_id: str) -> Text:
        passage = self._passages[passage_id]
        right = is_right(passage_id, self._grades)
        return Text.assemble(
            (f"{self._signs.right} " if right else "  ", "green"),
            (passage.title, "bold green" if right else "bold"),
            " ",
            (" ".join(passage.body.split()), "dim"),
        )

    def _change(self, passage_id: str, rank: int) -> Text:
        """Return how a passage moved, with a sign, so that the colour is not needed."""
        old_rank = self._old_ranks[passage_id]
        if old_rank == rank:
            return Text("")
        sign, word, style = (
            (self._signs.up, " up from ", "green")
            if old_rank > rank
            else (self._signs.down, " from ", "yellow")
        )
        return Text(f"{sign}{word if self._is_wide else ''}{old_rank}", style=style)


def shortened(text: Text, width: int, signs: Signs) -> Text:
    """Return `text`, or its beginning if it has more than `width` columns."""
    if cell_len(text.plain) <= width:
        return text
    beginning = text[: len(set_cell_size(text.plain, width - 1).rstrip())]
    return beginning.append(signs.cut)
