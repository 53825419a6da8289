"""What can be passed as `score_store`: LangChain's byte stores, and whatever has their verbs."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


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
