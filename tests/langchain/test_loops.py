"""Rerankers in event loops and threads: no call blocks a loop, and no connection is left open."""

import asyncio
import gc
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.documents import Document
from langchain_core.runnables.utils import get_function_nonlocals
from openrouter_rerank.local.stage import Fault

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


def documents_with(word):
    """Return three documents. The text of the last one is `word`."""
    return [Document("bread"), Document("water"), Document(word)]


def best_text(reranker, word):
    """Rerank three documents in a sync call, and return the best text."""
    return reranker.compress_documents(documents_with(word), word)[0].page_content


async def abest_text(reranker, word):
    """Rerank three documents in an async call, and return the best text."""
    documents = await reranker.acompress_documents(documents_with(word), word)
    return documents[0].page_content


def test_a_reranker_works_in_several_loops(reranker, local_openrouter):
    """A reranker works in each `asyncio.run`, and the connections are closed with the loop."""
    for number in range(20):
        assert asyncio.run(abest_text(reranker, f"word{number}")) == f"word{number}"

    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)


def test_32_threads_share_a_reranker(make_reranker):
    """Each thread gets the results of its own call."""
    reranker = make_reranker(max_concurrency=32)
    barrier = threading.Barrier(32)

    def best_text_after_barrier(number):
        barrier.wait()
        return best_text(reranker, f"word{number}")

    with ThreadPoolExecutor(32) as threads:
        best_texts = list(threads.map(best_text_after_barrier, range(32)))

    assert best_texts == [f"word{number}" for number in range(32)]


def test_loops_in_several_threads_share_a_reranker(reranker):
    """Event loops in several threads can share a reranker."""
    with ThreadPoolExecutor(8) as threads:
        best_texts = threads.map(
            lambda number: asyncio.run(abest_text(reranker, f"word{number}")), range(16)
        )

        assert list(best_texts) == [f"word{number}" for number in range(16)]


async def test_sync_calls_work_inside_a_running_loop(reranker):
    """Sync and async calls work in a running event loop, as in a notebook."""
    assert best_text(reranker, "word") == "word"
    assert await abest_text(reranker, "word") == "word"
    assert reranker.rerank(["a", "word"], "word").results[0].index == 1


async def test_200_calls_are_in_flight_together(make_reranker, local_openrouter, wait_for_requests):
    """With `max_concurrency=200`, none of 200 calls waits for the response to another call."""
    local_openrouter.always(Fault.hang())
    reranker = make_reranker(max_concurrency=200)

    calls = [asyncio.create_task(abest_text(reranker, f"word{number}")) for number in range(200)]
    await wait_for_requests(200, seconds=20)
    local_openrouter.release()

    assert await asyncio.gather(*calls) == [f"word{number}" for number in range(200)]
    assert len(local_openrouter.requests) == 200


# Runs `main` and fails if it blocks the event loop. The process then ends without the usual
# cleanup: the patches of blockbuster keep the standard streams alive for longer than their types,
# and freeing them afterwards crashes the interpreter. The garbage collection before the end warns
# of everything that was left open.
RUN_MAIN_WITH_BLOCKBUSTER = """
import asyncio
import gc
import os
import sys
import traceback
from blockbuster import BlockBuster, BlockingError

async def main_with_blockbuster():
    blockbuster = BlockBuster()
    blockbuster.activate()
    try:
        try:
            os.listdir()
        except BlockingError:
            await main()
        else:
            raise AssertionError("blockbuster does not work")
    finally:
        blockbuster.deactivate()

status = 1
try:
    asyncio.run(main_with_blockbuster())
    gc.collect()
    status = 0
except BaseException:
    traceback.print_exc()
finally:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
"""

EVERY_CALL = """
from pathlib import Path
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank
from PIL import Image

file = Path("cat.txt")
reranker = OpenRouterRerank(
    model="nvidia/llama-nemotron-rerank-vl-1b-v2", image_root=Path.cwd(), image_key="image"
)
reranker_with_converter = OpenRouterRerank(document_converter=lambda _: file.read_text())
documents = [
    Document("", metadata={"image_path": "cat.png"}),
    Document("A cat", metadata={"image": Image.new("RGB", (8, 4))}),
    Document("A dog"),
]

async def main():
    try:
        file.read_text()
    except BlockingError:
        pass
    else:
        raise AssertionError("reading a file does not block")
    assert len(await reranker.acompress_documents(documents, "a cat")) == 3
    assert len((await reranker.arerank(documents, "a cat")).results) == 3
    assert len(await reranker.ainvoke({"query": "a cat", "documents": documents})) == 3
    assert len(await reranker_with_converter.acompress_documents(documents, "a cat")) == 3
    await reranker.aclose()
"""

