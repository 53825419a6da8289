"""The reranker as a step of LangChain's chains, and as a value that LangChain writes down."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from langchain_core.documents import Document
from langchain_core.runnables import RunnableConfig, RunnableSerializable, ensure_config
from openrouter_rerank.errors import InvalidRequestError
from pydantic import ConfigDict
from typing_extensions import TypedDict

from .options import DocumentOptions


class RerankInput(TypedDict):
    """What a chain passes to the reranker."""

    query: str
    documents: list[Document]


class RerankStep(DocumentOptions, RunnableSerializable[RerankInput, list[Document]], ABC):
    """A Runnable from a query and documents to documents, with the options of the reranker."""

    # Of several bases the last one's would hold, and that ignores misspelt options.
    model_config = ConfigDict(**DocumentOptions.model_config)

    def invoke(
        self,
        input: RerankInput,  # noqa: A002 - LangChain passes it by this name.
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """
        Return copies of the documents of `input`, the most relevant to its query first.

        Args:
            input: A mapping with `query` and `documents`.
            config: Callbacks, tags and metadata of the run.
            **kwargs: `model`, `top_n` and `score_threshold` of this call.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        _check(input)
        return self._compressed(input["documents"], input["query"], ensure_config(config), kwargs)

    async def ainvoke(
        self,
        input: RerankInput,  # noqa: A002 - LangChain passes it by this name.
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """
        Return copies of the documents of `input`, the most relevant to its query first.

        Args:
            input: A mapping with `query` and `documents`.
            config: Callbacks, tags and metadata of the run.
            **kwargs: `model`, `top_n` and `score_threshold` of this call.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        _check(input)
        return await self._acompressed(
            input["documents"], input["query"], ensure_config(config), kwargs
        )

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Let LangChain write the reranker down, with the key as a reference."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Name the secret that takes the place of the key."""
        return {"api_key": "OPENROUTER_API_KEY"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """Write as JSON has it what is an object here."""
        written = {
            "budget": None if self.budget is None else self.budget.limit,
            "image_root": None if self.image_root is None else str(self.image_root),
        }
        return {name: value for name, value in written.items() if value is not None}

    @abstractmethod
    def _compressed(
        self,
        documents: Sequence[Document],
        query: str,
        config: RunnableConfig,
        options: Mapping[str, object],
    ) -> list[Document]: ...

    @abstractmethod
    async def _acompressed(
        self,
        documents: Sequence[Document],
        query: str,
        config: RunnableConfig,
        options: Mapping[str, object],
    ) -> list[Document]: ...


def _check(given: object) -> None:
    # Chains carry along what others of their steps need.
    if not _is_mapping(given) or not {"query", "documents"} <= set(given):
        what = sorted(map(str, given)) if _is_mapping(given) else type(given).__name__
        raise InvalidRequestError(
            f"the input of a reranker is a mapping with query and documents, got {what!r:.200}"
        )


def _is_mapping(value: object) -> TypeGuard[Mapping[object, object]]:
    return isinstance(value, Mapping)
