"""What both framework classes do: send what can be ranked, and place every document."""

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from pydantic import PrivateAttr, model_validator

from ._image_root import read_image
from .documents import Content, LocalImageDocument, Unscorable
from .errors import OpenRouterRerankError
from .images import LocalImage
from .models import known_model
from .options import RerankOptions
from .placement import Arrangement, ImagePolicy, Placement, arranged, untouched
from .ranking import Ranking
from .rate_limiter import WindowRateLimiter

if TYPE_CHECKING:
    from ._call import RequestOptions
    from ._clients import Clients

logger = logging.getLogger("openrouter_rerank")

_NOT_PICKLED = frozenset(
    {"api_key", "default_headers", "score_store", "http_client", "http_async_client"}
)


def _no_clients() -> "Clients":
    # Imported with the first reranker that is made: all that sends and reads takes longer than the
    # framework classes, and many import those who make none.
    from ._clients import Clients

    return Clients()


class Reranker(RerankOptions):
    """
    The options and the work that the framework classes inherit.

    It copies, and pickles without its key, headers, clients, store and limiter (except a
    `WindowRateLimiter`): the key is then looked up in the environment where it is restored.
    """

    _clients: "Clients" = PrivateAttr(default_factory=_no_clients)

    @model_validator(mode="after")
    def _check_as_a_client(self) -> Self:
        self._clients.check(self, self._request())
        return self

    def close(self) -> None:
        """Give the kept connections of synchronous calls up; the next call opens new ones."""
        self._clients.close()

    async def aclose(self) -> None:
        """Give the kept connections of this event loop up; the next call opens new ones."""
        await self._clients.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def place(self, query: str, contents: Sequence[Content]) -> Placement:
        """
        Rank what a framework's documents were converted to, and place every one of them.

        A blank query, as agents send it, ranks nothing and sends nothing.

        Raises:
            OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure may pass.
        """
        if _is_blank(query):
            return untouched(len(contents), top_n=self.top_n)
        arrangement = self._arranged(contents)
        if not arrangement.documents:
            return arrangement.unranked(top_n=self.top_n)
        client = self._clients.synchronous(self)
        try:
            ranking = client.rerank(
                query,
                arrangement.documents,
                model=self.model,
                top_n=self.top_n,
                **self._request(),
            )
        except OpenRouterRerankError as error:
            return self._passed_through(len(contents), error)
        return self._placed(arrangement, ranking)

    async def aplace(self, query: str, contents: Sequence[Content]) -> Placement:
        """
        Rank what a framework's documents were converted to, and place every one of them.

        A blank query, as agents send it, ranks nothing and sends nothing.

        Raises:
            OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure may pass.
        """
        if _is_blank(query):
            return untouched(len(contents), top_n=self.top_n)
        if LocalImageDocument in set(map(type, contents)):
            arrangement = await asyncio.to_thread(self._arranged, contents)
        else:
            arrangement = self._arranged(contents)
        if not arrangement.documents:
            return arrangement.unranked(top_n=self.top_n)
        client = self._clients.asynchronous(self)
        try:
            ranking = await client.rerank(
                query,
                arrangement.documents,
                model=self.model,
                top_n=self.top_n,
                **self._request(),
            )
        except OpenRouterRerankError as error:
            return self._passed_through(len(contents), error)
        return self._placed(arrangement, ranking)

    def sends_images(self) -> bool:
        """Tell whether images of documents are sent."""
        if self.image_mode == "auto":
            models = [known_model(slug) for slug in (self.model, *self.fallback_models)]
            return all(model is not None and model.takes_images for model in models)
        return self.image_mode == "always"

    def _arranged(self, contents: Sequence[Content]) -> Arrangement:
        images = ImagePolicy(
            takes_images=self.sends_images(),
            max_bytes=self.max_image_bytes,
            read=self._read_image,
        )
        return arranged(contents, images, self.unscorable)

    def _read_image(self, image: LocalImage) -> str | Unscorable:
        return read_image(image, self.image_root, self.max_image_bytes)

    def _request(self) -> "RequestOptions":
        return {
            "fallback_models": self.fallback_models,
            "provider": self.provider,
            "session_id": self.session_id,
            "user": self.user,
            "trace": self.trace,
            "extra_body": self.extra_body,
            "max_documents_per_request": self.max_documents_per_request,
        }

    def _placed(self, arrangement: Arrangement, ranking: Ranking) -> Placement:
        return arrangement.placed(ranking, top_n=self.top_n, score_threshold=self.score_threshold)

    def _passed_through(self, size: int, error: OpenRouterRerankError) -> Placement:
        # Never for a wrong key or argument: that would hide a mistake behind worse answers.
        if self.on_error == "raise" or not error.retryable:
            raise error
        logger.warning(
            "rerank failed, the order of the retriever is kept: %s: %s",
            type(error).__name__,
            error.message,
        )
        return untouched(size, top_n=self.top_n, error=error)

    def __getstate__(self) -> dict[object, object]:
        state = super().__getstate__()
        fields = {
            name: None if name in _NOT_PICKLED else value
            for name, value in state["__dict__"].items()
        }
        if not isinstance(fields.get("rate_limiter"), WindowRateLimiter):
            # Of others it is not known whether they can be pickled.
            fields["rate_limiter"] = None
        state["__dict__"] = fields
        return state

    def __deepcopy__(self, memo: dict[int, object] | None = None) -> Self:
        memo = {} if memo is None else memo
        # Shared, not copied: a copy of a client would be another pool, or fail.
        for shared in (
            self.score_store,
            self.rate_limiter,
            self.http_client,
            self.http_async_client,
            self.on_response,
        ):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)


def _is_blank(query: object) -> bool:
    return isinstance(query, str) and not query.strip()
