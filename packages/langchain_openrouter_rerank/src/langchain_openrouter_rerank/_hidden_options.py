"""Hides the headers of a call in LangChain's methods, whose frames contain its options."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar

from openrouter_rerank.client_options.secrets import hide_secrets

# They pass their keywords to `invoke` and `ainvoke`, which hide secrets themselves.
_METHODS = (
    *("batch", "abatch", "batch_as_completed", "abatch_as_completed"),
    *("stream", "astream", "transform", "atransform", "astream_events"),
)
_Class = TypeVar("_Class", bound=type)


def hide_options(runnable: _Class) -> _Class:
    """Return the class `runnable`, whose methods hide the secrets in their keywords."""
    for name in _METHODS:
        setattr(runnable, name, _hiding(getattr(runnable, name)))
    return runnable


def _hiding(method: Callable[..., object]) -> Callable[..., object]:
    @wraps(method)
    def call(self: object, *arguments: object, **options: object) -> object:
        hide_secrets(options, known=options.keys())
        return method(self, *arguments, **options)

    return call
