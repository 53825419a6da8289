"""
An agent with 200 tools: a reranker selects the 5 that fit the question.

    pip install 'langchain-openrouter-rerank[agents]'
    python langchain_many_tools.py "Please archive the invoice 17."

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import sys
from collections.abc import Callable
from typing import Any

from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, ModelResponse, wrap_model_call
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import BaseTool, StructuredTool
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank.middleware import RerankToolSelectorMiddleware

ACTIONS = [
    *("approve", "archive", "create", "delete", "export"),
    *("list", "print", "share", "show", "update"),
]
OBJECTS = [
    *("account", "budget", "calendar", "contract", "customer", "delivery", "employee"),
    *("invoice", "machine", "meeting", "message", "offer", "order", "payment", "photo"),
    *("product", "project", "report", "room", "ticket"),
]


class ScriptedModel(GenericFakeChatModel):
    """A chat model with prepared messages."""

    def bind_tools(self, *_: object, **__: object) -> "ScriptedModel":
        """Accept any tools."""
        return self


def make_tool(action: str, thing: str) -> BaseTool:
    """Return a tool that does `action` with a `thing`."""

    def run(number: int) -> str:
        return f"{action} {thing} {number}: done"

    description = f"{action.capitalize()} the {thing} with this number."
    return StructuredTool.from_function(run, name=f"{action}_{thing}", description=description)


@wrap_model_call
def print_tools(
    request: ModelRequest, handler: Callable[[ModelRequest], ModelResponse[Any]]
) -> ModelResponse[Any]:
    """Print the tools that the model gets."""
    names = [tool.name for tool in request.tools if isinstance(tool, BaseTool)]
    print(f"The model gets {len(names)} tools:", ", ".join(names))
    return handler(request)


def main(question: str) -> None:
    """Print the tools that are selected for `question`, and what the agent does."""
    tools = [make_tool(action, thing) for thing in OBJECTS for action in ACTIONS]
    print(f"The agent has {len(tools)} tools.")
    call = {"name": "archive_invoice", "args": {"number": 17}, "id": "1"}
    script = [AIMessage("", tool_calls=[call]), AIMessage("The invoice is archived.")]
    agent = create_agent(
        # Use your chat model, for example "openrouter:openai/gpt-5-mini"
        ScriptedModel(messages=iter(script)),
        tools=tools,
        middleware=[RerankToolSelectorMiddleware(OpenRouterRerank(), max_tools=5), print_tools],
    )
    for message in agent.invoke({"messages": [HumanMessage(question)]})["messages"]:
        if message.text:
            print(f"{message.type}: {message.text}")


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Please archive the invoice 17.")
