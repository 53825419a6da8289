"""One reranker in many loops and threads, and many rerankers in one: nothing blocks or leaks."""

import asyncio
import gc
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from langchain_core.documents import Document
from langchain_core.runnables.utils import get_function_nonlocals
from langchain_openrouter_rerank import OpenRouterRerank
from openrouter_rerank.local.stage import Fault

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)


@pytest.fixture
def make(local_openrouter):
    """Make a reranker that calls the local service."""

    def make(**options):
        return OpenRouterRerank(
            api_key=local_openrouter.api_key, base_url=local_openrouter.base_url, **options
        )

    return make


def documents(word):
    """Return documents of which the last has a word."""
    return [Document("bread"), Document("water"), Document(word)]


async def ask(reranker, word):
    """Rerank, and return the best text."""
    found = await reranker.acompress_documents(documents(word), word)
    return found[0].page_content


def test_twenty_loops_one_after_the_other(make, local_openrouter):
    """One reranker works in every `asyncio.run`, and each takes its connections with it."""
    reranker = make()

    for at in range(20):
        assert asyncio.run(ask(reranker, f"word{at}")) == f"word{at}"

    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)


def test_thirty_two_threads(make):
    """Threads that share a reranker get the answers to their own questions."""
    reranker = make(max_concurrency=32)
    at_once = threading.Barrier(32)

    def work(at):
        at_once.wait()
        found = reranker.compress_documents(documents(f"word{at}"), f"word{at}")
        return found[0].page_content

    with ThreadPoolExecutor(32) as threads:
        assert list(threads.map(work, range(32))) == [f"word{at}" for at in range(32)]


def test_loops_in_threads(make):
    """Loops of several threads share a reranker."""
    reranker = make()

    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda at: asyncio.run(ask(reranker, f"word{at}")), range(16))

        assert list(found) == [f"word{at}" for at in range(16)]


async def test_synchronous_calls_inside_a_running_loop(make):
    """A notebook, whose loop runs already, can call synchronously and asynchronously."""
    reranker = make()

    assert reranker.compress_documents(documents("word"), "word")[0].page_content == "word"
    assert await ask(reranker, "word") == "word"
    assert reranker.rerank(["a", "word"], "word").results[0].index == 1


async def test_two_hundred_calls_wait_together(make, local_openrouter):
    """With `max_concurrency`, none of so many calls waits for the answer to another one."""
    local_openrouter.always(Fault.hang())
    reranker = make(max_concurrency=200)

    calls = [asyncio.create_task(ask(reranker, f"word{at}")) for at in range(200)]
    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.in_flight == 200, timeout=20
    )
    local_openrouter.release()

    assert await asyncio.gather(*calls) == [f"word{at}" for at in range(200)]
    assert len(local_openrouter.requests) == 200


# What `main` does is watched for calls that block. The process then ends without its usual cleanup:
# the patches of blockbuster keep the standard streams alive for longer than the types of these, and
# freeing them afterwards crashes the interpreter. What was left open warns when it is collected.
WATCHED = """
import asyncio
import gc
import os
import sys
import traceback
from blockbuster import BlockBuster, BlockingError

async def watched():
    blockbuster = BlockBuster()
    blockbuster.activate()
    try:
        try:
            os.listdir()
        except BlockingError:
            await main()
        else:
            raise AssertionError("blockbuster does not watch")
    finally:
        blockbuster.deactivate()

status = 1
try:
    asyncio.run(watched())
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
converting = OpenRouterRerank(document_converter=lambda _: file.read_text())
found = [
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
    assert len(await reranker.acompress_documents(found, "a cat")) == 3
    assert len((await reranker.arerank(found, "a cat")).results) == 3
    assert len(await reranker.ainvoke({"query": "a cat", "documents": found})) == 3
    assert len(await converting.acompress_documents(found, "a cat")) == 3
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


def run(program, **options):
    """Run a program in which every warning is an error; it succeeds and prints nothing."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-W", "error", "-c", program],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
        **options,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done.stderr


@pytest.mark.usefixtures("key_in_environment")
def test_no_call_blocks_the_loop(tmp_path):
    """Neither connecting, reading an image, encoding one nor the user's converter blocks."""
    (tmp_path / "cat.png").write_bytes(PNG)
    (tmp_path / "cat.txt").write_text("A cat")

    run(EVERY_CALL + WATCHED, cwd=tmp_path)


@pytest.mark.usefixtures("key_in_environment")
def test_the_first_call_of_a_process_does_not_block():
    """What a process does once, such as reading certificates, is not done in the loop."""
    run(FIRST_CALL + WATCHED)


@pytest.mark.usefixtures("key_in_environment")
def test_a_process_may_end_without_closing():
    """Nothing that was left open is complained about when the process ends."""
    run(CALLS_LEFT_OPEN)


def test_a_thousand_rerankers_share_a_connection(make, local_openrouter):
    """Rerankers are cheap: each one asks over the connection of the one before."""
    before = threading.active_count()
    rerankers = [make(top_n=1) for _ in range(1000)]

    for reranker in rerankers[::10]:
        assert reranker.compress_documents(documents("word"), "word")[0].page_content == "word"

    assert local_openrouter.connections == 1
    assert threading.active_count() <= before + 1


async def test_a_thousand_rerankers_share_a_connection_in_a_loop(make, local_openrouter):
    """The same holds in an event loop."""
    rerankers = [make() for _ in range(1000)]

    for reranker in rerankers[::10]:
        assert await ask(reranker, "word") == "word"

    assert local_openrouter.connections == 1


@pytest.fixture
def alone():
    """
    No other reranker is in use: connections are shared, and the last one closes them.

    LangChain remembers the functions of `RunnableLambda`s, and so the rerankers of other tests.
    """
    get_function_nonlocals.cache_clear()
    gc.collect()


@pytest.mark.usefixtures("alone")
def test_a_context_closes(make, local_openrouter):
    """Leaving `with` gives the connections up, and the reranker still works."""
    with make() as reranker:
        reranker.compress_documents(documents("word"), "word")
        assert local_openrouter.open_connections == 1

    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)
    assert reranker.compress_documents(documents("word"), "word")[0].page_content == "word"


async def test_an_asynchronous_context_closes(make, local_openrouter):
    """Leaving `async with` gives the connections of the loop up, and the reranker still works."""
    async with make() as reranker:
        await ask(reranker, "word")
        assert local_openrouter.open_connections == 1

    await asyncio.to_thread(
        local_openrouter.wait_until, lambda: local_openrouter.open_connections == 0
    )
    assert await ask(reranker, "word") == "word"


@pytest.mark.usefixtures("alone")
def test_a_context_closes_after_a_failure(make, local_openrouter):
    """What is raised inside passes through, and the connections are closed all the same."""

    def fail():
        with make() as reranker:
            reranker.compress_documents(documents("word"), "word")
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    local_openrouter.wait_until(lambda: local_openrouter.open_connections == 0)
