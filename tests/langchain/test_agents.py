"""Agents and graphs that rerank: what a tool finds, and what a node passes on."""

from typing import TypedDict

import pytest
from langchain.agents import create_agent
from langchain_core.documents import Document
from langchain_core.messages import ToolMessage
from langchain_core.prompts import PromptTemplate
from langchain_core.runnables import ConfigurableField, RunnableConfig, RunnableLambda
from langchain_core.tools import create_retriever_tool
from langchain_core.vectorstores import InMemoryVectorStore
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from openrouter_rerank.local.stage import error

from tests.scripted_chat import scripted

QUESTION = {"messages": [("user", "What is the capital of France?")]}
SEARCH = ("search", {"query": "capital of France"})
IN_A_THREAD = {"thread_id": "1"}


@pytest.fixture
def store(documents, embeddings):
    """A vector store of the corpus."""
    store = InMemoryVectorStore(embeddings)
    store.add_documents(documents)
    return store


@pytest.fixture
def search(store, reranker):
    """Make a tool that finds the two best of all."""
    retriever = reranker.as_retriever(store.as_retriever(), fetch_k=6, top_n=2)

    def search(**options):
        return create_retriever_tool(
            retriever, "search", "Searches.", response_format="content_and_artifact", **options
        )

    return search


def searched(answer):
    """What the search tool has found, in the only message of a tool."""
    [message] = [each for each in answer["messages"] if isinstance(each, ToolMessage)]
    return message


def scored(documents):
    """The ids and scores of `documents`."""
    return [(each.id, each.metadata.get("relevance_score")) for each in documents]


BEST = [("id-1", 1.0), ("id-2", pytest.approx(2 / 3))]


async def test_an_agent_searches_with_a_reranked_retriever(search, invoke):
    """The model reads the best texts, and the program gets the documents with their scores."""
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[search()])

    answer = await invoke(agent, QUESTION)

    found = searched(answer)
    assert found.content == "Paris is the capital of France.\n\nBerlin is the capital of Germany."
    assert scored(found.artifact) == BEST
    assert answer["messages"][-1].content == "Paris."


async def test_a_model_can_read_the_scores(search, invoke):
    """Each document has a score that its prompt may name."""
    prompt = PromptTemplate.from_template("[{relevance_score:.2f}] {page_content}")
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[search(document_prompt=prompt)])

    answer = await invoke(agent, QUESTION)

    assert searched(answer).content.startswith("[1.00] Paris is the capital of France.\n\n[0.67]")


async def test_a_conversation_keeps_what_was_found(search, invoke):
    """A checkpointer stores the documents of a message as plain data, scores and all."""
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[search()], checkpointer=InMemorySaver())
    config = {"configurable": IN_A_THREAD}

    await invoke(agent, QUESTION, config)

    kept = searched(agent.get_state(config).values).artifact
    assert scored([Document.model_validate(each) for each in kept]) == BEST


async def test_handlers_see_the_reranking_inside_the_tool(search, invoke, runs):
    """From the agent down to the reranker, each run is inside the one that caused it."""
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[search()])

    await invoke(agent, QUESTION, {"callbacks": [runs]})

    assert ("search", "tools") in runs.tree
    assert ("OpenRouterRerankRetriever", "search") in runs.tree
    assert ("VectorStoreRetriever", "OpenRouterRerankRetriever") in runs.tree
    assert ("OpenRouterRerank", "OpenRouterRerankRetriever") in runs.tree


async def test_an_agent_gets_over_an_outage(search, invoke, reranker, local_openrouter):
    """Where the reranker lets outages pass, the tool answers with what the store has found."""
    local_openrouter.always(error(503, "down"))
    reranker.on_error = "passthrough"
    agent = create_agent(scripted(SEARCH, "Paris."), tools=[search()])

    answer = await invoke(agent, QUESTION)

    assert len(searched(answer).artifact) == 2
    assert answer["messages"][-1].content == "Paris."


class State(TypedDict):
    """What the nodes of a graph pass on."""

    query: str
    documents: list[Document]


def graph(store, rerank, *, arerank=None):
    """A graph that retrieves in one node and reranks in the next."""

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


async def test_a_node_reranks(store, reranker, invoke, runs):
    """A node calls the compressor, and hands on nothing: its run is inside the node's."""

    def rerank(state: State):
        return {"documents": reranker.compress_documents(state["documents"], state["query"])}

    async def arerank(state: State):
        found = await reranker.acompress_documents(state["documents"], state["query"])
        return {"documents": found}

    compiled = graph(store, rerank, arerank=arerank)
    config = {"configurable": IN_A_THREAD, "callbacks": [runs]}

    answer = await invoke(compiled, {"query": "capital of France", "documents": []}, config)

    assert scored(answer["documents"])[:2] == BEST
    assert ("OpenRouterRerank", "rerank") in runs.tree
    assert scored(compiled.get_state(config).values["documents"])[:2] == BEST


async def test_a_node_is_configured_while_the_graph_runs(store, reranker, invoke, local_openrouter):
    """Fields of the reranker are set for one run of the graph, by its configuration."""
    configurable = reranker.configurable_fields(
        top_n=ConfigurableField("results"), model=ConfigurableField("rerank_model")
    )

    def rerank(state: State, config: RunnableConfig):
        return {"documents": configurable.invoke(state, config)}

    async def arerank(state: State, config: RunnableConfig):
        return {"documents": await configurable.ainvoke(state, config)}

    compiled = graph(store, rerank, arerank=arerank)
    question = {"query": "capital of France", "documents": []}
    wishes = {"results": 1, "rerank_model": "cohere/rerank-4-fast"}

    first = await invoke(compiled, question, {"configurable": IN_A_THREAD | wishes})
    second = await invoke(compiled, question, {"configurable": IN_A_THREAD})

    assert scored(first["documents"]) == BEST[:1]
    assert len(second["documents"]) == 6
    assert [each.model for each in local_openrouter.requests] == [
        "cohere/rerank-4-fast",
        "cohere/rerank-v3.5",
    ]
