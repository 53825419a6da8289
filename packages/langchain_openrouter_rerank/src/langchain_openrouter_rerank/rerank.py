"""The class that LangChain's retrievers, pipelines and chains take."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Self, Unpack

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import RunnableConfig, ensure_config
from pydantic import model_validator

from .options import CallOptions
from .runnable import RerankStep

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable
    from openrouter_rerank.ranking import Ranking

    from .keywords import DocumentKeywords
    from .retriever import OpenRouterRerankRetriever, RetrieverKeywords


class OpenRouterRerank(RerankStep, BaseDocumentCompressor):
    """
    Reorders documents by their relevance to the query, with a rerank model of OpenRouter.

    ```python
    from langchain_core.documents import Document
    from langchain_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(top_n=1)  # The key is in OPENROUTER_API_KEY
    documents = [Document("Berlin is in Germany."), Document("Paris is the capital of France.")]
    best = reranker.compress_documents(documents, "What is the capital of France?")
    print(best[0].page_content, best[0].metadata["relevance_score"])
    ```

    It keeps all documents unless `top_n` or `score_threshold` is set, and changes none of those
    that it is given. It is a document compressor, and a Runnable from a mapping with `query` and
    `documents` to documents.

    Calls take `model`, `top_n` and `score_threshold` as keywords, each for itself alone, and are
    reported to LangChain's callbacks as runs of a retriever.
    """

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[DocumentKeywords]) -> None: ...

    @model_validator(mode="after")
    def _import_calls(self) -> Self:
        # With the first reranker that is made: not with the class, which many import without making
        # one, nor with the first call, which may be in an event loop.
        import_module(f"{__package__}._calls")
        return self

    def compress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: Callbacks | None = None,
        **options: Unpack[CallOptions],
    ) -> list[Document]:
        """
        Return copies of `documents`, the most relevant to `query` first, with their scores.

        Documents with nothing to rank follow behind, without a score, unless `unscorable` says
        otherwise. When nothing was ranked, for a blank query or after a failure that `on_error`
        passes through, the documents come back themselves, as they are.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        return self._compressed(documents, query, _config_of(callbacks), options)

    async def acompress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: Callbacks | None = None,
        **options: Unpack[CallOptions],
    ) -> list[Document]:
        """
        Return copies of `documents`, the most relevant to `query` first, with their scores.

        No thread waits for the answer, and a cancelled call ends at once.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        return await self._acompressed(documents, query, _config_of(callbacks), options)

    def rerank(
        self,
        documents: Sequence[object],
        query: str,
        *,
        callbacks: Callbacks | None = None,
        **options: Unpack[CallOptions],
    ) -> "Ranking":
        """
        Rank `documents` by their relevance to `query`, best first, and return the scores alone.

        The results name their documents by index. What has nothing to rank is not among them, or
        is an error if `unscorable` is `"raise"`. Failures are raised whatever `on_error` says:
        without scores there is no ranking.

        Args:
            documents: Strings, `Document`s, mappings with `text` and/or `image`, content blocks,
                lists of those (the content of a message), `Blob`s and PIL images, mixed.
            query: The question; not blank.
            callbacks: By default those of the run around.
            **options: See `CallOptions`.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        from ._calls import scored

        reranker = self._changed(options).model_copy(update={"on_error": "raise"})
        return scored(reranker, documents, query, _config_of(callbacks))

    async def arerank(
        self,
        documents: Sequence[object],
        query: str,
        *,
        callbacks: Callbacks | None = None,
        **options: Unpack[CallOptions],
    ) -> "Ranking":
        """
        Rank `documents` by their relevance to `query`, as `rerank` does, without a thread.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        from ._calls import ascored

        reranker = self._changed(options).model_copy(update={"on_error": "raise"})
        return await ascored(reranker, documents, query, _config_of(callbacks))

    def as_retriever(
        self,
        base_retriever: "Runnable[str, list[Document]]",
        **options: "Unpack[RetrieverKeywords]",
    ) -> "OpenRouterRerankRetriever":
        """
        Return a retriever of what is most relevant among what `base_retriever` finds.

        Args:
            base_retriever: A retriever, or any Runnable from a query to documents.
            **options: See `OpenRouterRerankRetriever`.
        """
        from .retriever import OpenRouterRerankRetriever

        return OpenRouterRerankRetriever(base_retriever=base_retriever, reranker=self, **options)

    def _compressed(
        self,
        documents: Sequence[Document],
        query: str,
        config: RunnableConfig,
        options: Mapping[str, object],
    ) -> list[Document]:
        from ._calls import compressed

        return compressed(self._changed(options), documents, query, config)

    async def _acompressed(
        self,
        documents: Sequence[Document],
        query: str,
        config: RunnableConfig,
        options: Mapping[str, object],
    ) -> list[Document]:
        from ._calls import acompressed

        return await acompressed(self._changed(options), documents, query, config)


def _config_of(callbacks: Callbacks | None) -> RunnableConfig:
    # By default that of the run around.
    return ensure_config(None if callbacks is None else {"callbacks": callbacks})
