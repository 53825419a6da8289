"""Runs a coroutine without a task, so that a test can close it while it waits."""

import asyncio


async def run_until(call, condition):
    """Run the coroutine `call` until `condition()` is true, and leave it suspended there."""
    while not condition():
        waited = call.send(None)
        if waited is None:
            await asyncio.sleep(0)
        else:
            # A future expects a task to reset this flag before it waits for the future.
            waited._asyncio_future_blocking = False  # noqa: SLF001
            await asyncio.wait([waited], timeout=0.2)
