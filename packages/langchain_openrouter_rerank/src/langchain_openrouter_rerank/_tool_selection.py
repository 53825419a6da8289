"""The selection of tools for one turn of an agent, and a cache of the last selections."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from langchain_core.tools import BaseTool
from openrouter_rerank.ranking import Ranking

if TYPE_CHECKING:
    from langchain.agents.middleware.types import ContextT, ModelRequest

# More than the number of turns in progress in one process. An entry is a digest and some names.
_MAX_TURNS: Final = 1024


@dataclass(frozen=True, slots=True)
class Turn:
    """
    All that a selection of tools depends on.

    A turn is everything that an agent does between two messages of the user.
    """

    message_id: str | None
    query: str
    candidates: tuple[BaseTool, ...]
    called: frozenset[str]
    """The names of the tools that were called in this conversation."""
    model: str

    @property
    def texts(self) -> list[str]:
        """The texts to rank: the name and the description of each tool."""
        return [f"{tool.name}: {tool.description}" for tool in self.candidates]

    @property
    def key(self) -> bytes:
        """The key of this turn in `Selections`."""
        # The graph gives each message an id, so the same question in a later turn has another key,
        # and is ranked again if the first turn failed. The contents are in the key too, because
        # users may set the ids, and tools may change during a turn.
        identity = json.dumps([self.message_id, self.query, self.model, *self.texts])
        return hashlib.sha256(identity.encode()).digest()

    def selected(self, ranking: Ranking) -> tuple[str, ...]:
        """Return the names of the tools that `ranking` keeps, best first."""
        return tuple(self.candidates[ranked.index].name for ranked in ranking.results)

    def with_tools(
        self, request: "ModelRequest[ContextT]", selected: Sequence[str], *, is_ordered: bool
    ) -> "ModelRequest[ContextT]":
        """
        Return `request` without the candidates that are neither selected nor called.

        Args:
            request: The request with all tools.
            selected: The names of the selected tools.
            is_ordered: Put the selected tools first, in this order.
        """
        hidden = {tool.name for tool in self.candidates} - self.called - {*selected}
        shown = [
            tool
            for tool in request.tools
            if not (isinstance(tool, BaseTool) and tool.name in hidden)
        ]
        if is_ordered:
            places = {name: place for place, name in enumerate(selected)}
            shown.sort(key=lambda tool: places.get(_name(tool), len(places)))
        return request.override(tools=shown)


def _name(tool: BaseTool | dict[str, Any]) -> str:
    # Tools of the model's provider are mappings, which are not ranked.
    return tool.name if isinstance(tool, BaseTool) else ""


class Selections:
    """
    The names of the tools selected in the last 1,024 turns.

    Threads and event loops may share one instance without a lock, which a forked child might find
    locked: each operation of an `OrderedDict` is atomic.
    """

    def __init__(self) -> None:
        self._selected: OrderedDict[bytes, tuple[str, ...]] = OrderedDict()

    def get(self, key: bytes) -> tuple[str, ...] | None:
        """Return the selection of a turn, or `None` if it is not stored."""
        selected = self._selected.get(key)
        # Another thread may have dropped it meanwhile.
        with suppress(KeyError):
            self._selected.move_to_end(key)
        return selected

    def add(self, key: bytes, selected: tuple[str, ...]) -> None:
        """Store the selection of a turn; if there are too many, drop the least recently used."""
        self._selected[key] = selected
        if len(self._selected) > _MAX_TURNS:
            self._selected.popitem(last=False)
