"""A score store in one of LlamaIndex's key-value stores."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

# Most stores read one key at a time, so this many asynchronous reads run concurrently.
_CONCURRENT_READS = 32


_Entries = list[tuple[str, dict[str, object]]]


class _KVStore(Protocol):
    """
    The methods of LlamaIndex's `BaseKVStore` that are used here.

    The types of `BaseKVStore` itself do not say what a value is.
    """

    def get(self, key: str, /, *, collection: str) -> Mapping[str, object] | None: ...

    async def aget(self, key: str, /, *, collection: str) -> Mapping[str, object] | None: ...

    def put_all(self, kv_pairs: _Entries, /, *, collection: str) -> None: ...

    async def aput_all(self, kv_pairs: _Entries, /, *, collection: str) -> None: ...


class KVScoreStore:
    """
    Store scores in one of LlamaIndex's key-value stores.

    ```python
    from llama_index.core.storage.kvstore import SimpleKVStore
    from llamaindex_openrouter_rerank import KVScoreStore, OpenRouterRerank

    reranker = OpenRouterRerank(top_n=5, score_store=KVScoreStore(SimpleKVStore()))
    ```

    Args:
        kvstore: A `SimpleKVStore`, a `RedisKVStore`, a `PostgresKVStore` or any other.
        collection: The collection of the store for the scores, separate from other entries.
    """

    def __init__(self, kvstore: _KVStore, collection: str = "openrouter_rerank_scores") -> None:
        self.kvstore = kvstore
        self.collection = collection

    def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key in the order of `keys`, `None` for a missing one."""
        return [_bytes(self.kvstore.get(key, collection=self.collection)) for key in keys]

    def mset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        """Store each value under its key."""
        self.kvstore.put_all(_entries(key_value_pairs), collection=self.collection)

    async def amget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key in the order of `keys`, `None` for a missing one."""
        values: list[bytes | None] = []
        for start in range(0, len(keys), _CONCURRENT_READS):
            found = await asyncio.gather(
                *(
                    self.kvstore.aget(key, collection=self.collection)
                    for key in keys[start : start + _CONCURRENT_READS]
                )
            )
            values += map(_bytes, found)
        return values

    async def amset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        """Store each value under its key."""
        await self.kvstore.aput_all(_entries(key_value_pairs), collection=self.collection)


# The values of these stores are JSON objects. Latin-1 has a character for every byte.
def _entries(pairs: Sequence[tuple[str, bytes]]) -> _Entries:
    return [(key, {"value": value.decode("latin-1")}) for key, value in pairs]


def _bytes(entry: Mapping[str, object] | None) -> bytes | None:
    value = None if entry is None else entry.get("value")
    return value.encode("latin-1", "replace") if isinstance(value, str) else None
