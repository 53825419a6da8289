"""
Middleware for LangChain's agents: it selects tools, and reranks what search tools return.

It needs the extra `agents`, so the package does not export it at the top.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from langchain_core.documents import Document
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool
from openrouter_rerank.errors import ConfigurationError, OpenRouterRerankError
from openrouter_rerank.reranker import CallOptions, ErrorsSuppressed
from openrouter_rerank.telemetry import SituationLog

from ._conversation import called_tools, question_of
from ._middleware_options import (
    checked_count,
    checked_names,
    checked_on_failure,
    checked_score,
)
from ._tool_results import MismatchError, NoListError, NotRankedError, ToolResult, tool_result
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

if TYPE_CHECKING:
    from langchain.agents.middleware.types import ToolCallRequest
    from langgraph.types import Command

logger = logging.getLogger("openrouter_rerank")

OnFailure: TypeAlias = Literal["all", "none", "error"] | list[str] | tuple[str, ...]
"""
What the model gets if reranking the tools fails: all tools, none of those that would be ranked, the
tools with these names, or an error instead.
"""


class RerankToolSelectorMiddleware(AgentMiddleware[AgentState[Any], ContextT]):
    """
    Offer the model only the tools that are most relevant to the question of the conversation.

    ```python
    from langchain.agents import create_agent
    from langchain_openrouter_rerank.middleware import RerankToolSelectorMiddleware

    selector = RerankToolSelectorMiddleware(max_tools=8, always_include=["ask_the_user"])
    agent = create_agent("openrouter:openai/gpt-5-mini", tools=tools, middleware=[selector])
    ```

    The tools are ranked by their names and descriptions, once for each message of the user. The
    question is the user's last message. If it has fewer than 12 words, such as "yes, tomorrow",
    earlier messages precede it: at most 4 of the user, with the assistant's texts between them.

    All model calls until the next message get the same tools. Tools that the model has already
    called in this conversation stay, in addition to the selected ones. Tools that are run by the
    provider of the model are always kept. Without a score threshold, nothing is sent if there are
    at most `max_tools` tools to choose from.

    This saves tokens, but does not control access: a model can still call a hidden tool, for
    example because the prompt names it, and the agent executes the call.
    """

    def __init__(
        self,
        reranker: OpenRouterRerank | None = None,
        *,
        max_tools: int | None,
        always_include: str | Sequence[str] = (),
        min_score: float | None = None,
        on_failure: OnFailure = "all",
    ) -> None:
        """
        Select tools with `reranker`, or with a new reranker that has the default options.

        Args:
            reranker: The reranker. Its `top_n` and `on_error` do not apply here.
            max_tools: How many tools to select, at least 1. With `None` the model gets all tools,
                the most relevant first; otherwise the tools stay in the order of the agent.
            always_include: The name or names of tools to keep. They are neither ranked nor counted.
            min_score: Select only tools with at least this score, even if no tool is left. Each
                rerank model has its own scale.
            on_failure: What to do until the next message of the user if reranking fails: `"all"`
                keeps all tools, `"none"` selects none, a list selects the tools with these names,
                and `"error"` raises the error. Unless it is raised, a warning is logged. `"all"`
                is the default, because with more tools than necessary an agent still works.

        Raises:
            ConfigurationError: If a value is invalid, or does not fit the reranker.
        """
        super().__init__()
        self._reranker = _checked(reranker) or OpenRouterRerank()
        self._max_tools = checked_count("max_tools", max_tools)
        self._always_include = checked_names("always_include", always_include)
        self._min_score = min_score
        self._on_failure = checked_on_failure(on_failure)
        self._selections = Selections()
        if min_score is not None:
            # Raises here, not in the first model call, if the reranker cannot have a threshold.
            self._reranker.model_copy().score_threshold = checked_score("min_score", min_score)

    def wrap_model_call(
        self,
        request: "ModelRequest[ContextT]",
        handler: "Callable[[ModelRequest[ContextT]], ModelResponse[Any]]",
    ) -> "ModelResponse[Any] | AIMessage":
        """
        Call the model with the tools selected for this turn.

        Raises:
            ConfigurationError: If a tool of `always_include` or `on_failure` does not exist.
            OpenRouterRerankError: If reranking fails and `on_failure` is `"error"`.
        """
        turn = self._turn(request)
        if turn is None:
            return handler(request)
        selected = self._selections.get(turn.key)
        if selected is None:
            try:
                ranking = self._reranker.rerank(turn.texts, turn.query, **self._options())
            except OpenRouterRerankError as error:
                selected = self._selected_after(error, turn)
            else:
                selected = turn.selected(ranking)
            self._selections.add(turn.key, selected)
        return handler(turn.with_tools(request, selected, is_ordered=self._max_tools is None))

    async def awrap_model_call(
        self,
        request: "ModelRequest[ContextT]",
        handler: "Callable[[ModelRequest[ContextT]], Awaitable[ModelResponse[Any]]]",
    ) -> "ModelResponse[Any] | AIMessage":
        """
        Call the model with the tools selected for this turn; no thread waits for the reranker.

        Raises:
            ConfigurationError: If a tool of `always_include` or `on_failure` does not exist.
            OpenRouterRerankError: If reranking fails and `on_failure` is `"error"`.
        """
        turn = self._turn(request)
        if turn is None:
            return await handler(request)
        selected = self._selections.get(turn.key)
        if selected is None:
            try:
                ranking = await self._reranker.arerank(turn.texts, turn.query, **self._options())
            except OpenRouterRerankError as error:
                selected = self._selected_after(error, turn)
            else:
                selected = turn.selected(ranking)
            self._selections.add(turn.key, selected)
        return await handler(turn.with_tools(request, selected, is_ordered=self._max_tools is None))

    def _options(self) -> CallOptions:
        if self._min_score is None:
            return {"top_n": self._max_tools}
        return {"top_n": self._max_tools, "score_threshold": self._min_score}

    def _turn(self, request: "ModelRequest[ContextT]") -> Turn | None:
        """Return the turn to select tools for, or `None` if the model gets all tools."""
        tools = [tool for tool in request.tools if isinstance(tool, BaseTool)]
        names = {tool.name for tool in tools}
        fallback = frozenset() if isinstance(self._on_failure, str) else self._on_failure
        for option, wanted in (("always_include", self._always_include), ("on_failure", fallback)):
            if missing := sorted(wanted - names):
                raise ConfigurationError(
                    f"{option} names {missing}, but the tools are {sorted(names)}"
                )
        candidates = tuple(tool for tool in tools if tool.name not in self._always_include)
        threshold = self._options().get("score_threshold", self._reranker.score_threshold)
        # With a threshold, few tools have to be ranked too: some may be below it.
        if len(candidates) <= ((self._max_tools or 1) if threshold is None else 0):
            return None
        humans = [at for at, each in enumerate(request.messages) if isinstance(each, HumanMessage)]
        # What follows the last message of the user changes during the turn.
        asked = request.messages[: humans[-1] + 1] if humans else []
        query = question_of(asked)
        if not query:
            return None
        called = called_tools(request.messages)
        return Turn(asked[-1].id, query, candidates, called, self._reranker.model)

    def _selected_after(self, error: OpenRouterRerankError, turn: Turn) -> tuple[str, ...]:
        """Return the names of the tools to select after a failure, and log it, or raise it."""
        names = tuple(tool.name for tool in turn.candidates)
        if self._on_failure == "error":
            raise error
        if not isinstance(self._on_failure, str):
            names = tuple(name for name in names if name in self._on_failure)
        elif self._on_failure == "none":
            names = ()
        logger.warning(
            "reranking the tools failed, applying on_failure: selected=%d tools=%d error=%s "
            "message=%s",
            len(names),
            len(turn.candidates),
            type(error).__name__,
            error,
        )
        return names


class RerankToolResultsMiddleware(AgentMiddleware[AgentState[Any], ContextT]):
    """
    Rerank the documents that search tools return, before the model reads them.

    ```python
    from langchain.agents import create_agent
    from langchain_openrouter_rerank.middleware import RerankToolResultsMiddleware

    results = RerankToolResultsMiddleware(top_n=5, tools=["web_search"])
    agent = create_agent("openrouter:openai/gpt-5-mini", tools=tools, middleware=[results])
    ```

    The documents are ranked by their relevance to the question of the conversation, not by the
    query that the model gave to the tool. `RerankToolSelectorMiddleware` says what the question is.
    These results of a tool are lists of documents, if they hold two or more:

    - an artifact with `Document`s, as `create_retriever_tool` returns with `content_and_artifact`;
    - JSON, or content blocks, with a list of texts or of objects, also as the `results` of an
      object. An object's text is in `page_content`, `content`, `text`, `snippet` or `body`.

    Everything else reaches the model unchanged: errors, commands and other results. The content and
    the artifact of a message stay consistent. Scores are in the metadata of the `Document`s in the
    artifact. Items of JSON are not changed.

    A result is not changed, and a warning is logged once for each tool, in these cases:

    - Its content and its artifact cannot be matched.
    - Another list in its object has the same length, such as `ids`.
    - It has more than 1,000 documents or 1,000,000 characters of JSON.
    - It is not a list of documents, although `tools` names the tool.

    If reranking fails, `on_error` of the reranker decides: `"passthrough"` keeps the order of the
    tool and `top_n` of its documents.
    """

    def __init__(
        self,
        reranker: OpenRouterRerank | None = None,
        *,
        top_n: int | None = None,
        tools: str | Sequence[str] | None = None,
    ) -> None:
        """
        Rerank with `reranker`, or with a new `OpenRouterRerank(on_error="passthrough")`.

        Args:
            reranker: The reranker. By default an outage does not stop the agent.
            top_n: How many documents of a result to keep, at least 1. Default: as many as the
                reranker returns, which is all of them unless its options say otherwise.
            tools: The name or names of the tools whose results are reranked. Default: all tools
                that return a list of documents. Name them if other tools return lists, such as
                names of files, whose order or number matters.

        Raises:
            ConfigurationError: If a value is invalid.
        """
        super().__init__()
        self._reranker = _checked(reranker) or OpenRouterRerank(on_error="passthrough")
        self._top_n = checked_count("top_n", top_n)
        self._tools = None if tools is None else checked_names("tools", tools)
        self._situations = SituationLog()

    def wrap_tool_call(
        self,
        request: "ToolCallRequest",
        handler: "Callable[[ToolCallRequest], ToolMessage | Command[Any]]",
    ) -> "ToolMessage | Command[Any]":
        """
        Execute the tool, and return its result with the most relevant documents first.

        Raises:
            OpenRouterRerankError: If reranking fails and `on_error` of the reranker does not let
                the failure pass.
        """
        message = handler(request)
        found = self._found(request, message)
        if found is None:
            return message
        result, question = found
        documents = self._reranker.compress_documents(result.documents, question, **self._options())
        return self._message(request, result, documents)

    async def awrap_tool_call(
        self,
        request: "ToolCallRequest",
        handler: "Callable[[ToolCallRequest], Awaitable[ToolMessage | Command[Any]]]",
    ) -> "ToolMessage | Command[Any]":
        """
        Execute the tool, and return its result with the most relevant documents first.

        Raises:
            OpenRouterRerankError: If reranking fails and `on_error` of the reranker does not let
                the failure pass.
        """
        message = await handler(request)
        found = self._found(request, message)
        if found is None:
            return message
        result, question = found
        documents = await self._reranker.acompress_documents(
            result.documents, question, **self._options()
        )
        return self._message(request, result, documents)

    def _options(self) -> CallOptions:
        return {} if self._top_n is None else {"top_n": self._top_n}

    def _found(self, request: "ToolCallRequest", message: object) -> tuple[ToolResult, str] | None:
        """Return the result and the question, or `None` if the result stays as it is."""
        if (
            not isinstance(message, ToolMessage)
            or message.status == "error"
            or (self._tools is not None and request.tool_call["name"] not in self._tools)
        ):
            return None
        try:
            result = tool_result(message)
        except NotRankedError as error:
            # Most tools return no documents, but the user says that the named ones do.
            if self._tools is not None or not isinstance(error, NoListError):
                self._report(request, error)
            return None
        question = "" if result is None else _question(request)
        return (result, question) if result is not None and question else None

    def _message(
        self, request: "ToolCallRequest", result: ToolResult, documents: Sequence[Document]
    ) -> ToolMessage:
        try:
            return result.with_documents(documents)
        except MismatchError as error:
            # A subclass of the reranker has returned documents that it did not get.
            self._report(request, error)
            return result.message

    def _report(self, request: "ToolCallRequest", reason: NotRankedError) -> None:
        name = request.tool_call["name"]
        self._situations.report(
            f"{type(reason).__name__} {name}",
            "the result of the tool %s stays as it is, because %s",
            name,
            reason,
        )


def _question(request: "ToolCallRequest") -> str:
    # LangGraph allows a mapping, a list or a model as the state of a graph.
    state = request.state
    if isinstance(state, Mapping):
        state = state.get("messages", [])
    return question_of(state if isinstance(state, list) else getattr(state, "messages", []))


def _checked(reranker: object) -> OpenRouterRerank | None:
    with ErrorsSuppressed():  # The attributes of a user's object may raise any exception
        if reranker is None or isinstance(reranker, OpenRouterRerank):
            return reranker
    raise ConfigurationError(
        f"reranker is of type {type(reranker).__name__}: pass OpenRouterRerank(model=...)"
    )
