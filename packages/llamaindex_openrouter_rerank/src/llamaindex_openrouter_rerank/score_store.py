"""LlamaIndex's key-value stores as score stores."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

_AT_ONCE = 32
"""Questions to a store at a time: most stores answer only one each."""


_Entries = list[tuple[str, dict[str, object]]]


class _KVStore(Protocol):
    """What is used of LlamaIndex's `BaseKVStore`, whose own types leave the values open."""

    def get(self, key: str, /, *, collection: str) -> Mapping[str, object] | None: ...

    async def aget(self, key: str, /, *, collection: str) -> Mapping[str, object] | None: ...

    def put_all(self, kv_pairs: _Entries, /, *, collection: str) -> None: ...

    async def aput_all(self, kv_pairs: _Entries, /, *, collection: str) -> None: ...


class KVScoreStore:
    """
    Keeps scores in one of LlamaIndex's key-value stores.

    ```python
    from llama_index.core.storage.kvstore import SimpleKVStore
    from llamaindex_openrouter_rerank import KVScoreStore, OpenRouterRerank

    reranker = OpenRouterRerank(top_n=5, score_store=KVScoreStore(SimpleKVStore()))
    ```

    Args:
        kvstore: A `SimpleKVStore`, `RedisKVStore`, `PostgresKVStore` or any other.
        collection: Where in the store the scores are kept, apart from what else is there.
    """

    def __init__(self, kvstore: _KVStore, collection: str = "openrouter_rerank_scores") -> None:
        self.kvstore = kvstore
        self.collection = collection

    def mget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key, in their order; `None` where there is none."""
        return [_bytes(self.kvstore.get(key, collection=self.collection)) for key in keys]

    def mset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        """Keep the values."""
        self.kvstore.put_all(_entries(key_value_pairs), collection=self.collection)

    async def amget(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the value of each key, in their order; `None` where there is none."""
        values: list[bytes | None] = []
        for start in range(0, len(keys), _AT_ONCE):
            found = await asyncio.gather(
                *(
                    self.kvstore.aget(key, collection=self.collection)
                    for key in keys[start : start + _AT_ONCE]
                )
            )
            values += map(_bytes, found)
        return values

    async def amset(self, key_value_pairs: Sequence[tuple[str, bytes]]) -> None:
        """Keep the values."""
        await self.kvstore.aput_all(_entries(key_value_pairs), collection=self.collection)


# Values of these stores are JSON objects; Latin-1 has a character for every byte.
def _entries(pairs: Sequence[tuple[str, bytes]]) -> _Entries:
    return [(key, {"value": value.decode("latin-1")}) for key, value in pairs]


def _bytes(entry: Mapping[str, object] | None) -> bytes | None:
    value = None if entry is None else entry.get("value")
    return value.encode("latin-1", "replace") if isinstance(value, str) else None
