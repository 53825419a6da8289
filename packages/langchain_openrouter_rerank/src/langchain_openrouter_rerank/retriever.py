"""A retriever that fetches candidates from another retriever, and keeps the most relevant."""

from collections.abc import Container, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from langchain_core.callbacks import (
    AsyncCallbackManagerForRetrieverRun,
    CallbackManagerForRetrieverRun,
)
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig
from openrouter_rerank.client_options.problems import problem
from openrouter_rerank.client_options.secrets import hidden
from openrouter_rerank.client_options.values import checked_value, number_in, whole_number
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError, shown_value
from openrouter_rerank.reranker import CallOptions
from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    field_validator,
)

from ._convert.documents import checked_query
from ._fetch_k import Search
from .rerank import OpenRouterRerank

_OPTIONS_OF_RERANKER = frozenset(CallOptions.__annotations__)


class RetrieverKeywords(TypedDict, total=False):
    """The keyword arguments of the class, without `base_retriever` and `reranker`."""

    fetch_k: int | None
    """Maximum number of candidates to rerank. Default: all that the base retriever finds."""
    top_n: int | None
    """Number of documents to return. Default: as many as the reranker returns."""
    k: int | None
    """Another name of `top_n`. It is not the number of candidates."""
    name: str | None
    tags: list[str] | None
    metadata: dict[str, Any] | None


