"""
The methods that subclasses of `OpenRouterRerank` override, as steps of a chain.

LangChain gives a Runnable the id and the name of its run. They belong to one run: the first call of
the superclass gets them, and other Runnables in the overridden method do not.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import Context, ContextVar

from langchain_core.callbacks import Callbacks
from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig, ensure_config
from langchain_core.runnables.config import set_config_context


def is_overridden(reranker: object, base: type, *methods: str) -> bool:
    """Return `True` if the class of `reranker` overrides one of the methods of `base`."""
    return any(getattr(type(reranker), each) is not getattr(base, each) for each in methods)


def sync_override(reranker: object, base: type) -> Callable[..., list[Document]] | None:
    """Return the `compress_documents` that `acompress_documents` of `base` has to call, if any."""
    if not is_overridden(reranker, base, "compress_documents"):
        return None
    from openrouter_rerank.reranker import overrides

    subclass: type = type(reranker)
    return overrides.sync_override(subclass, base, "compress_documents", "acompress_documents")


class _Override:
    """An overridden method that `invoke` or `ainvoke` has called."""

    __slots__ = ("reranker", "run")

    def __init__(self, reranker: object, run: RunnableConfig) -> None:
        self.reranker = reranker
        self.run = run


_current: ContextVar[_Override | None] = ContextVar("overridden_compress_documents", default=None)


@contextmanager
def override_context(reranker: object, config: RunnableConfig | None) -> Generator[Context]:
    """
    Yield the context in which `invoke` or `ainvoke` calls an overridden method of `reranker`.

    Raises:
        RecursionError: If the overridden method has called it, which would never end.
    """
    if _of(reranker) is not None:
        raise RecursionError(
            f"invoke and ainvoke call the method that {type(reranker).__name__} overrides, so this "
            "method cannot call them: call super().compress_documents or "
            "super().acompress_documents there"
        )
    inner = ensure_config(config)
    run: RunnableConfig = {}
    if "run_id" in inner:
        run["run_id"] = inner.pop("run_id")
    if "run_name" in inner:
        run["run_name"] = inner.pop("run_name")
    override = _Override(reranker, run)
    with set_config_context(inner) as context:
        context.run(_current.set, override)
        try:
            yield context
        finally:
            # Tasks that the method has started may go on in a copy of the context.
            override.reranker = None


def call_config(reranker: object, callbacks: Callbacks | None) -> RunnableConfig:
    """Return the configuration of a call with `callbacks`, or else of the surrounding run."""
    config = ensure_config(None if callbacks is None else {"callbacks": callbacks})
    if (override := _of(reranker)) is not None:
        run, override.run = override.run, {}
        config.update(run)
    return config


def _of(reranker: object) -> _Override | None:
    override = _current.get()
    return override if override is not None and override.reranker is reranker else None
