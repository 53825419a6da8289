"""Chat engines whose context is reranked."""

import pytest
from llama_index.core.chat_engine import (
    CondensePlusContextChatEngine,
    CondenseQuestionChatEngine,
    ContextChatEngine,
)
from llama_index.core.llms import MockLLM
from llama_index.core.memory import ChatMemoryBuffer

BEST = "Paris is the capital of France."
QUERY = "capital of France"


async def chat(engine, mode, message):
    """Say something to an engine in either mode."""
    return await engine.achat(message) if mode == "async" else engine.chat(message)


@pytest.mark.parametrize("engine_class", [ContextChatEngine, CondensePlusContextChatEngine])
async def test_a_chat_engine_answers_from_reranked_nodes(index, reranker, mode, engine_class):
    """A chat engine passes the message as the question."""
    engine = engine_class.from_defaults(
        index.as_retriever(similarity_top_k=3),
        llm=MockLLM(),
        memory=ChatMemoryBuffer.from_defaults(llm=MockLLM()),
        node_postprocessors=[reranker(top_n=1)],
    )

    response = await chat(engine, mode, QUERY)

    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_chat_engine_streams_from_reranked_nodes(index, reranker, mode):
    """A streamed answer has reranked sources as well."""
    engine = ContextChatEngine.from_defaults(
        index.as_retriever(similarity_top_k=3),
        llm=MockLLM(),
        memory=ChatMemoryBuffer.from_defaults(llm=MockLLM()),
        node_postprocessors=[reranker(top_n=1)],
    )

    if mode == "async":
        response = await engine.astream_chat(QUERY)
        text = "".join([token async for token in response.async_response_gen()])
    else:
        response = engine.stream_chat(QUERY)
        text = "".join(response.response_gen)

    assert QUERY in text
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_the_condensed_question_is_what_is_ranked_for(
    index, reranker, mode, acting, local_openrouter
):
    """In a conversation, the model's rewording of the last message is the question."""
    actor = acting("It is old.", "capital of France", "It is Paris.")
    engine = CondensePlusContextChatEngine.from_defaults(
        index.as_retriever(similarity_top_k=3),
        llm=actor.model(),
        memory=ChatMemoryBuffer.from_defaults(token_limit=3000, tokenizer_fn=str.split),
        node_postprocessors=[reranker(top_n=1)],
    )
    await chat(engine, mode, "How old is Rome?")

    response = await chat(engine, mode, "And what about there?")

    ranked = [each.query for each in local_openrouter.requests if each.path.endswith("/rerank")]
    assert ranked == ["How old is Rome?", "capital of France"]
    assert [node.text for node in response.source_nodes] == [BEST]


async def test_a_query_engine_can_be_chatted_with(index, reranker, mode):
    """A chat engine around a query engine gets the reranked sources of the engine."""
    query_engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=1)]
    )
    engine = CondenseQuestionChatEngine.from_defaults(
        query_engine, llm=MockLLM(), memory=ChatMemoryBuffer.from_defaults(llm=MockLLM())
    )

    response = await chat(engine, mode, QUERY)

    assert [node.text for node in response.source_nodes] == [BEST]
