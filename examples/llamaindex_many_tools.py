"""
A FunctionAgent with 200 tools: a reranker selects the 5 that fit the question.

    pip install llamaindex-openrouter-rerank 'llama-index-core>=0.14.25'
    python llamaindex_many_tools.py "Please archive the invoice 17."

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import asyncio
import sys
from collections.abc import Sequence

from llama_index.core import MockEmbedding
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms import MockFunctionCallingLLM
from llama_index.core.objects import ObjectIndex
from llama_index.core.tools import BaseTool, FunctionTool
from llamaindex_openrouter_rerank import OpenRouterRerank

ACTIONS = [
    *("approve", "archive", "create", "delete", "export"),
    *("list", "print", "share", "show", "update"),
]
OBJECTS = [
    *("account", "budget", "calendar", "contract", "customer", "delivery", "employee"),
    *("invoice", "machine", "meeting", "message", "offer", "order", "payment", "photo"),
    *("product", "project", "report", "room", "ticket"),
]


def make_tool(action: str, thing: str) -> FunctionTool:
    """Return a tool that does `action` with a `thing`."""

    def run(number: int) -> str:
        return f"{action} {thing} {number}: done"

    description = f"{action.capitalize()} the {thing} with this number."
    return FunctionTool.from_defaults(run, name=f"{action}_{thing}", description=description)


def call_and_report(
    messages: Sequence[ChatMessage], tools: Sequence[BaseTool] = (), **_: object
) -> ChatMessage:
    """Call a tool and answer with its result, and print the tools that the LLM gets."""
    if messages[-1].role == "tool":
        return ChatMessage(messages[-1].content, role="assistant")
    names = [tool.metadata.get_name() for tool in tools]
    print(f"The LLM gets {len(names)} tools:", ", ".join(names))
    call = ToolCallBlock(tool_name="archive_invoice", tool_kwargs={"number": 17}, tool_call_id="1")
    return ChatMessage(blocks=[call], role="assistant")


async def main(question: str) -> None:
    """Print the tools that are selected for `question`, and the agent's answer."""
    tools = [make_tool(action, thing) for thing in OBJECTS for action in ACTIONS]
    print(f"The agent has {len(tools)} tools.")
    # Use your own embedding model. These embeddings are all equal, so all tools are retrieved.
    index = ObjectIndex.from_objects(tools, embed_model=MockEmbedding(embed_dim=8))
    reranker = OpenRouterRerank(top_n=5)
    retriever = index.as_retriever(similarity_top_k=200, node_postprocessors=[reranker])
    # Use your LLM, for example OpenRouter("openai/gpt-5-mini", is_function_calling_model=True).
    llm = MockFunctionCallingLLM(response_generator=call_and_report)
    agent = FunctionAgent(tool_retriever=retriever, llm=llm)
    print("Answer:", await agent.run(user_msg=question))
    await reranker.aclose()


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Please archive the invoice 17."))
