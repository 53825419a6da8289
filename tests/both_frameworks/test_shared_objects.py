"""What a reranker shares with others stays shared by its copies, and out of what is written."""

import copy
import json
import pickle

import pytest
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import WindowRateLimiter
from pydantic import ValidationError

TEXTS = ("Bread is baked.", "Paris is the capital of France.")


@pytest.mark.parametrize(
    "again",
    [copy.copy, copy.deepcopy, lambda r: r.model_copy(), lambda r: r.model_copy(deep=True)],
    ids=["copy", "deepcopy", "model_copy", "model_copy deep"],
)
async def test_copies_share_store_and_limiter(pipeline, again):
    """What a reranker has paid for its copies know, and its requests count for theirs."""
    store, limiter = InMemoryByteStore(), WindowRateLimiter(1, seconds=60)
    reranker = pipeline.reranker(score_store=store, rate_limiter=limiter, timeout=5)
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    restored = again(reranker)

    assert restored.score_store is store
    assert restored.rate_limiter is limiter
    await pipeline.rerank(restored, pipeline.items(*TEXTS))
    assert len(pipeline.stage.requests) == 1


def test_a_pickle_has_neither_store_nor_foreign_limiter(pipeline):
    """Stores and limiters of others may hold locks and connections; ours is another one there."""
    theirs = pipeline.reranker(score_store=InMemoryByteStore(), rate_limiter=InMemoryRateLimiter())
    ours = pipeline.reranker(rate_limiter=WindowRateLimiter(7, seconds=30))

    restored = [pickle.loads(pickle.dumps(each)) for each in (theirs, ours)]  # noqa: S301 - Ours

    assert [each.score_store for each in restored] == [None, None]
    assert restored[0].rate_limiter is None
    assert repr(restored[1].rate_limiter) == "WindowRateLimiter(7, seconds=30)"
    assert theirs.score_store is not None
    assert theirs.rate_limiter is not None


def test_what_is_written_has_neither(pipeline):
    """Neither a dump nor `repr` shows what is in a store."""
    reranker = pipeline.reranker(
        score_store=InMemoryByteStore(), rate_limiter=WindowRateLimiter(), score_ttl=60
    )

    assert not reranker.model_dump().keys() & {"score_store", "rate_limiter"}
    assert json.loads(reranker.model_dump_json())["score_ttl"] == 60
    assert "Store" not in repr(reranker)
    assert "Limiter" not in repr(reranker)


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("score_store", {}, "is of type dict, which lacks one of mget, .* KVScoreStore"),
        ("score_store", "redis://localhost", "is of type str"),
        ("score_store", InMemoryByteStore, "is the class InMemoryByteStore: pass an object of it"),
        ("score_ttl", 0, "greater than 0"),
        ("score_ttl", float("inf"), "finite"),
        ("rate_limiter", 20, "is of type int, .*: pass a WindowRateLimiter"),
        ("rate_limiter", WindowRateLimiter, "is the class WindowRateLimiter"),
    ],
)
def test_what_is_none_is_refused(pipeline, option, value, message):
    """An option of another kind is refused where it is set, with what can be passed."""
    with pytest.raises(ValidationError, match=f"(?s){option}.*{message}"):
        pipeline.reranker(**{option: value})
