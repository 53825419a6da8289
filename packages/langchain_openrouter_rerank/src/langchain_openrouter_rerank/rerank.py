"""The class that LangChain's retrievers and pipelines take."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from langchain_core.documents import BaseDocumentCompressor, Document
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.reranker import Reranker
from pydantic import Field

from .convert import contents, ranked

if TYPE_CHECKING:
    from langchain_core.callbacks import Callbacks


class OpenRouterRerank(Reranker, BaseDocumentCompressor):
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
    that it is given.
    """

    image_key: str | tuple[str, ...] | None = None
    """The metadata fields whose image is ranked together with the text of its document."""
    score_key: str = Field(default="relevance_score", min_length=1)
    """The metadata field that the score is written to."""

    def compress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: "Callbacks | None" = None,  # noqa: ARG002 - LangChain passes it by this name.
    ) -> list[Document]:
        """
        Return copies of `documents`, the most relevant to `query` first, with their scores.

        Documents with nothing to rank follow behind, without a score, unless `unscorable` says
        otherwise. When nothing was ranked, for a blank query or after a failure that `on_error`
        passes through, the documents come back themselves, as they are.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        given = _checked(documents)
        placement = self.place(query, contents(given, image_keys=self._image_keys))
        return ranked(given, placement, score_key=self.score_key)

    async def acompress_documents(
        self,
        documents: Sequence[Document],
        query: str,
        callbacks: "Callbacks | None" = None,  # noqa: ARG002 - LangChain passes it by this name.
    ) -> list[Document]:
        """
        Return copies of `documents`, the most relevant to `query` first, with their scores.

        No thread waits for the answer, and a cancelled call ends at once.

        Raises:
            OpenRouterRerankError: See `openrouter_rerank.errors` for the tree.
        """
        given = _checked(documents)
        placement = await self.aplace(query, contents(given, image_keys=self._image_keys))
        return ranked(given, placement, score_key=self.score_key)

    @property
    def _image_keys(self) -> tuple[str, ...]:
        if isinstance(self.image_key, str):
            return (self.image_key,)
        return self.image_key or ()


def _checked(documents: Sequence[object]) -> list[Document]:
    # A list of our own: the caller's may change while an answer is awaited.
    given: list[Document] = []
    for at, document in enumerate(documents):
        if not isinstance(document, Document):
            message = (
                f"documents[{at}] is of type {type(document).__name__}: "
                "wrap it, Document(page_content=...), or pass what a retriever returns"
            )
            raise InvalidRequestError(message)
        given.append(document)
    return given
