"""The base class of both framework classes: it calls, copies, pickles and closes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from pydantic import PrivateAttr, model_validator

from openrouter_rerank._tracebacks import clear_frames
from openrouter_rerank.client_options.keywords import ClientOverrides
from openrouter_rerank.client_options.secrets import hide_secrets
from openrouter_rerank.client_options.values import refused_if_unreadable
from openrouter_rerank.rate_limiter import WindowRateLimiter

from .keywords import CallOptions
from .options import RerankOptions

if TYPE_CHECKING:
    from .calls import Clients
    from .placement import Content, Placement

_NOT_PICKLED = frozenset(
    {"api_key", "default_headers", "score_store", "http_client", "http_async_client"}
)


def _check_image_root(root: object) -> None:
    with refused_if_unreadable("image_root", root):
        if isinstance(root, str | Path):
            # Imported only if there is a folder to check.
            from .image_files import check_root

            check_root(Path(str.__str__(root) if isinstance(root, str) else root))


def _no_clients() -> "Clients":
    # The modules that make calls are imported with the first reranker: not with the class, because
    # many import it without creating one, and not with the first call, which may be in an event
    # loop. Importing them takes longer than importing the class.
    from .calls import Clients

    return Clients()


class Reranker(RerankOptions):
    """
    Ranks the documents of a framework; both framework classes inherit from it.

    A reranker that is created without a key, and without one in the environment, is refused, and so
    is one whose `image_root` is not a folder. A reranker that is copied, unpickled or loaded from a
    dump is not: its calls are.

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
        # A dump may be loaded where there is neither a key nor the folder.
        if "class_name" not in given:
            _check_image_root(self.image_root)
            self.check_key()

    def __setattr__(self, name: str, value: object) -> None:
        try:
            if name == "image_root":
                _check_image_root(value)
            super().__setattr__(name, value)
        except BaseException:
            # A traceback with local variables must not show a secret.
            del value
            raise

    def place(self, query: str, contents: "Sequence[Content]") -> "Placement":
        """
        Rank what the documents of a framework were converted to, and place each of them.

        A blank query, which agents sometimes send, ranks nothing and sends no request; the log has
        a warning.

        Raises:
            OpenRouterRerankError: Unless `on_error` lets the failure pass.
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
            OpenRouterRerankError: Unless `on_error` lets the failure pass.
        """
        from .calls import aplace

        try:
            return await aplace(self, self._clients, query, contents)
        except BaseException as error:
            clear_frames(error)
            raise

    def for_call(self, options: Mapping[str, object], *, raises: bool = False) -> Self:
        """
        Return a copy with the options of one call; without any, the reranker itself.

        The copy shares the clients of the reranker, so `max_concurrency` and the retry budget apply
        to all calls together.

        Args:
            options: The options of the call, see `CallOptions`. Secrets in this dict are hidden.
            raises: `True` if the call raises failures with every value of `on_error`.

        Raises:
            ConfigurationError: If an option cannot be used.
            TypeError: If a call has no such option. The message names the one that is meant.
        """
        changes: dict[str, object] = {}
        if raises and self.on_error != "raise":
            changes["on_error"] = "raise"
        if not options and not changes:
            return self
        known = frozenset(CallOptions.__annotations__)
        hide_secrets(options, known)
        if unknown := options.keys() - known:
            raise TypeError(_unknown_call_option(type(self), min(unknown)))
        overrides: dict[str, object] = {}
        for name, value in options.items():
            if name not in ClientOverrides.__annotations__:
                changes[name] = value
            elif value is not None:
                overrides[name] = value
        changed = self.model_copy(update=changes)
        if overrides:
            from openrouter_rerank._call.arguments import checked_arguments

            given = cast("ClientOverrides", overrides)
            checked_arguments("any", (), model=changed.model, top_n=None, **given)
            changed._clients = self._clients.for_call(given)  # noqa: SLF001 - of a copy
        return changed

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


def _unknown_call_option(kind: type[Reranker], name: str) -> str:
    from openrouter_rerank.client_options.unknown_names import unknown_name

    return unknown_name(
        f"a call of {kind.__name__}",
        name,
        CallOptions.__annotations__,
        kind="argument",
        elsewhere=kind.model_fields,
        place="set it when you create the reranker",
    )
