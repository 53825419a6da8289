"""Score stores and rate limiters: copies of a reranker share them, and dumps do not have them."""

import json
import pickle

import pytest
from langchain_core.rate_limiters import InMemoryRateLimiter
from langchain_core.stores import InMemoryByteStore
from openrouter_rerank import ConfigurationError, WindowRateLimiter

TEXTS = ("Bread is baked.", "Paris is the capital of France.")


async def test_copies_share_the_store_and_the_limiter(pipeline, copied):
    """Copies use the scores that the original has paid for, and have the same rate limiter."""
    store, limiter = InMemoryByteStore(), WindowRateLimiter(1, seconds=60)
    reranker = pipeline.reranker(score_store=store, rate_limiter=limiter, timeout=5)
    await pipeline.rerank(reranker, pipeline.items(*TEXTS))

    reranker_copy = copied(reranker)

    assert reranker_copy.score_store is store
    assert reranker_copy.rate_limiter is limiter
    await pipeline.rerank(reranker_copy, pipeline.items(*TEXTS))
    assert len(pipeline.service.requests) == 1


def test_a_pickle_has_no_store_and_no_limiter_of_another_library(pipeline):
    """A pickle omits objects that may have locks and connections. A `WindowRateLimiter` is kept."""
    with_langchain_objects = pipeline.reranker(
        score_store=InMemoryByteStore(), rate_limiter=InMemoryRateLimiter()
    )
    with_own_limiter = pipeline.reranker(rate_limiter=WindowRateLimiter(7, seconds=30))

    without_langchain_objects, restored = (
        pickle.loads(pickle.dumps(reranker))  # noqa: S301 - This test has made it
        for reranker in (with_langchain_objects, with_own_limiter)
    )

    assert (without_langchain_objects.score_store, restored.score_store) == (None, None)
    assert without_langchain_objects.rate_limiter is None
    assert repr(restored.rate_limiter) == "WindowRateLimiter(7, seconds=30)"
    assert with_langchain_objects.score_store is not None
    assert with_langchain_objects.rate_limiter is not None


def test_dumps_have_no_store_and_no_limiter(pipeline):
    """The store and the rate limiter are neither in a dump nor in `repr`."""
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
        ("score_ttl", 0, "must be a positive number"),
        ("score_ttl", float("inf"), "must be a positive number"),
        ("rate_limiter", 20, "is of type int, .*: pass a WindowRateLimiter"),
        ("rate_limiter", WindowRateLimiter, "is the class WindowRateLimiter"),
    ],
)
def test_an_invalid_store_or_limiter_is_refused(pipeline, option, value, message):
    """An invalid value is an error with the option, the reason and, for objects, what to pass."""
    with pytest.raises(ConfigurationError, match=f"(?s){option}.*{message}"):
        pipeline.reranker(**{option: value})
