"""The running event loop, and values that belong to one event loop, such as its connections."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from openrouter_rerank.errors import ConfigurationError

_Value = TypeVar("_Value")

_ATTRIBUTE = "_openrouter_rerank"


def running_loop() -> asyncio.AbstractEventLoop:
    """
    Return the running event loop.

    Raises:
        ConfigurationError: If there is none.
    """
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        raise ConfigurationError(
            "an asynchronous call needs a running event loop of asyncio, and there is none: await "
            "it in a coroutine that asyncio.run() runs. With trio, make a synchronous call in a "
            "thread, with trio.to_thread.run_sync()"
        ) from None


class PerLoop(Generic[_Value]):
    """
    One value for each event loop, which the loop keeps.

    The values refer to their loop: a connection does, and so does a semaphore that was waited for.
    In a global dict, they would keep a loop alive that was dropped without `close()`.

    Args:
        make: Makes the value of a loop, when it is needed.
    """

    def __init__(self, make: Callable[[], _Value]) -> None:
        self._make = make

    def get(self) -> _Value:
        """
        Return the value of the running event loop.

        Raises:
            ConfigurationError: If there is none.
        """
        values = self._values(running_loop())
        found = values.get(self)
        if found is None:
            found = values[self] = self._make()
        return found

    def discard(self, loop: asyncio.AbstractEventLoop) -> None:
        """Remove the value of `loop`, if there is one."""
        self._values(loop).pop(self, None)

    @staticmethod
    def _values(loop: asyncio.AbstractEventLoop) -> "WeakKeyDictionary[PerLoop[_Value], _Value]":
        # Objects with values of other types share it, and each gets only its own.
        values: WeakKeyDictionary[PerLoop[_Value], _Value] | None = vars(loop).get(_ATTRIBUTE)
        if values is None:
            values = WeakKeyDictionary[PerLoop[_Value], _Value]()
            vars(loop)[_ATTRIBUTE] = values
        return values
