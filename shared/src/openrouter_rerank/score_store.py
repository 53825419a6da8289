"""The interface of a `score_store`: LangChain's byte stores, and objects with their methods."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .errors import ConfigurationError

__all__ = ["ScoreStore"]


@runtime_checkable
class ScoreStore(Protocol):
    """
    Stores scores between calls. It has the methods of LangChain's `BaseStore[str, bytes]`.

    Examples are `InMemoryByteStore`, `LocalFileStore`, `RedisStore` and `UpstashRedisByteStore`.
    Keys consist of letters, digits and `-`. Values are small. If a store raises an exception or
    returns something invalid, the logger `openrouter_rerank` emits a `WARNING`, and the call goes
    on without the store.
    """

    def mget(self, keys: Sequence[str], /) -> Sequence[bytes | None]:
        """Return the values in the order of `keys`, with `None` for each key that has none."""
        ...

    def mset(self, key_value_pairs: Sequence[tuple[str, bytes]], /) -> None:
        """Store each value under its key."""
        ...

    async def amget(self, keys: Sequence[str], /) -> Sequence[bytes | None]:
        """Return the values in the order of `keys`, with `None` for each key that has none."""
        ...

    async def amset(self, key_value_pairs: Sequence[tuple[str, bytes]], /) -> None:
        """Store each value under its key."""
        ...


def checked_store(store: object) -> ScoreStore | None:
    """
    Return `store` if it is a score store or `None`.

    Raises:
        ConfigurationError: If it is anything else. The message says what to pass instead.
    """
    if isinstance(store, type):
        raise ConfigurationError(
            f"score_store is the class {store.__name__}: pass an object of it, "
            f"{store.__name__}(...)"
        )
    if store is None or isinstance(store, ScoreStore):
        return store
    raise ConfigurationError(
        f"score_store is of type {type(store).__name__}, which lacks one of mget, mset, amget and "
        "amset: pass one of LangChain's byte stores, an object with their methods, or a "
        "KVScoreStore around a key-value store of LlamaIndex"
    )
