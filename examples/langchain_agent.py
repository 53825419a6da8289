"""
An agent whose tools a reranker selects, and whose search results it reranks.

    python examples/langchain_agent.py
    python examples/langchain_agent.py openrouter:openai/gpt-5-mini "Who repairs the heating?"

Install its packages with `pip install 'langchain-openrouter-rerank[agents]' numpy`.

Without arguments, the program uses prepared messages instead of a model. A real model, as in the
second line, needs its package, here langchain-openrouter, and its key. Without a key in
OPENROUTER_API_KEY, the program ranks with the local scorer, which needs
`pip install 'openrouter-rerank[local]'`. Without arguments and key, nothing leaves the machine.
"""

import os
import sys
from collections.abc import Callable

import httpx
from langchain.agents import create_agent
from langchain.agents.middleware import ModelRequest, ModelResponse, wrap_model_call
from langchain.chat_models import init_chat_model
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.tools import StructuredTool, create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore
from langchain_openrouter_rerank import OpenRouterRerank
from langchain_openrouter_rerank.middleware import (
    RerankToolResultsMiddleware,
    RerankToolSelectorMiddleware,
)

HANDBOOK = [
    "The canteen serves lunch from noon to two.",
    "The heating is repaired by the caretaker, Ms Keller, on extension 17.",
    "Parking permits are handed out at the gate.",
    "The caretaker's office is in the basement.",
    "Visitors sign in at the reception.",
]
OFFICE = {
    "book_room": "Books a meeting room.",
    "order_lunch": "Orders lunch from the canteen.",
    "call_extension": "Calls a colleague by the number of their extension.",
    "print_document": "Prints a document on the nearest printer.",
    "water_plants": "Waters the plants.",
    "repair_request": "Requests the repair of something that is broken, such as the heating.",
}


class Script(GenericFakeChatModel):
    """A chat model with prepared messages."""

    def bind_tools(self, *_: object, **__: object) -> "Script":
        """Accept any tools."""
        return self


def reranker() -> OpenRouterRerank:
    """Return a reranker that uses OpenRouter, or the local scorer if there is no key."""
    if os.environ.get("OPENROUTER_API_KEY", "").strip():
        return OpenRouterRerank()
    from openrouter_rerank.local.transport import LocalTransport

    print("There is no OPENROUTER_API_KEY: the local scorer ranks, not OpenRouter.\n")
    local = httpx.Client(transport=LocalTransport())
    return OpenRouterRerank(api_key="local", http_client=local)


def script(question: str) -> Script:
    """Return a model that searches for the question and then answers."""
    call = {"name": "handbook", "args": {"query": question}, "id": "1"}
    messages = [AIMessage("", tool_calls=[call]), AIMessage("The caretaker: extension 17.")]
    return Script(messages=iter(messages))


@wrap_model_call
def print_tools(
    request: ModelRequest, handler: Callable[[ModelRequest], ModelResponse]
) -> ModelResponse:
    """Print the tools that the model gets."""
    print("The model sees:", ", ".join(tool.name for tool in request.tools))
    return handler(request)


def main(model: str | None, question: str) -> None:
    """Answer `question` with the handbook and the tools above."""
    rerank = reranker()
    store = InMemoryVectorStore(DeterministicFakeEmbedding(size=32))  # Use real embeddings
    store.add_texts(HANDBOOK)
    handbook = create_retriever_tool(
        store.as_retriever(search_kwargs={"k": len(HANDBOOK)}),
        "handbook",
        "Searches the handbook of the company.",
        response_format="content_and_artifact",
    )
    office = [
        StructuredTool.from_function(lambda: "done", name=name, description=description)
        for name, description in OFFICE.items()
    ]
    agent = create_agent(
        script(question) if model is None else init_chat_model(model),
        tools=[handbook, *office],
        middleware=[
            RerankToolSelectorMiddleware(rerank, max_tools=2, always_include=["handbook"]),
            RerankToolResultsMiddleware(rerank, top_n=2, tools=["handbook"]),
            print_tools,
        ],
    )
    answer = agent.invoke({"messages": [{"role": "user", "content": question}]})
    for message in answer["messages"]:
        if isinstance(message, ToolMessage) and message.artifact:
            for document in message.artifact:
                print(f"  {document.metadata['relevance_score']:.3f}  {document.page_content}")
    print(answer["messages"][-1].text)


if __name__ == "__main__":
    main(
        sys.argv[1] if len(sys.argv) > 1 else None,
        " ".join(sys.argv[2:]) or "Who repairs the heating?",
    )