class OpenRouterRerankRetriever(BaseRetriever):
    """
    Retrieve with another retriever, rerank what it finds, and return the most relevant documents.

    ```python
    from langchain_core.documents import Document
    from langchain_core.runnables import RunnableLambda
    from langchain_openrouter_rerank import OpenRouterRerankRetriever

    texts = ["Berlin is in Germany.", "Paris is the capital of France."]
    search = RunnableLambda(lambda query: [Document(text) for text in texts])  # Or a retriever
    retriever = OpenRouterRerankRetriever(base_retriever=search, top_n=1)
    print(retriever.invoke("What is the capital of France?")[0].page_content)
    ```

    `invoke` and `ainvoke` accept `top_n` (or `k`) and `fetch_k` for one call, and the options of a
    call of the reranker, such as `model`, `timeout`, `user` or `score_threshold`: see
    `OpenRouterRerank.rerank`. All other keywords, such as the `filter` of a vector store, are
    passed to the base retriever.
    """

    model_config = ConfigDict(
        extra="forbid",
        hide_input_in_errors=True,
        populate_by_name=True,
        use_attribute_docstrings=True,
        validate_assignment=True,
    )

    base_retriever: Runnable[str, list[Document]]
    """Finds the candidates: a retriever, or any Runnable from a query to documents."""
    reranker: OpenRouterRerank = Field(default_factory=OpenRouterRerank)
    """Ranks the candidates; by default an `OpenRouterRerank` with default options."""
    fetch_k: int | None = Field(default=None, ge=1)
    """
    Maximum number of candidates to rerank. Default: all that the base retriever finds.

    The base retriever, and each retriever inside it, finds this number for this call: vector
    stores, retrievers that accept `k` in a call, and those with a field `k`, `top_k`,
    `top_k_results` or `search_kwargs`. If a retriever cannot get the number, and fewer documents
    are found in all, a warning is logged once. `k` is not this number, but another name of `top_n`.
    """
    top_n: int | None = Field(default=None, ge=1, validation_alias=AliasChoices("top_n", "k"))
    """Number of documents to return. Default: as many as the reranker returns."""

    if TYPE_CHECKING:

        def __init__(
            self,
            *,
            base_retriever: Runnable[str, list[Document]],
            reranker: OpenRouterRerank = ...,
            **options: Unpack[RetrieverKeywords],
        ) -> None:
            """
            Create a retriever.

            Args:
                base_retriever: Finds the candidates: a retriever, or any Runnable from a query to
                    documents.
                reranker: Ranks the candidates. Default: an `OpenRouterRerank` with its defaults.
                **options: See `RetrieverKeywords`.

            Raises:
                ConfigurationError: If there is no such option, or it cannot be used.
            """

    else:

        def __init__(self, **options: Any) -> None:
            with _configuration_errors(type(self), options):
                super().__init__(**options)

    def __setattr__(self, name: str, value: Any) -> None:
        with _configuration_errors(type(self), {name}):
            super().__setattr__(name, value)

    @field_validator("base_retriever", mode="before")
    @classmethod
    def _require_runnable(cls, given: object) -> object:
        advice = None
        if not isinstance(given, Runnable):
            if hasattr(given, "as_retriever"):
                advice = "pass store.as_retriever()"
            elif callable(given):
                advice = "wrap it: RunnableLambda(f)"
        if advice is not None:
            raise ConfigurationError(f"base_retriever is of type {type(given).__name__}: {advice}")
        return given

    # After the other validator, because it runs it.
    @field_validator("base_retriever", "reranker", "fetch_k", "top_n", mode="wrap")
    @classmethod
    def _accept_plain_values(
        cls, given: object, check: ValidatorFunctionWrapHandler, info: ValidationInfo
    ) -> object:
        name = info.field_name or ""
        return checked_value(name, given, cls.model_fields[name], check)

    def invoke(
        self,
        input: str,  # noqa: A002 - LangChain passes it by this name.
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """
        Return the documents that are most relevant to the query, best first.

        Args:
            input: The query.
            config: Callbacks, tags and metadata of the run.
            **kwargs: `top_n` (or `k`) and `fetch_k` of this call, options of the reranker (see
                `OpenRouterRerank.rerank`), and keywords of the base retriever.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        _hide_headers(kwargs)
        return super().invoke(input, config, **kwargs)

    async def ainvoke(
        self,
        input: str,  # noqa: A002 - LangChain passes it by this name.
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """
        Return the documents that are most relevant to the query, as `invoke` does.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the subclasses.
        """
        _hide_headers(kwargs)
        return await super().ainvoke(input, config, **kwargs)

    def bind(self, **kwargs: Any) -> Runnable[str, list[Document]]:
        """Return a Runnable whose calls have these keywords: see `invoke`. It shows no header."""
        _hide_headers(kwargs)
        return super().bind(**kwargs)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        k: int | None = None,
        top_n: int | None = None,
        fetch_k: int | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        query = checked_query(query)
        options = self._options(k, top_n, kwargs)
        search = Search(self.base_retriever, _positive("fetch_k", fetch_k) or self.fetch_k)
        callbacks = run_manager.get_child()
        found = search.retriever.invoke(
            query, {"callbacks": callbacks}, **search.keywords, **kwargs
        )
        candidates = search.candidates(found)
        return self.reranker.compress_documents(candidates, query, callbacks, **options)

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun,
        k: int | None = None,
        top_n: int | None = None,
        fetch_k: int | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        query = checked_query(query)
        options = self._options(k, top_n, kwargs)
        search = Search(self.base_retriever, _positive("fetch_k", fetch_k) or self.fetch_k)
        callbacks = run_manager.get_child()
        found = await search.retriever.ainvoke(
            query, {"callbacks": callbacks}, **search.keywords, **kwargs
        )
        candidates = search.candidates(found)
        return await self.reranker.acompress_documents(candidates, query, callbacks, **options)

    def _options(
        self, k: int | None, top_n: int | None, keywords: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the options of this call of the reranker, and remove them from `keywords`."""
        if k is not None and top_n is not None:
            raise InvalidRequestError(f"k={k} and top_n={top_n} mean the same: pass one of them")
        given = _positive("k", k) or _positive("top_n", top_n) or self.top_n
        options = {name: keywords.pop(name) for name in _OPTIONS_OF_RERANKER.intersection(keywords)}
        return options if given is None else options | {"top_n": given}


@contextmanager
def _configuration_errors(model: type[BaseModel], given: Container[str]) -> Generator[None]:
    """Turn what Pydantic raises into an error that names the option and says what to pass."""
    try:
        yield
    except ValidationError as error:
        text = problem(error, model, given)
    else:
        return
    raise ConfigurationError(text)


def _hide_headers(keywords: dict[str, Any]) -> None:
    # A crash reporter shows the keywords in the frames of LangChain.
    if "extra_headers" in keywords:
        keywords["extra_headers"] = hidden(keywords["extra_headers"], "extra_headers")


def _positive(name: str, value: object) -> int | None:
    if value is None:
        return None
    number = whole_number(number_in(value))
    if number is None or number < 1:
        raise InvalidRequestError(
            f"{name} must be a whole number, 1 or more, or None, got {shown_value(value)}"
        )
    return number