FIRST_CALL = """
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank

async def main():
    await OpenRouterRerank().acompress_documents([Document("a"), Document("b")], "b")
"""

CALLS_LEFT_OPEN = """
import asyncio
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank

documents = [Document("a"), Document("b")]
reranker = OpenRouterRerank()
reranker.compress_documents(documents, "b")
asyncio.run(reranker.acompress_documents(documents, "b"))
asyncio.run(OpenRouterRerank().acompress_documents(documents, "b"))
"""


def run_without_warnings(program, **options):
    """Require that a program in which every warning is an error succeeds and prints nothing."""
    process = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "error", "-c", program],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        **options,
    )
    assert (process.returncode, process.stdout, process.stderr) == (0, "", ""), process.stderr


@pytest.mark.usefixtures("key_in_environment")
def test_no_call_blocks_the_loop(tmp_path):
    """Connecting, reading and encoding images, and `document_converter` do not block the loop."""
    (tmp_path / "cat.png").write_bytes(PNG)
    (tmp_path / "cat.txt").write_text("A cat")

    run_without_warnings(EVERY_CALL + RUN_MAIN_WITH_BLOCKBUSTER, cwd=tmp_path)


@pytest.mark.usefixtures("key_in_environment")
def test_the_first_call_of_a_process_does_not_block_the_loop():
    """Work that a process does once, such as reading certificates, does not block the loop."""
    run_without_warnings(FIRST_CALL + RUN_MAIN_WITH_BLOCKBUSTER)


@pytest.mark.usefixtures("key_in_environment")
def test_a_process_can_end_without_closing_its_rerankers():
    """If rerankers are not closed, there are no warnings when the process ends."""
    run_without_warnings(CALLS_LEFT_OPEN)


def test_1000_rerankers_share_a_connection(make_reranker, local_openrouter):
    """Sync calls of 1000 rerankers use one connection, and start at most one thread."""
    threads_before = threading.active_count()
    rerankers = [make_reranker(top_n=1) for _ in range(1000)]

    for reranker in rerankers[::10]:
        assert best_text(reranker, "word") == "word"

    assert local_openrouter.connections == 1
    assert threading.active_count() <= threads_before + 1


async def test_1000_rerankers_share_a_connection_in_a_loop(make_reranker, local_openrouter):
    """Async calls of 1000 rerankers in one event loop use one connection."""
    rerankers = [make_reranker() for _ in range(1000)]

    for reranker in rerankers[::10]:
        assert await abest_text(reranker, "word") == "word"

    assert local_openrouter.connections == 1


@pytest.fixture
def no_other_reranker():
    """
    Free the rerankers of other tests.

    Rerankers share connections, which are closed by the last reranker. LangChain caches the
    functions of `RunnableLambda`s, and with them the rerankers of other tests.
    """
    get_function_nonlocals.cache_clear()
    gc.collect()


@pytest.mark.usefixtures("no_other_reranker")
def test_a_with_block_closes_the_connections(make_reranker, local_openrouter):
    """The end of a `with` block closes the connections, and the reranker still works."""
    with make_reranker() as reranker:
        best_text(reranker, "word")
        assert local_openrouter.open_connections == 1

    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)
    assert best_text(reranker, "word") == "word"


async def test_an_async_with_block_closes_the_connections(make_reranker, local_openrouter):
    """The end of an `async with` block closes the loop's connections. The reranker still works."""
    async with make_reranker() as reranker:
        await abest_text(reranker, "word")
        assert local_openrouter.open_connections == 1

    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
    )
    assert await abest_text(reranker, "word") == "word"


@pytest.mark.usefixtures("no_other_reranker")
def test_a_with_block_closes_the_connections_after_an_error(make_reranker, local_openrouter):
    """An error inside a `with` block is raised, and the connections are closed."""

    def fail():
        with make_reranker() as reranker:
            best_text(reranker, "word")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)
