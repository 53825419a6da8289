"""
What LangChain's handlers are told of a call: a retriever run, with its model, usage and cost.

LangSmith and the like have no kind of run for reranking; a retriever's has a query and documents.
"""

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from dataclasses import dataclass
from typing import Any, TypedDict

from langchain_core.callbacks import (
    AsyncCallbackManager,
    AsyncCallbackManagerForRetrieverRun,
    CallbackManager,
    CallbackManagerForRetrieverRun,
    Callbacks,
)
from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig
from openrouter_rerank.reranker import Placement

from ._redaction import redacted
from .listeners import nobody_listens

_NOTHING = Placement(order=())


@dataclass(slots=True)
class Outcome:
    """What a call tells before its run ends."""

    placement: Placement = _NOTHING
    documents: Callable[[], Sequence[Document]] = tuple
    """Makes what handlers are shown."""

    def ended(self, placement: Placement, documents: Callable[[], Sequence[Document]]) -> None:
        """Note how the call has ended; `documents` is called only if there is a handler."""
        self.placement, self.documents = placement, documents


def traced(
    query: str, config: RunnableConfig, *, name: str, model: str
) -> AbstractContextManager[Outcome]:
    """Make a run of what happens inside, if anybody listens."""
    if nobody_listens(config, CallbackManager):
        return nullcontext(Outcome())
    return _run(query, config, name=name, model=model)


@contextmanager
def _run(query: str, config: RunnableConfig, *, name: str, model: str) -> Generator[Outcome]:
    outcome = Outcome()
    manager = CallbackManager.configure(**_listeners(config, model))
    if not manager.handlers:
        yield outcome
        return
    run = manager.on_retriever_start(
        None, query, run_id=config.get("run_id"), name=config.get("run_name") or name
    )
    try:
        yield outcome
    except BaseException as error:
        run.on_retriever_error(error)
        raise
    _describe(run, outcome.placement)
    run.on_retriever_end(redacted(outcome.documents()))


def atraced(
    query: str, config: RunnableConfig, *, name: str, model: str
) -> AbstractAsyncContextManager[Outcome]:
    """Make a run of what happens inside, if anybody listens."""
    if nobody_listens(config, AsyncCallbackManager):
        return nullcontext(Outcome())
    return _arun(query, config, name=name, model=model)


@asynccontextmanager
async def _arun(
    query: str, config: RunnableConfig, *, name: str, model: str
) -> AsyncGenerator[Outcome]:
    outcome = Outcome()
    manager = AsyncCallbackManager.configure(**_listeners(config, model))
    if not manager.handlers:
        yield outcome
        return
    run = await manager.on_retriever_start(
        None, query, run_id=config.get("run_id"), name=config.get("run_name") or name
    )
    try:
        yield outcome
    except BaseException as error:
        await run.on_retriever_error(error)
        raise
    _describe(run, outcome.placement)
    await run.on_retriever_end(redacted(outcome.documents()))


class _Listeners(TypedDict):
    inheritable_callbacks: Callbacks
    inheritable_tags: list[str] | None
    inheritable_metadata: dict[str, Any] | None
    local_metadata: dict[str, Any]


def _listeners(config: RunnableConfig, model: str) -> _Listeners:
    return {
        "inheritable_callbacks": config.get("callbacks"),
        "inheritable_tags": config.get("tags"),
        "inheritable_metadata": config.get("metadata"),
        "local_metadata": {"ls_provider": "openrouter", "ls_model_name": model},
    }


def _describe(
    run: CallbackManagerForRetrieverRun | AsyncCallbackManagerForRetrieverRun,
    placement: Placement,
) -> None:
    # Handlers hold these very objects, and LangSmith's reads them again when the run ends.
    if placement.error is not None:
        error = placement.error
        run.tags.append("passed_through")
        run.metadata["passed_through"] = f"{type(error).__name__}: {error.message}"
    if (ranking := placement.ranking) is not None:
        usage = {"total_tokens": ranking.usage.total_tokens, "total_cost": ranking.usage.cost}
        run.metadata |= {
            "ls_model_name": ranking.model,
            "generation_id": ranking.id,
            "served_by": ranking.provider,
            "usage_metadata": {key: value for key, value in usage.items() if value is not None},
        }
