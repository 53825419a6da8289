"""The selection of tools for one turn of an agent, and a cache of the last selections."""

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

    def selected(self, ranking: Ranking) -> frozenset[str]:
        """Return the names of the tools that `ranking` keeps."""
        return frozenset(self.candidates[ranked.index].name for ranked in ranking.results)

    def all_tools_after(self, error: OpenRouterRerankError) -> frozenset[str]:
        """Return the names of all tools, and log why."""
        logger.warning(
            "reranking the tools failed, the model sees all %d: %s: %s",
            len(self.candidates),
            type(error).__name__,
            error,
        )
        return frozenset(tool.name for tool in self.candidates)

    def with_tools(
        self, request: "ModelRequest[ContextT]", shown: frozenset[str]
    ) -> "ModelRequest[ContextT]":
        """Return `request` without the candidates that are not in `shown`, in the same order."""
        hidden = {tool.name for tool in self.candidates} - shown
        return request.override(
            tools=[
                tool
                for tool in request.tools
                if not (isinstance(tool, BaseTool) and tool.name in hidden)
            ]
        )


class Selections:
    """
    The names of the tools selected in the last 1,024 turns.

    Threads and event loops may share one instance.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shown: OrderedDict[bytes, frozenset[str]] = OrderedDict()

    def get(self, key: bytes) -> frozenset[str] | None:
        """Return the selection of a turn, or `None` if it is not stored."""
        with self._lock:
            if key in self._shown:
                self._shown.move_to_end(key)
            return self._shown.get(key)

    def add(self, key: bytes, shown: frozenset[str]) -> None:
        """Store the selection of a turn; if there are too many, drop the least recently used."""
        with self._lock:
            self._shown[key] = shown
            if len(self._shown) > _MAX_TURNS:
                self._shown.popitem(last=False)
