"""
A LlamaIndex FunctionAgent with a search tool whose results are reranked.

    pip install llamaindex-openrouter-rerank 'llama-index-core>=0.14.25'
    python llamaindex_agent.py "Who repairs the heating?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import asyncio
import sys
from collections.abc import Sequence

from llama_index.core import MockEmbedding, VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent, ToolCallResult
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms import MockFunctionCallingLLM
from llama_index.core.schema import TextNode
from llama_index.core.tools import RetrieverTool
from llamaindex_openrouter_rerank import OpenRouterRerank

HANDBOOK = [
    "The canteen serves lunch from noon to two.",
    "Parking permits are handed out at the gate.",
    "The caretaker's office is in the basement.",
    "Visitors sign in at the reception.",
    "Employees have 30 days of holiday a year.",
    "The heating is repaired by the caretaker, Ms Keller, on extension 17.",
]


def search_and_quote(messages: Sequence[ChatMessage], **_: object) -> ChatMessage:
    """Search for the question, and answer with the first passage that the tool returns."""
    text = messages[-1].content or ""
    if messages[-1].role == "tool":
        return ChatMessage(text.strip().splitlines()[0], role="assistant")
    call = ToolCallBlock(tool_name="handbook", tool_kwargs={"input": text}, tool_call_id="1")
    return ChatMessage(blocks=[call], role="assistant")


async def main(question: str) -> None:
    """Print what the agent searches, finds and answers."""
    # Use your own embedding model. These embeddings are all equal.
    index = VectorStoreIndex(
        nodes=[TextNode(text=passage) for passage in HANDBOOK],
        embed_model=MockEmbedding(embed_dim=8),
    )
    reranker = OpenRouterRerank(top_n=2)
    handbook = RetrieverTool.from_defaults(
        index.as_retriever(similarity_top_k=25),
        node_postprocessors=[reranker],
        name="handbook",
        description="Searches the handbook of the company.",
    )
    # Use your LLM, for example OpenRouter("openai/gpt-5-mini", is_function_calling_model=True).
    llm = MockFunctionCallingLLM(response_generator=search_and_quote)
    agent = FunctionAgent(tools=[handbook], llm=llm)

    handler = agent.run(user_msg=question)
    async for event in handler.stream_events():
        if isinstance(event, ToolCallResult):
            print(f"The LLM calls: {event.tool_name}({event.tool_kwargs})")
            for item in event.tool_output.raw_output:
                print(f"  {item.score:.3f}  {item.get_content()}")
    print("Answer:", await handler)
    await reranker.aclose()


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Who repairs the heating?"))
