"""
A LangGraph agent with a search tool whose results are reranked before the model reads them.

    pip install 'langchain-openrouter-rerank[agents]' numpy
    python langgraph_agent.py "Who repairs the heating?"

Set OPENROUTER_API_KEY. Without a key, run `openrouter-rerank serve` (pip install
'openrouter-rerank[local]'), and then the `export` line that it prints.
"""

import sys

from langchain.agents import create_agent
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank.middleware import RerankToolResultsMiddleware

HANDBOOK = [
    "The canteen serves lunch from noon to two.",
    "Parking permits are handed out at the gate.",
    "The caretaker's office is in the basement.",
    "Visitors sign in at the reception.",
    "Employees have 30 days of holiday a year.",
    "The heating is repaired by the caretaker, Ms Keller, on extension 17.",
]


class SearchAndQuote(BaseChatModel):
    """Searches for the question, and answers with the first passage that the tool returns."""

    @property
    def _llm_type(self) -> str:
        return "search-and-quote"

    def bind_tools(self, *_: object, **__: object) -> "SearchAndQuote":
        """Accept any tools."""
        return self

    def _generate(self, messages: list[BaseMessage], *_: object, **__: object) -> ChatResult:
        last = messages[-1]
        if isinstance(last, ToolMessage):
            reply = AIMessage(last.text.splitlines()[0])
        else:
            call = {"name": "handbook", "args": {"query": last.text}, "id": "1"}
            reply = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=reply)])


def main(question: str) -> None:
    """Print what the agent searches, finds and answers."""
    # Use your own vector store. These embeddings are random numbers.
    store = InMemoryVectorStore.from_texts(HANDBOOK, DeterministicFakeEmbedding(size=64))
    handbook = create_retriever_tool(
        store.as_retriever(search_kwargs={"k": 25}),
        "handbook",
        "Searches the handbook of the company.",
        response_format="content_and_artifact",
    )
    agent = create_agent(  # A compiled LangGraph graph
        SearchAndQuote(),  # Use your chat model, for example "openrouter:openai/gpt-5-mini"
        tools=[handbook],
        middleware=[RerankToolResultsMiddleware(OpenRouterRerank(), top_n=2, tools=["handbook"])],
    )
    state = agent.invoke({"messages": [HumanMessage(question)]})
    for message in state["messages"]:
        if isinstance(message, AIMessage) and message.tool_calls:
            print("The model calls:", *(f"{c['name']}({c['args']})" for c in message.tool_calls))
        elif isinstance(message, ToolMessage):
            for document in message.artifact:
                print(f"  {document.metadata['relevance_score']:.3f}  {document.page_content}")
    print("Answer:", state["messages"][-1].text)


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "Who repairs the heating?")
