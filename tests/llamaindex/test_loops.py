"""One reranker in many event loops and threads, because LlamaIndex makes loops for sync calls."""

import asyncio
import base64
import gc
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from llama_index.core.async_utils import asyncio_run, run_async_tasks
from llama_index.core.schema import ImageNode, MetadataMode, NodeWithScore, TextNode
from openrouter_rerank.errors import DeadlineExceededError
from openrouter_rerank.local.stage import Fault
from pydantic import Field

from tests.passages import BEST, BREAD, QUERY, scored_nodes
from tests.starvation import repeat_if_starved

PNG64 = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(40)).decode()


@pytest.fixture
def nodes():
    """Return two nodes, of which the second is the best for `QUERY`."""
    return scored_nodes(BREAD, BEST)


def test_an_engine_can_make_an_event_loop_for_each_query(sub_question_engine, local_openrouter):
    """A reranker works in 20 event loops in a row, and at most 2 of its connections stay open."""
    for _ in range(20):
        response = sub_question_engine.query(QUERY)
        assert [node.text for node in response.source_nodes[-2:]] == [BEST, BEST]

    assert len(local_openrouter.requests) == 40
    local_openrouter.wait_until(lambda: local_openrouter.open_connections <= 2)


def test_engines_in_threads_can_share_a_reranker(sub_question_engine, local_openrouter):
    """Threads that each run their own event loop can share one reranker."""
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(sub_question_engine.query, [QUERY] * 12))

    assert [response.source_nodes[-1].text for response in responses] == [BEST] * 12
    assert len(local_openrouter.requests) == 24


def test_closed_event_loops_and_their_connections_are_released(
    make_reranker, nodes, local_openrouter
):
    """A reranker keeps no reference to a closed event loop, and no connection of it."""
    shared = make_reranker()
    loops = []

    async def rerank():
        loops.append(weakref.ref(asyncio.get_running_loop()))
        return await shared.apostprocess_nodes(nodes, query_str=QUERY)

    for _ in range(20):
        assert asyncio.run(rerank())[0].text == BEST
    gc.collect()

    # Only the next call notices that the last loop was closed.
    assert sum(loop() is not None for loop in loops) <= 1
    local_openrouter.wait_until(lambda: local_openrouter.open_connections <= 1)
    asyncio.run(shared.aclose())
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)


def run_with_async_tasks(task):
    """Run one coroutine with LlamaIndex's function for several."""
    return run_async_tasks([task])[0]


@pytest.mark.parametrize("run", [asyncio_run, run_with_async_tasks])
def test_llamaindex_can_run_the_async_method_from_sync_code(make_reranker, nodes, run):
    """LlamaIndex's functions that run coroutines from sync code can run a reranker repeatedly."""
    shared = make_reranker(top_n=1)

    for _ in range(3):
        (item,) = run(shared.apostprocess_nodes(nodes, query_str=QUERY))
        assert item.text == BEST


@repeat_if_starved
async def test_a_sync_call_in_an_event_loop_ends_at_its_deadline(
    make_reranker, nodes, local_openrouter
):
    """A sync call, as evaluators make in their event loop, blocks it for at most `timeout`."""
    local_openrouter.always(Fault.hang())
    start = time.monotonic()

    with pytest.raises(DeadlineExceededError):
        make_reranker(timeout=0.3).postprocess_nodes(nodes, query_str=QUERY)

    assert time.monotonic() - start < 1.0


async def test_async_calls_need_no_threads(make_reranker, nodes, local_openrouter):
    """50 async calls wait for their responses together, although a loop has at most 32 threads."""
    local_openrouter.always(Fault.hang())
    shared = make_reranker(max_concurrency=50)

    tasks = [
        asyncio.create_task(shared.apostprocess_nodes(nodes, query_str=QUERY)) for _ in range(50)
    ]
    await asyncio.to_thread(local_openrouter.wait_until, lambda: local_openrouter.in_flight == 50)
    local_openrouter.release()

    assert [result[0].text for result in await asyncio.gather(*tasks)] == [BEST] * 50


class ThreadRecordingImageNode(ImageNode):
    """An image node that records the threads in which its text is read."""

    threads: list = Field(default_factory=list)

    def get_content(self, metadata_mode=MetadataMode.NONE):
        """Record the thread, and return the text."""
        self.threads.append(threading.current_thread())
        return super().get_content(metadata_mode)


async def test_images_are_converted_in_another_thread(make_reranker):
    """An async call converts images in another thread, because decoding blocks the event loop."""
    images = [
        ThreadRecordingImageNode(text="a fox", image=PNG64),
        ThreadRecordingImageNode(image_url="https://example.com/a.png"),
    ]

    result = await make_reranker(image_mode="always").apostprocess_nodes(
        [NodeWithScore(node=node) for node in images], query_str="a fox"
    )

    assert [item.score for item in result] == [1.0, 0.0]
    assert threading.main_thread() not in {thread for node in images for thread in node.threads}
    assert all(node.threads for node in images)


async def test_texts_are_converted_in_the_thread_of_the_event_loop(make_reranker):
    """An async call without images uses no other thread for the conversion."""
    threads = []

    class ThreadRecordingTextNode(TextNode):
        def get_content(self, metadata_mode=MetadataMode.NONE):
            threads.append(threading.current_thread())
            return super().get_content(metadata_mode)

    await make_reranker().apostprocess_nodes(
        [NodeWithScore(node=ThreadRecordingTextNode(text="a fox"))], query_str="a fox"
    )

    assert {*threads} == {threading.main_thread()}
