"""
The server: two tools, whose calls an `AsyncRerankClient` carries out.

Every failure of a call becomes a tool error, so that the language model reads it and the server
goes on.

It is the SDK's low-level server. `MCPServer` would ignore unknown arguments, quote documents in its
messages about wrong arguments, and send each result twice as indented text.
"""

import logging
import traceback
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from mcp import types
from mcp.server import Server, ServerRequestContext

from openrouter_rerank._version import __version__
from openrouter_rerank.budget import Budget
from openrouter_rerank.client import AsyncRerankClient
from openrouter_rerank.errors import ConfigurationError, OpenRouterRerankError
from openrouter_rerank.mcp.arguments import checked_arguments, checked_documents
from openrouter_rerank.mcp.errors import error_text
from openrouter_rerank.mcp.results import models_result, rerank_result, tool_error
from openrouter_rerank.mcp.tools import INSTRUCTIONS, LIST_RERANK_MODELS, RERANK, tools
from openrouter_rerank.models import DEFAULT_MODEL, MODELS, ModelListing

logger = logging.getLogger("openrouter_rerank.mcp")


class ToolCalls:
    """
    Calls both tools with one client, which is made when it is first needed.

    Args:
        model: The slug of the model for calls that name none.
        budget: The spending limit of all calls together. `None`: no limit.
    """

    def __init__(self, *, model: str, budget: Budget | None) -> None:
        self._model = model
        self._budget = budget
        self._client: AsyncRerankClient | None = None

    def problem(self) -> str | None:
        """Return why no call can be made, such as a missing key, or `None` if calls can be made."""
        try:
            self._usable_client()
        except ConfigurationError as error:
            return error_text(error)
        return None

    async def call(self, name: str, arguments: Mapping[str, object]) -> types.CallToolResult:
        """
        Call a tool, and return its result or a tool error.

        Args:
            name: The name of the tool.
            arguments: What the client sends: anything.
        """
        try:
            if name == RERANK:
                return await self._rerank(arguments)
            if name == LIST_RERANK_MODELS:
                # Some clients add an argument to the call of a tool that has none.
                return models_result(await self._listing(), self._model)
        except OpenRouterRerankError as error:
            return tool_error(error_text(error))
        except Exception as error:  # noqa: BLE001 - A defect is a tool error too
            return _defect(name, error)
        return tool_error(
            f"There is no such tool. The tools are {RERANK} and {LIST_RERANK_MODELS}."
        )

    async def aclose(self) -> None:
        """Close the client."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _rerank(self, given: Mapping[str, object]) -> types.CallToolResult:
        arguments = checked_arguments(given)
        model = arguments.model or self._model
        documents = checked_documents(arguments, model)
        ranking = await self._usable_client().rerank(
            arguments.query, documents, model=model, top_n=arguments.top_n
        )
        return rerank_result(ranking, documents if arguments.return_documents else None)

    async def _listing(self) -> ModelListing:
        try:
            return await self._usable_client().models()
        except ConfigurationError as error:
            built_in = tuple(MODELS.values())
            return ModelListing(models=built_in, is_live=False, problem=error_text(error))

    def _usable_client(self) -> AsyncRerankClient:
        if self._client is None:
            self._client = AsyncRerankClient(budget=self._budget)
        return self._client


def _defect(tool: str, error: Exception) -> types.CallToolResult:
    kind = type(error).__name__
    # Without the message of the error, which may quote a document.
    where = "".join(traceback.format_tb(error.__traceback__))
    logger.error("a tool failed: tool=%s error=%s\n%s", tool, kind, where)
    return tool_error(f"{tool} failed ({kind}). The log of the server says where.")


def create_server(*, model: str = DEFAULT_MODEL, budget: Budget | None = None) -> Server[ToolCalls]:
    """
    Return a server with the tools `rerank` and `list_rerank_models`.

    The key and the base URL come from the environment. Without a key the server starts too, so that
    clients can list its tools: a log line says what is missing, and so does each call.

    Args:
        model: The slug of the model for calls that name none.
        budget: The spending limit of all calls together. Default: no limit.
    """

    @asynccontextmanager
    async def lifespan(_: Server[ToolCalls]) -> AsyncGenerator[ToolCalls]:
        calls = ToolCalls(model=model, budget=budget)
        if (problem := calls.problem()) is not None:
            logger.error("rerank cannot be called yet: %s", problem)
        try:
            yield calls
        finally:
            await calls.aclose()

    async def list_tools(
        _: ServerRequestContext[ToolCalls], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return types.ListToolsResult(tools=tools(model))

    async def call_tool(
        context: ServerRequestContext[ToolCalls], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        return await context.lifespan_context.call(params.name, params.arguments or {})

    return Server(
        "openrouter-rerank",
        title="OpenRouter rerank",
        description="Ranks documents by their relevance to a query.",
        version=__version__,
        instructions=INSTRUCTIONS,
        lifespan=lifespan,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
