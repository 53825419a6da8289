"""
Removes secrets from the tracebacks of exceptions that leave a call.

A crash reporter shows the local variables of each frame. In the middle of a call those of an HTTP
library, and for a moment those of this package, contain the key and the headers as text. A signal
handler, a cancellation or a timeout of the caller can end a call at any line.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from types import FrameType
from typing import Protocol, TypeGuard, runtime_checkable

_HTTP_LIBRARIES = frozenset({"httpcore", "httpcore2", "httpx", "httpx2"})
_PACKAGES = (
    sys.stdlib_module_names
    | _HTTP_LIBRARIES
    | {"anyio", "h11", "h2", "hpack", "openrouter_rerank", "socksio"}
    # They pass options on.
    | {"langchain_core", "llama_index", "pydantic"}
)
"""The packages whose frames may contain secrets. The frames of the user's code are left alone."""


@runtime_checkable
class _Clearable(Protocol):
    def clear(self) -> object: ...


def clear_frames(error: BaseException, keywords: Mapping[str, object] | None = None) -> None:
    """
    Clear the local variables of all frames of a call that has ended with `error`.

    To be called where `error` is caught. The frames of the caller are left alone, and so are those
    of an exception that the caller was handling when the call began. Files and line numbers remain.

    Args:
        error: Its traceback is changed, and so are those of its causes and contexts.
        keywords: The keywords of the function that catches `error`. Its frame is left alone, but
            the dict of its keywords is emptied.
    """
    # Python passes keywords in a dict, but a type checker may know it by another type.
    if isinstance(keywords, dict):
        keywords.clear()
    trace = error.__traceback__
    running = set[FrameType]()
    frame = None if trace is None else trace.tb_frame
    while frame is not None:
        running.add(frame)
        frame = frame.f_back
    seen = set[int]()
    pending = [error]
    while pending:
        current = pending.pop()
        trace = current.__traceback__
        is_of_caller = current is not error and trace is not None and trace.tb_frame in running
        if id(current) in seen or is_of_caller:
            continue
        seen.add(id(current))
        while trace is not None:
            if trace.tb_frame not in running and _may_have_secrets(trace.tb_frame):
                _clear(trace.tb_frame)
            trace = trace.tb_next
        if _is_group(current):
            pending += current.exceptions
        pending += [each for each in (current.__cause__, current.__context__) if each is not None]


def clear_headers(value: object) -> None:
    """Remove all headers if `value` is a request of an HTTP library."""
    kind = type(value)
    if kind.__name__ == "Request" and kind.__module__.partition(".")[0] in _HTTP_LIBRARIES:
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


def _is_group(error: BaseException) -> TypeGuard[BaseExceptionGroup[BaseException]]:
    return isinstance(error, BaseExceptionGroup)


def _may_have_secrets(frame: FrameType) -> bool:
    name: object = frame.f_globals.get("__name__")
    return isinstance(name, str) and name.partition(".")[0] in _PACKAGES
