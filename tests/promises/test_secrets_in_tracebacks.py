"""Promise: no secret is in the traceback of an exception that ends a call from outside."""

import asyncio
import signal
import threading
from contextlib import contextmanager

import httpx
import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llama_index.core.schema import NodeWithScore, TextNode
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import AsyncRerankClient, RerankClient
from openrouter_rerank.local.stage import error, refusing_address

from tests.clients import CLIENT_KIND_IDS, CLIENT_KINDS, TLS
from tests.secret_walker import HEADER, KEY, frames, secrets_in, secrets_in_frames
from tests.stalling_server import STEPS, stalling_server

SECRETS = {"api_key": KEY, "default_headers": {"X-Secret": HEADER}, "timeout": 60}
LIBRARIES = [library for mode, library in CLIENT_KINDS if mode == "sync"]
# Larger than the buffers between the client and a server that does not read.
DOCUMENTS = {"sending": ["x" * 16_000_000], "waiting": ["a"], "reading": ["a"]}

each_library = pytest.mark.parametrize("library", LIBRARIES, ids=CLIENT_KIND_IDS[:3])
each_step = pytest.mark.parametrize("step", STEPS)


class JobTimeoutError(Exception):
    """Raised by the signal handler of a worker, as task queues do."""


def end_job(signal_number, frame):
    """Handle the signal as the worker of a task queue does."""
    raise JobTimeoutError


@contextmanager
def signalled(number, wait):
    """Send a signal to this thread as soon as `wait` returns."""

    def send():
        wait()
        signal.pthread_kill(thread, number)

    thread = threading.get_ident()
    # A process in the background of a shell ignores Ctrl-C.
    handler = end_job if number == signal.SIGUSR1 else signal.default_int_handler
    before = signal.signal(number, handler)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        sender.join()
        signal.signal(number, before)


@each_library
@each_step
@pytest.mark.parametrize(
    ("number", "raised"),
    [(signal.SIGUSR1, JobTimeoutError), (signal.SIGINT, KeyboardInterrupt)],
    ids=["signal handler", "Ctrl-C"],
)
def test_a_signal_leaves_no_secret(library, step, number, raised):
    """If a signal handler raises at any step, no frame has a secret in its variables."""
    http = library and library.Client(verify=TLS)
    with stalling_server(step) as (base_url, wait):
        client = RerankClient(base_url=base_url, http_client=http, **SECRETS)
        with pytest.raises(raised) as caught, signalled(number, wait):
            client.rerank("q", DOCUMENTS[step])

    assert secrets_in_frames(caught.value) == []
    assert len(frames(caught.value)) > 8
    if http is not None:
        http.close()


async def cancelled(call, wait):
    """Cancel a call as soon as `wait` returns, and return its exception."""
    task = asyncio.create_task(call)
    await asyncio.to_thread(wait)
    task.cancel()
    with pytest.raises(asyncio.CancelledError) as caught:
        await task
    return caught.value


