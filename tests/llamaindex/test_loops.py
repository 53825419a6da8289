"""One reranker over many event loops and threads: LlamaIndex makes a loop where it needs one."""

import asyncio
import base64
import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from llama_index.core.async_utils import asyncio_run, run_async_tasks
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import SubQuestionQueryEngine
from llama_index.core.question_gen.types import SubQuestion
from llama_index.core.schema import ImageNode, MetadataMode, NodeWithScore, TextNode
from llama_index.core.tools import QueryEngineTool
from openrouter_rerank.errors import DeadlineExceededError
from openrouter_rerank.local.stage import Fault
from pydantic import Field

from tests.starvation import repeat_if_starved

BEST = "Paris is the capital of France."
QUERY = "capital of France"
PIXEL = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


@pytest.fixture
def nodes():
    """Two nodes, the second of which is what is asked for."""
    return [NodeWithScore(node=TextNode(text=text)) for text in ("Bread is baked.", BEST)]


class Split:
    """Splits each question in two."""

    def generate(self, tools, query):
        """Ask the only tool twice."""
        halves = (f"{query.query_str} {half}" for half in "ab")
        return [SubQuestion(sub_question=half, tool_name="cities") for half in halves]


@pytest.fixture
def splitting(index, reranker):
    """An engine that makes an event loop for each synchronous question."""
    engine = index.as_query_engine(
        llm=MockLLM(), similarity_top_k=3, node_postprocessors=[reranker(top_n=1)]
    )
    tool = QueryEngineTool.from_defaults(engine, name="cities", description="cities")
    return SubQuestionQueryEngine.from_defaults(
        [tool], llm=MockLLM(), question_gen=Split(), use_async=True, verbose=False
    )


def test_an_engine_may_make_a_loop_for_each_question(splitting, local_openrouter):
    """The twentieth question is answered like the first, and few connections stay open."""
    for _ in range(20):
        response = splitting.query(QUERY)
        assert [node.text for node in response.source_nodes[-2:]] == [BEST, BEST]

    assert len(local_openrouter.requests) == 40
    local_openrouter.wait_until(lambda: local_openrouter.open_connections <= 2)


def test_engines_in_threads_may_share_a_reranker(splitting, local_openrouter):
    """Threads with a loop each are answered side by side."""
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(splitting.query, [QUERY] * 12))

    assert [each.source_nodes[-1].text for each in responses] == [BEST] * 12
    assert len(local_openrouter.requests) == 24


def test_no_loop_and_no_connection_is_kept(reranker, nodes, local_openrouter):
    """Loops that have ended are forgotten, with their connections."""
    shared = reranker()
    loops = []

    async def ask():
        loops.append(weakref.ref(asyncio.get_running_loop()))
        return await shared.apostprocess_nodes(nodes, query_str=QUERY)

    for _ in range(20):
        assert asyncio.run(ask())[0].text == BEST
    gc.collect()

    # The last one is noticed to have ended by the next call.
    assert sum(loop() is not None for loop in loops) <= 1
    local_openrouter.wait_until(lambda: local_openrouter.open_connections <= 1)
    asyncio.run(shared.aclose())
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)


@pytest.mark.parametrize("run", [asyncio_run, lambda task: run_async_tasks([task])[0]])
def test_llama_indexs_own_runners_can_run_it(reranker, nodes, run):
    """Its helpers run coroutines from synchronous code, time and again."""
    shared = reranker(top_n=1)

    for _ in range(3):
        (item,) = run(shared.apostprocess_nodes(nodes, query_str=QUERY))
        assert item.text == BEST


@repeat_if_starved
async def test_a_synchronous_call_inside_a_loop_ends_by_its_deadline(
    reranker, nodes, local_openrouter
):
    """Object retrievers and evaluators call it there: a silent service holds the loop no longer."""
    local_openrouter.always(Fault.hang())
    begun = time.monotonic()

    with pytest.raises(DeadlineExceededError):
        reranker(timeout=0.3).postprocess_nodes(nodes, query_str=QUERY)

    assert time.monotonic() - begun < 1.0


async def test_no_thread_waits_for_an_asynchronous_call(reranker, nodes, local_openrouter):
    """More calls wait for their answers together than the loop has threads."""
    local_openrouter.always(Fault.hang())
    shared = reranker(max_concurrency=50)

    tasks = [
        asyncio.create_task(shared.apostprocess_nodes(nodes, query_str=QUERY)) for _ in range(50)
    ]
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 50)
    local_openrouter.release()

    assert [result[0].text for result in await asyncio.gather(*tasks)] == [BEST] * 50


class Watched(ImageNode):
    """An image that notes which thread looks at it."""

    seen: list = Field(default_factory=list)

    def get_content(self, metadata_mode=MetadataMode.NONE):
        """Note the thread."""
        self.seen.append(threading.current_thread())
        return super().get_content(metadata_mode)


async def test_images_are_decoded_off_the_event_loop(reranker):
    """Twenty photographs would hold it up, so any image goes to a thread; a URL alone does too."""
    images = [Watched(text="a fox", image=PIXEL), Watched(image_url="https://example.com/a.png")]

    result = await reranker(image_mode="always").apostprocess_nodes(
        [NodeWithScore(node=node) for node in images], query_str="a fox"
    )

    assert [item.score for item in result] == [1.0, 0.0]
    assert threading.main_thread() not in {thread for node in images for thread in node.seen}
    assert all(node.seen for node in images)


async def test_texts_need_no_thread(reranker, nodes):
    """What has no image is converted where the call is made."""
    seen = []

    class WatchedText(TextNode):
        def get_content(self, metadata_mode=MetadataMode.NONE):
            seen.append(threading.current_thread())
            return super().get_content(metadata_mode)

    await reranker().apostprocess_nodes(
        [NodeWithScore(node=WatchedText(text="a fox"))], query_str="a fox"
    )

    assert {*seen} == {threading.main_thread()}
