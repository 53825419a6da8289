"""
Middleware for LangChain's agents: out of many tools, the model gets those that the question needs.

It needs the extra `agents`, so the package does not export it at the top.
"""

from collections.abc import Awaitable, Callable, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import BaseTool
from openrouter_rerank.client_options.values import number_in, whole_number
from openrouter_rerank.errors import ConfigurationError, OpenRouterRerankError, shown_value
from openrouter_rerank.reranker import CallOptions

from ._tool_selection import Selections, Turn
from .rerank import OpenRouterRerank

try:
    from langchain.agents.middleware.types import (
        AgentMiddleware,
        AgentState,
        ContextT,
        ModelRequest,
        ModelResponse,
    )
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"no module named {missing.name!r}, which the middleware needs: "
        "pip install 'langchain-openrouter-rerank[agents]'",
        name=missing.name,
    ) from missing


class RerankToolSelectorMiddleware(AgentMiddleware[AgentState[Any], ContextT]):
    """
    Offer the model only the tools that are most relevant to the last message of the user.

    ```python
    from langchain.agents import create_agent
    from langchain_openrouter_rerank.middleware import RerankToolSelectorMiddleware

    selector = RerankToolSelectorMiddleware(max_tools=8, always_include=["ask_the_user"])
    agent = create_agent("openrouter:openai/gpt-5-mini", tools=tools, middleware=[selector])
    ```

    The tools are ranked by their names and descriptions, once for each message of the user. All
    model calls until the next message get the same tools. Without a score threshold, nothing is
    sent if there are at most `max_tools` tools to choose from. If reranking fails, the model gets
    all tools until the next message, and a warning is logged. Tools that are run by the provider of
    the model are always kept.
    """

    def __init__(
        self,
        reranker: OpenRouterRerank | None = None,
        *,
        max_tools: int,
        always_include: str | Sequence[str] = (),
        min_score: float | None = None,
    ) -> None:
        """
        Select tools with `reranker`, or with a new reranker that has the default options.

        Args:
            reranker: The reranker. Its `top_n` and `on_error` do not apply here.
            max_tools: How many tools to select; at least 1.
            always_include: The name or names of tools to keep. They are neither ranked nor counted.
            min_score: Select only tools with at least this score, even if no tool is left. Each
                rerank model has its own scale.

        Raises:
            ConfigurationError: If a value is invalid, or does not fit the reranker.
        """
        super().__init__()
        self._reranker = _checked(reranker)
        self._max_tools = _checked_count(max_tools)
        self._always_include = _checked_names(always_include)
        self._min_score = min_score
        self._selections = Selections()
        if min_score is not None:
            # Raises here, not in the first model call, if the reranker cannot have a threshold.
            self._reranker.model_copy().score_threshold = min_score

    def wrap_model_call(
        self,
        request: "ModelRequest[ContextT]",
        handler: "Callable[[ModelRequest[ContextT]], ModelResponse[Any]]",
    ) -> "ModelResponse[Any] | AIMessage":
        """
        Call the model with the tools selected for this turn.

        Raises:
            ConfigurationError: If a tool of `always_include` does not exist.
        """
        turn = self._turn(request)
        if turn is None:
            return handler(request)
        shown = self._selections.get(turn.key)
        if shown is None:
            try:
                ranking = self._reranker.rerank(turn.texts, turn.query, **self._options())
            except OpenRouterRerankError as error:
                shown = turn.all_tools_after(error)
            else:
                shown = turn.selected(ranking)
            self._selections.add(turn.key, shown)
        return handler(turn.with_tools(request, shown))

    async def awrap_model_call(
        self,
        request: "ModelRequest[ContextT]",
        handler: "Callable[[ModelRequest[ContextT]], Awaitable[ModelResponse[Any]]]",
    ) -> "ModelResponse[Any] | AIMessage":
        """
        Call the model with the tools selected for this turn; no thread waits for the reranker.

        Raises:
            ConfigurationError: If a tool of `always_include` does not exist.
        """
        turn = self._turn(request)
        if turn is None:
            return await handler(request)
        shown = self._selections.get(turn.key)
        if shown is None:
            try:
                ranking = await self._reranker.arerank(turn.texts, turn.query, **self._options())
            except OpenRouterRerankError as error:
                shown = turn.all_tools_after(error)
            else:
                shown = turn.selected(ranking)
            self._selections.add(turn.key, shown)
        return await handler(turn.with_tools(request, shown))

    def _options(self) -> CallOptions:
        if self._min_score is None:
            return {"top_n": self._max_tools}
        return {"top_n": self._max_tools, "score_threshold": self._min_score}

    def _turn(self, request: "ModelRequest[ContextT]") -> Turn | None:
        """Return the turn to select tools for, or `None` if the model gets all tools."""
        tools = [tool for tool in request.tools if isinstance(tool, BaseTool)]
        names = {tool.name for tool in tools}
        if missing := sorted(self._always_include - names):
            raise ConfigurationError(
                f"always_include names {missing}, but the tools are {sorted(names)}"
            )
        candidates = tuple(tool for tool in tools if tool.name not in self._always_include)
        threshold = self._options().get("score_threshold", self._reranker.score_threshold)
        # With a threshold, few tools have to be ranked too: some may be below it.
        if len(candidates) <= (self._max_tools if threshold is None else 0):
            return None
        humans = (each for each in reversed(request.messages) if isinstance(each, HumanMessage))
        message = next(humans, None)
        if message is None or not message.text.strip():
            return None
        return Turn(message.id, message.text, candidates, self._reranker.model)


def _checked_count(max_tools: object) -> int:
    number = whole_number(number_in(max_tools))
    if number is not None and number > 0:
        return number
    raise ConfigurationError(
        f"max_tools must be a whole number, 1 or more, got {shown_value(max_tools)}"
    )


def _checked_names(names: object) -> frozenset[str]:
    given = [names] if isinstance(names, str) else names
    if isinstance(given, Sequence | AbstractSet) and all(isinstance(name, str) for name in given):
        return frozenset(given)
    raise ConfigurationError(
        f"always_include must be a list of names of tools, got {shown_value(names)}"
    )


def _checked(reranker: object) -> OpenRouterRerank:
    if reranker is None:
        return OpenRouterRerank()
    if isinstance(reranker, OpenRouterRerank):
        return reranker
    raise ConfigurationError(
        f"reranker is of type {type(reranker).__name__}: pass OpenRouterRerank(model=...)"
    )
