"""
Select a few of an agent's many tools for each question.

    python examples/llamaindex_agent_tools.py "How many kilometres are 26 miles?"

It needs `pip install llamaindex-openrouter-rerank llama-index-llms-openrouter` and a key in
OPENROUTER_API_KEY. The embeddings are all equal, so the retriever returns every tool. Use real
ones.
"""

import asyncio
import itertools
import os
import sys

from llama_index.core import MockEmbedding
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.objects import ObjectIndex
from llama_index.core.tools import FunctionTool
from llama_index.llms.openrouter import OpenRouter
from llamaindex_openrouter_rerank import OpenRouterRerank

MODEL = "openai/gpt-4o-mini"
BASE_URL = os.environ.get("OPENROUTER_API_BASE", "https://openrouter.ai/api/v1")
UNITS: dict[str, dict[str, float]] = {
    "length": {
        "metres": 1,
        "kilometres": 1000,
        "miles": 1609.344,
        "feet": 0.3048,
        "inches": 0.0254,
    },
    "weight": {"grams": 1, "kilograms": 1000, "pounds": 453.592, "ounces": 28.3495},
    "volume": {"litres": 1, "gallons": 3.78541, "pints": 0.473176, "cups": 0.236588},
    "time": {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400, "weeks": 604800},
}


def converter(start: str, end: str, factor: float) -> FunctionTool:
    """Return a tool that converts one unit to another."""

    def convert(amount: float) -> float:
        return amount * factor

    name, description = f"{start}_to_{end}", f"Convert {start} to {end}: how many {end} are these?"
    return FunctionTool.from_defaults(convert, name=name, description=description)


async def main(question: str) -> None:
    """Print the tools that are selected for `question`, and the agent's answer."""
    tools = [
        converter(start, end, units[start] / units[end])
        for units in UNITS.values()
        for start, end in itertools.permutations(units, 2)
    ]
    index = ObjectIndex.from_objects(tools, embed_model=MockEmbedding(embed_dim=8))
    retriever = index.as_retriever(
        similarity_top_k=len(tools), node_postprocessors=[OpenRouterRerank(top_n=3)]
    )
    selected = [tool.metadata.name for tool in await retriever.aretrieve(question)]
    print(f"{len(selected)} of {len(tools)} tools: {', '.join(selected)}")

    llm = OpenRouter(model=MODEL, api_base=BASE_URL, is_function_calling_model=True)
    agent = FunctionAgent(tool_retriever=retriever, llm=llm)
    print(await agent.run(question))


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "How many kilometres are 26 miles?"))
