"""A coroutine in its own event loop: with a running loop, and interrupted."""

import asyncio
import contextvars
import signal
import threading

import pytest
from openrouter_rerank.evaluation.asking.loop_thread import run_in_own_loop

pytestmark = pytest.mark.skipif(
    not hasattr(signal, "pthread_kill"), reason="this system sends no signals to threads"
)
variable = contextvars.ContextVar("variable", default="unset")


def interrupt():
    """Press Ctrl-C."""
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


async def test_a_loop_may_be_running():
    """In a coroutine, as in a notebook, the result of another coroutine is returned."""

    async def work(stop):
        await asyncio.sleep(0)
        return "done"

    assert run_in_own_loop(work) == "done"


def test_an_error_is_raised_in_the_calling_thread():
    """An error of the work is that of the call."""

    async def work(stop):
        raise LookupError("of the work")

    with pytest.raises(LookupError, match="of the work"):
        run_in_own_loop(work)


def test_context_variables_are_those_of_the_caller():
    """The work sees the context of the caller, as spans of traces need it."""
    token = variable.set("of the caller")

    async def work(stop):
        return variable.get()

    try:
        assert run_in_own_loop(work) == "of the caller"
    finally:
        variable.reset(token)


def test_an_interruption_asks_the_work_to_end():
    """After Ctrl-C, the work ends in order, and its result is returned."""

    async def work(stop):
        asyncio.get_running_loop().call_soon(interrupt)
        await stop.wait()
        return "ended in order"

    assert run_in_own_loop(work) == "ended in order"


@pytest.mark.parametrize("begins_later", [False, True])
def test_an_interruption_while_the_thread_is_started(monkeypatch, begins_later):
    """If Ctrl-C comes before the work has begun, it never begins."""
    started, begun = [], []
    start = threading.Thread.start

    def interrupted(thread):
        started.append(thread)
        raise KeyboardInterrupt

    async def work(stop):
        begun.append(None)

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_in_own_loop(work)
    if begins_later:
        start(started[0])
        started[0].join()

    assert begun == []


def test_a_second_interruption_cancels_the_work():
    """After a second Ctrl-C, the call ends, and the work is cancelled."""
    cancelled = threading.Event()

    async def work(stop):
        asyncio.get_running_loop().call_soon(interrupt)
        await stop.wait()
        asyncio.get_running_loop().call_soon(interrupt)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with pytest.raises(KeyboardInterrupt):
        run_in_own_loop(work)
    assert cancelled.wait(30)


def test_no_thread_is_left():
    """When the call has ended, its thread ends too, and its event loop is closed."""
    loops = []

    async def work(stop):
        loops.append(asyncio.get_running_loop())

    run_in_own_loop(work)

    assert loops[0].is_closed()
