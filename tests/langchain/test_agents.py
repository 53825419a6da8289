"""Reranking in the tools of agents and in the nodes of graphs."""

from typing import TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.messages import ToolMessage
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableConfig, RunnableLambda
from langchain_core.tools import create_retriever_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from openrouter_rerank.local.stage import error

from tests.scripted_chat import scripted

QUESTION = {"messages": [("user", "What is the capital of France?")]}
SEARCH = ("search", {"query": "capital of France"})
THREAD = {"thread_id": "1"}


@pytest.fixture
def make_search_tool(store, reranker):
    """Return a function that makes a tool which returns the two best of all documents."""
    retriever = reranker.as_retriever(store.as_retriever(), fetch_k=6, top_n=2)

    def make_search_tool(**options):
        return create_retriever_tool(
            retriever, "search", "Searches.", response_format="content_and_artifact", **options
        )

    return make_search_tool


def tool_message(state):
    """Return the only message of a tool in the state of an agent."""
    [message] = [message for message in state["messages"] if isinstance(message, ToolMessage)]
    return message


def ids_and_scores(documents):
    """Return the id and the score of each document."""
    return [(document.id, document.metadata.get("relevance_score")) for document in documents]


BEST_TWO = [("id-1", 1.0), ("id-2", pytest.approx(2 / 3))]


async def test_an_agent_searches_with_a_reranking_retriever(make_search_tool, invoke):
    """The model gets the texts of the best documents, and the program gets their scores too."""
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[make_search_tool()])

    state = await invoke(agent, QUESTION)

    message = tool_message(state)
    assert message.content == "Paris is the capital of France.\n\nBerlin is the capital of Germany."
    assert ids_and_scores(message.artifact) == BEST_TWO
    assert state["messages"][-1].content == "Paris."


async def test_a_document_prompt_can_contain_the_score(make_search_tool, invoke):
    """The prompt for each document can contain its score."""
    prompt = PromptTemplate.from_template("[{relevance_score:.2f}] {page_content}")
    tool = make_search_tool(document_prompt=prompt)
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[tool])

    state = await invoke(agent, QUESTION)

    content = tool_message(state).content
    assert content.startswith("[1.00] Paris is the capital of France.\n\n[0.67]")


async def test_a_checkpointer_stores_documents_with_scores(make_search_tool, invoke):
    """A checkpointer stores the documents of a tool's message, and their scores, as plain data."""
    agent = create_agent(
        scripted(SEARCH, "Paris."), tools=[make_search_tool()], checkpointer=InMemorySaver()
    )
    config = {"configurable": THREAD}

    await invoke(agent, QUESTION, config)

    stored = tool_message(agent.get_state(config).values).artifact
    assert ids_and_scores([Document.model_validate(fields) for fields in stored]) == BEST_TWO


async def test_the_run_of_the_reranker_is_inside_the_run_of_the_tool(
    make_search_tool, invoke, runs
):
    """From the agent to the reranker, each run is a child of the run that started it."""
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[make_search_tool()])

    await invoke(agent, QUESTION, {"callbacks": [runs]})

    assert ("search", "tools") in runs.tree
    assert ("OpenRouterRerankRetriever", "search") in runs.tree
    assert ("VectorStoreRetriever", "OpenRouterRerankRetriever") in runs.tree
    assert ("OpenRouterRerank", "OpenRouterRerankRetriever") in runs.tree


async def test_an_agent_continues_after_a_failure(
    make_search_tool, invoke, reranker, local_openrouter
):
    """With `on_error="passthrough"`, the tool returns documents in the order of the store."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error, reranker.max_retries = "passthrough", 0
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[make_search_tool()])

    state = await invoke(agent, QUESTION)

    assert len(tool_message(state).artifact) == 2
    assert state["messages"][-1].content == "Paris."


class State(TypedDict):
    """The state of a graph."""

    query: str
    documents: list[Document]


def graph(store, rerank, arerank):
    """Return a graph that retrieves in one node and reranks in the next."""

    async def aretrieve(state: State):
        return {"documents": await store.asimilarity_search(state["query"], k=6)}

    def retrieve(state: State):
        return {"documents": store.similarity_search(state["query"], k=6)}

    builder = StateGraph(State)
    builder.add_node("retrieve", RunnableLambda(retrieve, aretrieve))
    builder.add_node("rerank", RunnableLambda(rerank, arerank))
    builder.add_edge(START, "retrieve")
    builder.add_edge("retrieve", "rerank")
    builder.add_edge("rerank", END)
    return builder.compile(checkpointer=InMemorySaver())


async def test_a_node_of_a_graph_can_rerank(store, reranker, invoke, runs):
    """A node calls the reranker without callbacks, and the run is a child of the node's run."""

    def rerank(state: State):
        return {"documents": reranker.compress_documents(state["documents"], state["query"])}

    async def arerank(state: State):
        documents = await reranker.acompress_documents(state["documents"], state["query"])
        return {"documents": documents}

    compiled = graph(store, rerank, arerank)
    config = {"configurable": THREAD, "callbacks": [runs]}

    state = await invoke(compiled, {"query": "capital of France", "documents": []}, config)

    assert ids_and_scores(state["documents"])[:2] == BEST_TWO
    assert ("OpenRouterRerank", "rerank") in runs.tree
    assert ids_and_scores(compiled.get_state(config).values["documents"])[:2] == BEST_TWO


async def test_a_run_of_a_graph_can_configure_the_reranker(
    store, reranker, invoke, local_openrouter
):
    """The configuration of one run of the graph sets options of the reranker for this run."""
    configurable = reranker.configurable_fields(
        top_n=ConfigurableField("results"), model=ConfigurableField("rerank_model")
    )

    def rerank(state: State, config: RunnableConfig):
        return {"documents": configurable.invoke(state, config)}

    async def arerank(state: State, config: RunnableConfig):
        return {"documents": await configurable.ainvoke(state, config)}

    compiled = graph(store, rerank, arerank)
    question = {"query": "capital of France", "documents": []}
    options = {"results": 1, "rerank_model": "cohere/rerank-4-fast"}

    first = await invoke(compiled, question, {"configurable": THREAD | options})
    second = await invoke(compiled, question, {"configurable": THREAD})

    assert ids_and_scores(first["documents"]) == BEST_TWO[:1]
    assert len(second["documents"]) == 6
    assert [request.model for request in local_openrouter.requests] == [
        "cohere/rerank-4-fast",
        "cohere/rerank-v3.5",
    ]
