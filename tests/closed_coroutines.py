"""Drives a coroutine by hand, so that a test can close it while it waits."""

import asyncio


async def begun(call, is_under_way):
    """Run the coroutine `call` until `is_under_way()`, and leave it suspended there."""
    while not is_under_way():
        waited = call.send(None)
        if waited is None:
            await asyncio.sleep(0)
        else:
            # The future expects to be awaited by a task; this is what a task would do.
            waited._asyncio_future_blocking = False  # noqa: SLF001
            await asyncio.wait([waited], timeout=0.2)