async def timed_out(call, wait):
    """End a call by an `asyncio.timeout` as soon as `wait` returns, and return its exception."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as timeout:
            waiting = loop.run_in_executor(None, wait)
            waiting.add_done_callback(lambda _: timeout.reschedule(loop.time()))
            await call
    except TimeoutError as error:
        return error


@each_library
@each_step
@pytest.mark.parametrize("end", [cancelled, timed_out])
async def test_a_cancellation_leaves_no_secret(library, step, end):
    """If a call is cancelled at any step, no frame has a secret in its variables."""
    http = library and library.AsyncClient(verify=TLS)
    with stalling_server(step) as (base_url, wait):
        client = AsyncRerankClient(base_url=base_url, http_client=http, **SECRETS)
        failure = await end(client.rerank("q", DOCUMENTS[step]), wait)

    assert secrets_in_frames(failure) == []
    assert len(frames(failure)) > 8
    if http is not None:
        await http.aclose()


@each_library
@each_step
async def test_a_cancelled_call_of_several_requests_leaves_no_secret(library, step):
    """If a call of several requests is cancelled, no frame has a secret in its variables."""
    http = library and library.AsyncClient(verify=TLS)
    with stalling_server(step) as (base_url, wait):
        client = AsyncRerankClient(base_url=base_url, http_client=http, **SECRETS)
        documents = [*DOCUMENTS[step], "another"]
        call = client.rerank("q", documents, max_documents_per_request=1)
        failure = await cancelled(call, wait)

    assert secrets_in_frames(failure) == []
    if http is not None:
        await http.aclose()


def call_of_langchain(reranker):
    """Return a sync and an async call of a LangChain reranker."""
    documents = [Document("a"), Document("b")]
    return (
        lambda: reranker.compress_documents(documents, "q"),
        lambda: reranker.acompress_documents(documents, "q"),
    )


def call_of_llamaindex(reranker):
    """Return a sync and an async call of a LlamaIndex reranker."""
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in ("a", "b")]
    return (
        lambda: reranker.postprocess_nodes(nodes, query_str="q"),
        lambda: reranker.apostprocess_nodes(nodes, query_str="q"),
    )


each_framework = pytest.mark.parametrize(
    ("reranker_class", "calls_of"),
    [(LangChainRerank, call_of_langchain), (LlamaIndexRerank, call_of_llamaindex)],
    ids=["LangChain", "LlamaIndex"],
)


@each_framework
@each_step
def test_a_signal_in_a_reranker_leaves_no_secret(reranker_class, calls_of, step):
    """If a signal handler raises in a reranker's call, no frame has a secret in its variables."""
    with stalling_server(step) as (base_url, wait):
        reranker = reranker_class(base_url=base_url, **SECRETS)
        call, _ = calls_of(reranker)
        with pytest.raises(JobTimeoutError) as caught, signalled(signal.SIGUSR1, wait):
            call()

    assert secrets_in_frames(caught.value) == []
    assert secrets_in(reranker) == []


@each_framework
@each_step
async def test_a_cancellation_of_a_reranker_leaves_no_secret(reranker_class, calls_of, step):
    """If a reranker's call is cancelled, no frame has a secret in its variables."""
    with stalling_server(step) as (base_url, wait):
        reranker = reranker_class(base_url=base_url, **SECRETS)
        _, acall = calls_of(reranker)
        failure = await cancelled(acall(), wait)

    assert secrets_in_frames(failure) == []
    assert secrets_in(reranker) == []


def test_an_error_of_an_event_hook_refers_to_no_secret(stage):
    """The request that an error of a hook refers to has no header any more."""
    stage.always(error(403, "no"))

    def check(response):
        try:
            response.raise_for_status()
        except httpx.HTTPStatusError as failure:
            raise LookupError from failure

    with httpx.Client(verify=TLS, event_hooks={"response": [check]}) as http:
        client = RerankClient(base_url=stage.base_url, http_client=http, **SECRETS)
        with pytest.raises(LookupError) as caught:
            client.rerank("q", ["a"])

    assert secrets_in_frames(caught.value) == []
    assert secrets_in(caught.value.__cause__.request) == []


class InTaskGroup(httpx.AsyncHTTPTransport):
    """A transport of the user that sends each request in a task group."""

    async def handle_async_request(self, request):
        """Send the request; a failure is raised in a group."""
        async with asyncio.TaskGroup() as tasks:
            sent = tasks.create_task(super().handle_async_request(request))
        return sent.result()


async def test_the_errors_in_a_group_have_no_secret():
    """If a transport raises a group of errors, no frame of an error in it has a secret."""
    with refusing_address() as base_url:
        async with httpx.AsyncClient(transport=InTaskGroup(verify=TLS)) as http:
            client = AsyncRerankClient(base_url=base_url, http_client=http, **SECRETS)
            with pytest.raises(ExceptionGroup) as caught:
                await client.rerank("q", ["a"])

    [of_task] = caught.value.exceptions
    assert type(of_task) is httpx.ConnectError
    assert len(frames(of_task)) > 8
    assert secrets_in_frames(caught.value) == []


def test_the_callers_own_exception_is_left_alone(stage):
    """The variables of an exception that the caller handles during the call are not cleared."""
    with RerankClient(base_url=stage.base_url, **SECRETS | {"timeout": 5}) as client:
        try:
            httpx.URL("http://host:port")
        except httpx.InvalidURL as own:
            with pytest.raises(TypeError) as caught:
                client.rerank("q", ["a"], unknown=1)
            left = [frame.f_locals for frame in frames(own)]

    assert caught.value.__context__ is not None
    assert any(left)
