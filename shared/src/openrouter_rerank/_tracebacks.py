"""
Removes secrets from tracebacks of a call, and finds exceptions of signal handlers by them.

A crash reporter shows the local variables of each frame. In the middle of a call those of an HTTP
library, and for a moment those of this package, contain the key and the headers as text. A signal
handler, a cancellation or a timeout of the caller can end a call at any line.
"""

import inspect
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from types import FrameType
from typing import Protocol, TypeGuard, runtime_checkable

HTTP_LIBRARIES = frozenset({"httpcore", "httpcore2", "httpx", "httpx2"})
_PACKAGES = (
    sys.stdlib_module_names
    | HTTP_LIBRARIES
    | {"anyio", "h11", "h2", "hpack", "openrouter_rerank", "socksio"}
    # They pass options on.
    | {"langchain_core", "llama_index", "pydantic"}
)
"""The packages whose frames may contain secrets. The frames of the user's code are not changed."""


@runtime_checkable
class _Clearable(Protocol):
    def clear(self) -> object: ...


def clear_frames(error: BaseException, keywords: Mapping[str, object] | None = None) -> None:
    """
    Clear the local variables of all frames of a call that has ended with `error`.

    Call this where `error` is caught. The frames of the caller are not changed, nor are those of an
    exception that the caller was handling when the call began. Files and line numbers remain.

    Args:
        error: Its traceback is changed, and so are those of its causes and contexts.
        keywords: The keywords of the function that catches `error`. Its frame is not changed, but
            the dict of its keywords is emptied.
    """
    # Python passes keywords in a dict, but a type checker may know it by another type.
    if isinstance(keywords, dict):
        keywords.clear()
    for each in with_causes(error):
        for frame in _finished_frames(each, error):
            if _may_have_secrets(frame):
                _clear(frame)


def error_from_signal(error: BaseException) -> BaseException | None:
    """
    Return the exception of a signal handler if it is `error`, or if `error` was raised from it.

    Call this where `error` is caught. Task runners limit the time of a task by a handler that
    raises. Its exception may have the class of a network error, but must not be treated as one.
    """
    for each in with_causes(error):
        if any(_is_of_handler(frame) for frame in _finished_frames(each, error)):
            return each
    return None


def raise_if_from_signal(error: BaseException) -> None:
    """Raise the exception of a signal handler if it is `error`: see `error_from_signal`."""
    if (found := error_from_signal(error)) is not None:
        context = found.__context__
        try:
            raise found
        finally:
            found.__context__ = context


class ErrorsSuppressed:
    """A context like `suppress(Exception)`, which lets the exceptions of signal handlers pass."""

    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if not isinstance(error, Exception):
            return False
        raise_if_from_signal(error)
        return True


def _is_of_handler(frame: FrameType) -> bool:
    """Return `True` if Python called the function of `frame` because of a signal."""
    # Such a function gets the number of the signal, and the frame that was interrupted.
    found: list[object] = []
    names, rest, _, values = inspect.getargvalues(frame)
    for name in names if rest is None else (*names, rest):
        value: object = values.get(name)
        # `isinstance` is not used, because it reads an attribute of the user's object.
        found += value if type(value) is tuple else [value]
    is_passed = frame.f_back is not None and any(each is frame.f_back for each in found)
    return is_passed and any(issubclass(type(each), int) for each in found)


def with_causes(error: BaseException) -> Iterator[BaseException]:
    """
    Yield `error` and what it was raised from, without what the caller was handling before.

    Call this where `error` is caught. The errors of a group come first, then causes, then contexts.
    """
    running = _running_frames(error)
    seen = set[int]()
    pending = [error]
    while pending:
        current = pending.pop()
        trace = current.__traceback__
        is_of_caller = current is not error and trace is not None and trace.tb_frame in running
        if id(current) in seen or is_of_caller:
            continue
        seen.add(id(current))
        yield current
        # The last one comes next.
        pending += [each for each in (current.__context__, current.__cause__) if each is not None]
        if is_group(current):
            pending += reversed(current.exceptions)


def _finished_frames(error: BaseException, caught: BaseException) -> Iterator[FrameType]:
    """Yield the frames of `error` that have ended when `caught` is caught."""
    running = _running_frames(caught)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame not in running:
            yield trace.tb_frame
        trace = trace.tb_next


def _running_frames(caught: BaseException) -> set[FrameType]:
    running = set[FrameType]()
    trace = caught.__traceback__
    frame = None if trace is None else trace.tb_frame
    while frame is not None:
        running.add(frame)
        frame = frame.f_back
    return running


def clear_headers(value: object) -> None:
    """Remove all headers if `value` is a request of an HTTP library."""
    kind = type(value)
    if kind.__name__ == "Request" and kind.__module__.partition(".")[0] in HTTP_LIBRARIES:
        headers: object = getattr(value, "headers", None)
        if isinstance(headers, _Clearable):
            headers.clear()


def _clear(frame: FrameType) -> None:
    # Other objects may refer to a request too, such as the errors of httpx.
    for value in frame.f_locals.values():
        clear_headers(value)
    # A thread that has not ended yet executes its frames.
    with suppress(RuntimeError):
        frame.clear()
        # Before Python 3.13, a frame keeps the dict of its variables that was read above, and so
        # their values, such as an open socket. Reading it again removes them.
        _ = frame.f_locals


def is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    """Return `True` if `error` is a group of exceptions."""
    return isinstance(error, BaseExceptionGroup)


def _may_have_secrets(frame: FrameType) -> bool:
    name: object = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.partition(".")[0] in _PACKAGES
