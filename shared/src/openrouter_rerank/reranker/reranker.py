"""The base class of both framework classes: it calls, copies, pickles and closes."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Self

from pydantic import PrivateAttr, model_validator

from openrouter_rerank._tracebacks import clear_frames
from openrouter_rerank.rate_limiter import WindowRateLimiter

from .options import RerankOptions

if TYPE_CHECKING:
    from .calls import Clients
    from .placement import Content, Placement

_NOT_PICKLED = frozenset(
    {"api_key", "default_headers", "score_store", "http_client", "http_async_client"}
)


def _no_clients() -> "Clients":
    # The modules that make calls are imported with the first reranker: not with the class, because
    # many import it without creating one, and not with the first call, which may be in an event
    # loop. Importing them takes longer than importing the class.
    from .calls import Clients

    return Clients()


class Reranker(RerankOptions):
    """
    Ranks the documents of a framework; both framework classes inherit from it.

    A reranker that is created without a key, and without one in the environment, is refused. One
    that is copied, unpickled or loaded from a dump is not: its calls are.

    It can be copied and pickled. A pickle leaves out the key, the headers, the clients, the store
    and the limiter (except a `WindowRateLimiter`). A restored reranker reads the key from the
    environment of its process.

    Raises:
        ConfigurationError: If there is no such option, an option cannot be used, or there is no
            API key. Pydantic's own functions, such as `model_validate`, raise a `ValidationError`
            with the same message.
    """

    _clients: "Clients" = PrivateAttr(default_factory=_no_clients)

    @model_validator(mode="before")
    @classmethod
    def _drop_class_name(cls, values: dict[str, object] | Self) -> dict[str, object] | Self:
        # The dumps of the frameworks have it, but it is not an option.
        if isinstance(values, dict):
            return {name: values[name] for name in values if name != "class_name"}
        return values

    def _check_created(self, given: Mapping[str, object]) -> None:
        super()._check_created(given)
        # A dump may be loaded where there is no key.
        if "class_name" not in given:
            self.check_key()

    def place(self, query: str, contents: "Sequence[Content]") -> "Placement":
        """
        Rank what the documents of a framework were converted to, and place each of them.

        A blank query, which agents sometimes send, ranks nothing and sends no request.

        Raises:
            OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure is
                temporary.
        """
        from .calls import place

        try:
            return place(self, self._clients, query, contents)
        except BaseException as error:
            clear_frames(error)
            raise

    async def aplace(self, query: str, contents: "Sequence[Content]") -> "Placement":
        """
        Rank and place, as `place` does, without blocking the event loop.

        Raises:
            OpenRouterRerankError: Unless `on_error` is `"passthrough"` and the failure is
                temporary.
        """
        from .calls import aplace

        try:
            return await aplace(self, self._clients, query, contents)
        except BaseException as error:
            clear_frames(error)
            raise

    def close(self) -> None:
        """Close the idle connections of sync calls; the next call opens new ones."""
        self._clients.close()

    async def aclose(self) -> None:
        """Close the idle connections of this event loop; the next call opens new ones."""
        await self._clients.aclose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __getstate__(self) -> dict[object, object]:
        state = super().__getstate__()
        fields = {
            name: None if name in _NOT_PICKLED else value
            for name, value in state["__dict__"].items()
        }
        if not isinstance(fields.get("rate_limiter"), WindowRateLimiter):
            # Other limiters may not be picklable.
            fields["rate_limiter"] = None
        state["__dict__"] = fields
        return state

    def __setstate__(self, state: dict[object, object]) -> None:
        super().__setstate__(state)
        self._clients = self._clients.of_restored()

    def __deepcopy__(self, memo: dict[int, object] | None = None) -> Self:
        memo = {} if memo is None else memo
        # Shared and not copied: the copy of an HTTP client would be another pool, or fail.
        for shared in (
            self.score_store,
            self.rate_limiter,
            self.http_client,
            self.http_async_client,
            self.on_response,
        ):
            memo[id(shared)] = shared
        return super().__deepcopy__(memo)
