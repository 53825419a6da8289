"""The options of the framework classes with a life: what calls, copies, pickles and closes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Self

from pydantic import PrivateAttr, model_validator

from openrouter_rerank.rate_limiter import WindowRateLimiter

from .options import RerankOptions

if TYPE_CHECKING:
    from openrouter_rerank.reranker.placement import Content

    from .clients import Clients
    from .placement import Placement

_NOT_PICKLED = frozenset(
    {"api_key", "default_headers", "score_store", "http_client", "http_async_client"}
)


def _no_clients() -> "Clients":
    # This and what places documents are imported with the first reranker that is made: they take
    # longer than the framework classes, which many import who make none.
    from .clients import Clients

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
        from .calls import request_options

        self._clients.check(self, request_options(self))
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

    def place(self, query: str, contents: "Sequence[Content]") -> "Placement":
        """
        Rank what a framework's documents were converted to, and place every one of them.

        A blank query, as agents send it, ranks nothing and sends nothing.

        Raises:
            OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure may pass.
        """
        from .calls import place

        return place(self, self._clients, query, contents)

    async def aplace(self, query: str, contents: "Sequence[Content]") -> "Placement":
        """
        Rank what a framework's documents were converted to, and place every one of them.

        A blank query, as agents send it, ranks nothing and sends nothing.

        Raises:
            OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure may pass.
        """
        from .calls import aplace

        return await aplace(self, self._clients, query, contents)

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
