"""`OpenRouterRerank`: a document compressor, which is also a step of LangChain's chains."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self, Unpack

from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.runnables import RunnableConfig, RunnableSerializable, ensure_config
from langchain_core.runnables.config import run_in_executor
from langchain_core.runnables.utils import AnyConfigurableField
from openrouter_rerank.client_options.secrets import hide_secrets
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.reranker import CallOptions, Reranker
from pydantic import ConfigDict, Field, model_validator
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from ._hidden_options import hide_options
from ._overrides import call_config, is_overridden, override_context, sync_override

if TYPE_CHECKING:
    from langchain_core.runnables import Runnable
    from openrouter_rerank.ranking import Ranking

    from ._calls import DocumentRules
    from .keywords import DocumentConverter, DocumentKeywords
    from .retriever import OpenRouterRerankRetriever, RetrieverKeywords
else:
    # Pydantic only checks that the converter can be called, and needs no exact type for that.
    DocumentConverter = Callable

_METHODS_OF_BOUND = ("compress_documents", "acompress_documents", "invoke", "ainvoke")
"""The methods that get the options of `bind`."""


class RerankInput(TypedDict):
    """The input of the reranker as a step of a chain."""

    query: str
    documents: list[Document]


@hide_options
class OpenRouterRerank(
    Reranker, RunnableSerializable[RerankInput, list[Document]], BaseDocumentCompressor
):
    """
    Rerank documents by their relevance to a query, with a rerank model on OpenRouter.

    ```python
    from langchain_core.documents import Document
    from langchain_openrouter_rerank import OpenRouterRerank

    reranker = OpenRouterRerank(top_n=1)  # The key is in OPENROUTER_API_KEY
    documents = [Document("Berlin is in Germany."), Document("Paris is the capital of France.")]
    best = reranker.compress_documents(documents, "What is the capital of France?")
    print(best[0].page_content, best[0].metadata["relevance_score"])
    ```

    The reranker returns all documents unless `top_n` or `score_threshold` is set, and never changes
    the documents that it gets. It is a document compressor, and also a Runnable that takes a
    mapping with `query` and `documents` and returns documents.

    Each call can have other options, such as `model`, `top_n`, `timeout` or `user`: see `rerank`.
    LangChain's callbacks get each call as a retriever run.
    """

    # Pydantic uses the settings of the last base class, and those of LangChain's classes ignore
    # misspelt options.
    model_config = ConfigDict(**Reranker.model_config)

    image_key: str | tuple[str, ...] | None = Field(
        default=None,
        description="Metadata fields whose image is ranked together with the text of the document.",
    )
    rank_fields: tuple[str, ...] = Field(
        default=(),
        description="Metadata fields put before the text, one line each, such as `title: Annual "
        "report`.",
    )
    score_key: str = Field(
        default="relevance_score",
        description="Metadata field that the score is written to.",
        min_length=1,
    )
    keep_retrieval_score: bool = Field(
        default=False,
        description="Keep the value that `score_key` had before as `retrieval_score`: the score of "
        "the retriever or of an earlier reranker.",
    )
    document_converter: SkipJsonSchema[DocumentConverter | None] = Field(
        default=None,
        description="Function that returns what of a document is ranked, instead of the rules for "
        "texts, fields and images: a text, a mapping with `text` and/or `image`, a "
        "`RerankDocument`, or `None` for nothing. Async calls run it in a thread.",
        exclude=True,
        repr=False,
    )

    if TYPE_CHECKING:

        def __init__(self, **options: Unpack[DocumentKeywords]) -> None:
            """
            Create a reranker. All options are optional.

            An editor shows what an option means at its name, and `help(OpenRouterRerank)` lists
            all of them.
            """

    def check_together(self) -> None:
        """Check what one option alone does not show, as each call does again."""
        from openrouter_rerank.reranker import PASSAGE_KEY, RETRIEVAL_SCORE

        super().check_together()
        if self.score_key == PASSAGE_KEY:
            raise ConfigurationError(
                f"score_key must not be {PASSAGE_KEY!r}: that field has the passage of a long "
                "document. Choose another score_key"
            )
        if self.keep_retrieval_score and self.score_key == RETRIEVAL_SCORE:
            raise ConfigurationError(
                f"keep_retrieval_score cannot be combined with score_key={RETRIEVAL_SCORE!r}: both "
                "scores would be written to one field. Choose another score_key"
            )

    @model_validator(mode="after")
    def _import_calls(self) -> Self:
        # With the first reranker: not with the class, which many programs import without making a
        # reranker, and not with the first call, because imports would block its event loop.
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

        Documents with nothing to rank follow without a score, unless `unscorable` says otherwise.
        If nothing was ranked, because the query is blank or `on_error` lets a failure pass, the
        result holds the documents themselves, unchanged.

        Args:
            documents: The documents to rank.
            query: The question.
            callbacks: By default those of the surrounding run.
            **options: Options of this call: see `rerank`.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        from ._calls import compress

        reranker = self.for_call(options)
        config = call_config(self, callbacks)
        return compress(reranker, _rules(reranker), documents, query, config, name=self.get_name())

    async def acompress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: Callbacks | None = None,
        **options: Unpack[CallOptions],
    ) -> list[Document]:
        """
        Return copies of `documents`, the most relevant to `query` first, with their scores.

        No thread waits for the response, and cancelling ends the call immediately. If a subclass
        overrides only `compress_documents`, this method runs it in a thread.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        from ._calls import acompress

        if override := sync_override(self, OpenRouterRerank):
            hide_secrets(options, known=options.keys())
            call = partial(override, self, documents, query, callbacks, **options)
            return await run_in_executor(None, call)
        reranker = self.for_call(options)
        config = call_config(self, callbacks)
        return await acompress(
            reranker, _rules(reranker), documents, query, config, name=self.get_name()
        )

    def rerank(
        self,
        documents: Sequence[object],
        query: str,
        *,
        callbacks: Callbacks | None = None,
        **options: Unpack[CallOptions],
    ) -> "Ranking":
        """
        Rank `documents` by their relevance to `query`, best first, and return only the scores.

        Each result names its document by index. Documents with nothing to rank are left out, or
        are an error if `unscorable` is `"raise"`. Failures are raised with every value of
        `on_error`, because there is no ranking without scores.

        Args:
            documents: Strings, `Document`s, mappings with `text` and/or `image`, content blocks,
                lists of content blocks (the content of a message), `Blob`s and PIL images. One list
                can mix them.
            query: The question; it must not be blank.
            callbacks: By default those of the surrounding run.
            **options: `model`, `fallback_models`, `top_n`, `score_threshold`, `provider`,
                `session_id`, `user`, `trace`, `extra_body`, `max_documents_per_request`,
                `long_documents`, `passage_tokens`, `max_passages`, `timeout`, `max_retries`,
                `app_url`, `app_title`, `app_categories` and `extra_headers` of this call: see
                `CallOptions`.

        Raises:
            TypeError: If a call has no such option.
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        from ._calls import rank

        reranker = self.for_call(options, raises=True)
        config = call_config(self, callbacks)
        return rank(reranker, _rules(reranker), documents, query, config, name=self.get_name())

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
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        from ._calls import arank

        reranker = self.for_call(options, raises=True)
        config = call_config(self, callbacks)
        return await arank(
            reranker, _rules(reranker), documents, query, config, name=self.get_name()
        )

    def as_retriever(
        self,
        base_retriever: "Runnable[str, list[Document]]",
        **options: "Unpack[RetrieverKeywords]",
    ) -> "OpenRouterRerankRetriever":
        """
        Return a retriever that reranks the documents found by `base_retriever`.

        Args:
            base_retriever: A retriever, or any Runnable from a query to documents.
            **options: See `OpenRouterRerankRetriever`.
        """
        from .retriever import OpenRouterRerankRetriever

        return OpenRouterRerankRetriever(base_retriever=base_retriever, reranker=self, **options)

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
            **kwargs: Options of this call: see `rerank`.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        from ._calls import check_input, compress

        check_input(input)
        if is_overridden(self, OpenRouterRerank, "compress_documents"):
            hide_secrets(kwargs, known=kwargs.keys())
            with override_context(self, config) as context:
                return context.run(
                    self.compress_documents, input["documents"], input["query"], **kwargs
                )
        reranker = self.for_call(kwargs)
        documents, query, config = input["documents"], input["query"], ensure_config(config)
        return compress(reranker, _rules(reranker), documents, query, config, name=self.get_name())

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
            **kwargs: Options of this call: see `rerank`.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        from ._calls import acompress, check_input

        check_input(input)
        if is_overridden(self, OpenRouterRerank, "compress_documents", "acompress_documents"):
            hide_secrets(kwargs, known=kwargs.keys())
            with override_context(self, config) as context:
                call = self.acompress_documents(input["documents"], input["query"], **kwargs)
                return await asyncio.create_task(call, context=context)
        reranker = self.for_call(kwargs)
        documents, query, config = input["documents"], input["query"], ensure_config(config)
        return await acompress(
            reranker, _rules(reranker), documents, query, config, name=self.get_name()
        )

    def bind(self, **kwargs: Any) -> "Runnable[RerankInput, list[Document]]":
        """
        Return a Runnable whose calls have options: see `rerank`. Its `repr` shows no header.

        Raises:
            TypeError: If a call has no such option.
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        if is_overridden(self, OpenRouterRerank, *_METHODS_OF_BOUND):
            # These methods may have further options.
            hide_secrets(kwargs, known=kwargs.keys())
        else:
            self.for_call(kwargs)
        return super().bind(**kwargs)

    def configurable_fields(
        self, **kwargs: AnyConfigurableField
    ) -> RunnableSerializable[RerankInput, list[Document]]:
        """
        Return a Runnable whose options can be set by the configuration of a call.

        Args:
            **kwargs: The configurable options by name.

        Raises:
            ValueError: If there is no such option.
        """
        from ._configurable import ConfigurableRerank

        # LangChain's method checks the names.
        super().configurable_fields(**kwargs)
        return ConfigurableRerank(default=self, fields=kwargs)

    @classmethod
    def is_lc_serializable(cls) -> bool:
        """Return `True`: LangChain can dump the reranker, with a reference in place of the key."""
        return True

    @property
    def lc_secrets(self) -> dict[str, str]:
        """Return the name of the secret that LangChain's dumps hold in place of the key."""
        return {"api_key": "OPENROUTER_API_KEY"}

    @property
    def lc_attributes(self) -> dict[str, Any]:
        """Return the JSON values that LangChain's dumps hold in place of objects."""
        values = {
            # Marks a dump, which may be loaded where there is no key.
            "class_name": type(self).__name__,
            "budget": None if self.budget is None else self.budget.limit,
            "image_root": None if self.image_root is None else str(self.image_root),
        }
        return {name: value for name, value in values.items() if value is not None}


def _rules(reranker: OpenRouterRerank) -> "DocumentRules":
    from ._calls import DocumentRules

    keys = reranker.image_key
    return DocumentRules(
        image_keys=(keys,) if isinstance(keys, str) else keys or (),
        rank_fields=reranker.rank_fields,
        converter=reranker.document_converter,
        score_key=reranker.score_key,
        keep_retrieval_score=reranker.keep_retrieval_score,
    )
