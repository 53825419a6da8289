"""What an agent's tools are selected from and for, and the selections of the last turns."""

import hashlib
import json
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from langchain_core.tools import BaseTool
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.ranking import Ranking

if TYPE_CHECKING:
    from langchain.agents.middleware.types import ContextT, ModelRequest

logger = logging.getLogger("openrouter_rerank")

# More than the turns that one process has under way; an entry is a digest and some names.
_TURNS_REMEMBERED: Final = 1024


@dataclass(frozen=True, slots=True)
class Turn:
    """What a selection is made of, and depends on."""

    message_id: str | None
    query: str
    choice: tuple[BaseTool, ...]
    model: str

    @property
    def texts(self) -> list[str]:
        """What is ranked: a tool's name and description, each."""
        return [f"{tool.name}: {tool.description}" for tool in self.choice]

    @property
    def key(self) -> bytes:
        """What tells this turn from others."""
        # The graph gives each message an id, so that a failed turn does not decide the next one.
        # Contents count too: ids may be given by users, and tools may change during a turn.
        whole = json.dumps([self.message_id, self.query, self.model, *self.texts])
        return hashlib.sha256(whole.encode()).digest()

    def selected(self, ranking: Ranking) -> frozenset[str]:
        """Return the names of the tools that `ranking` keeps."""
        return frozenset(self.choice[ranked.index].name for ranked in ranking.results)

    def all_after(self, error: OpenRouterRerankError) -> frozenset[str]:
        """Return the names of all tools, and say why."""
        logger.warning(
            "reranking the tools failed, the model sees all %d: %s: %s",
            len(self.choice),
            type(error).__name__,
            error,
        )
        return frozenset(tool.name for tool in self.choice)

    def narrowed(
        self, request: "ModelRequest[ContextT]", shown: frozenset[str]
    ) -> "ModelRequest[ContextT]":
        """Return `request` without the tools that are not `shown`, the others in their order."""
        hidden = {tool.name for tool in self.choice} - shown
        return request.override(
            tools=[
                tool
                for tool in request.tools
                if not (isinstance(tool, BaseTool) and tool.name in hidden)
            ]
        )


class Selections:
    """The selections of the last turns; threads and event loops may share them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: OrderedDict[bytes, frozenset[str]] = OrderedDict()

    def get(self, key: bytes) -> frozenset[str] | None:
        """Return what was selected for a turn, if that is remembered."""
        with self._lock:
            if key in self._shown:
                self._shown.move_to_end(key)
            return self._shown.get(key)

    def add(self, key: bytes, shown: frozenset[str]) -> None:
        """Remember what was selected for a turn, and forget the oldest of too many."""
        with self._lock:
            self._shown[key] = shown
            if len(self._shown) > _TURNS_REMEMBERED:
                self._shown.popitem(last=False)
