"""What can be passed as `score_store`: LangChain's byte stores, and whatever has their verbs."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .errors import ConfigurationError

__all__ = ["ScoreStore"]


@runtime_checkable
class ScoreStore(Protocol):
    """
    Keeps scores between calls, with the verbs of LangChain's `BaseStore[str, bytes]`.

    `InMemoryByteStore`, `LocalFileStore`, `RedisStore`, `UpstashRedisByteStore` and the like are
    such stores. Keys are letters, digits and `-`; values are small. What a store raises, and what
    it returns wrongly, costs a `WARNING` of the logger `openrouter_rerank` and nothing else.
    """

    def mget(self, keys: Sequence[str], /) -> Sequence[bytes | None]:
        """Return the value of each key, in their order; `None` where there is none."""
        ...

    def mset(self, key_value_pairs: Sequence[tuple[str, bytes]], /) -> None:
        """Keep the values."""
        ...

    async def amget(self, keys: Sequence[str], /) -> Sequence[bytes | None]:
        """Return the value of each key, in their order; `None` where there is none."""
        ...

    async def amset(self, key_value_pairs: Sequence[tuple[str, bytes]], /) -> None:
        """Keep the values."""
        ...


def checked_store(store: object) -> ScoreStore | None:
    """
    Return what was passed as `score_store`, if anything was.

    Raises:
        ConfigurationError: It is no such store; with what would be one.
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
        "amset: pass one of LangChain's byte stores, what has their methods, or a KVScoreStore "
        "around a key-value store of LlamaIndex"
    )
