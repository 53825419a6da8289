"""Chat engines whose context is reranked."""

import pytest
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    CondenseQuestionChatEngine,
    ContextChatEngine,
)
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer

from tests.passages import BEST, QUERY


@pytest.fixture
def chat(mode):
    """Return a coroutine function that sends a message with an engine's sync or async method."""

    async def chat(engine, message):
        return await engine.achat(message) if mode == "async" else engine.chat(message)

    return chat


@pytest.mark.parametrize("engine_class", [ContextChatEngine, CondensePlusContextChatEngine])
async def test_a_chat_engine_answers_from_reranked_nodes(index, make_reranker, chat, engine_class):
    """A chat engine reranks its nodes for the user's message."""
    engine = engine_class.from_defaults(
        index.as_retriever(similarity_top_k=3),
        llm=MockLLM(),
        memory=ChatMemoryBuffer.from_defaults(llm=MockLLM()),
        node_postprocessors=[make_reranker(top_n=1)],
    )

    response = await chat(engine, QUERY)

    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_chat_engine_streams_from_reranked_nodes(index, make_reranker, mode):
    """A streamed answer of a chat engine has reranked sources."""
    engine = ContextChatEngine.from_defaults(
        index.as_retriever(similarity_top_k=3),
        llm=MockLLM(),
        memory=ChatMemoryBuffer.from_defaults(llm=MockLLM()),
        node_postprocessors=[make_reranker(top_n=1)],
    )

    if mode == "async":
        response = await engine.astream_chat(QUERY)
        text = "".join([token async for token in response.async_response_gen()])
    else:
        response = engine.stream_chat(QUERY)
        text = "".join(response.response_gen)

    assert QUERY in text
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_nodes_are_reranked_for_the_condensed_question(
    index, make_reranker, chat, scripted_model, local_openrouter
):
    """In a conversation, nodes are reranked for the LLM's rewording of the last message."""
    model = scripted_model("It is old.", "capital of France", "It is Paris.")
    engine = CondensePlusContextChatEngine.from_defaults(
        index.as_retriever(similarity_top_k=3),
        llm=model.llm(),
        memory=ChatMemoryBuffer.from_defaults(token_limit=3000, tokenizer_fn=str.split),
        node_postprocessors=[make_reranker(top_n=1)],
    )
    await chat(engine, "How old is Rome?")

    response = await chat(engine, "And what about there?")

    queries = [
        request.query for request in local_openrouter.requests if request.path.endswith("/rerank")
    ]
    assert queries == ["How old is Rome?", "capital of France"]
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_chat_engine_can_use_a_query_engine(index, make_reranker, chat):
    """A chat engine around a query engine returns the reranked sources of the query engine."""
    query_engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[make_reranker(top_n=1)]
    )
    engine = CondenseQuestionChatEngine.from_defaults(
        query_engine, llm=MockLLM(), memory=ChatMemoryBuffer.from_defaults(llm=MockLLM())
    )

    response = await chat(engine, QUERY)

    assert [node.text for node in response.source_nodes] == [BEST]
