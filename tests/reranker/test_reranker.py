"""Rerankers: copies, changed options, equality, injected clients and closing."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from openrouter_rerank import ConfigurationError, OpenRouterRerankError
from openrouter_rerank.local.stage import Reply, word_overlap
from openrouter_rerank.reranker import Reranker


@pytest.fixture
def make_reranker(local_openrouter):
    """A function that makes a reranker for the stage."""

    def reranker(**options):
        return Reranker(
            base_url=local_openrouter.base_url, api_key=local_openrouter.api_key, **options
        )

    return reranker


def test_a_copy_and_its_original_keep_max_concurrency(make_reranker, local_openrouter):
    """A reranker and its copy, each with one request slot, have at most two requests in flight."""
    first = make_reranker(max_concurrency=1)
    second = first.model_copy()
    second.timeout = 20
    local_openrouter.always(slow_word_overlap)

    with ThreadPoolExecutor(12) as pool:
        rerankers = [first, second] * 6
        calls = [pool.submit(reranker.place, "q", ["a", "b"]) for reranker in rerankers]
        placed = [call.result() for call in calls]

    assert all(placement.ranking is not None for placement in placed)
    assert local_openrouter.in_flight_peak <= 2


def slow_word_overlap(request):
    """Rank by word overlap after 20 ms."""
    reply = word_overlap(request)
    return Reply(status=reply.status, body=reply.body, headers=reply.headers, delay=0.02)


def test_an_invalid_value_does_not_change_an_option(make_reranker):
    """A value that is refused leaves the option unchanged and the reranker usable."""
    reranker = make_reranker(score_threshold=0.5)

    with pytest.raises(OpenRouterRerankError, match="cannot be combined with"):
        reranker.fallback_models = ("another/model",)
    with pytest.raises(OpenRouterRerankError):
        reranker.base_url = "http://elsewhere.example"
    reranker.top_n = 1

    assert (reranker.fallback_models, reranker.score_threshold) == ((), 0.5)
    assert len(reranker.place("a", ["a", "b"]).order) == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[("timeout", value) for value in ("x", None, -1, 0)],
        *[("max_concurrency", value) for value in (0, -3, "x")],
        *[("max_retries", value) for value in (-1, "x", None)],
        *[("score_ttl", value) for value in (-1, "x")],
        *[(option, object()) for option in ("budget", "score_store", "rate_limiter")],
        ("base_url", 5),
    ],
)
async def test_an_option_that_pydantic_did_not_check_is_refused_by_the_call(
    make_reranker, local_openrouter, option, value
):
    """An invalid option that was never checked raises, even with passthrough; nothing is sent."""
    reranker = make_reranker(on_error="passthrough")
    with pytest.raises(ConfigurationError, match=f"^{option} "):
        reranker.model_copy(update={option: value})
    vars(reranker)[option] = value

    with pytest.raises(ConfigurationError, match=f"^{option} "):
        reranker.place("q", ["a", "b"])
    with pytest.raises(ConfigurationError, match=f"^{option} "):
        await reranker.aplace("q", ["a", "b"])

    assert len(local_openrouter.requests) == 0


def test_a_number_that_pydantic_did_not_check_becomes_a_budget(make_reranker):
    """In `model_copy`, a number is the limit of a budget, as when a reranker is created."""
    reranker = make_reranker().model_copy(update={"budget": 5.0})

    assert reranker.place("a", ["a", "b"]).ranking is not None


@pytest.mark.parametrize("update", [("score_threshold", "fallback_models"), ()])
def test_options_that_exclude_each_other_can_be_exchanged_in_a_copy(make_reranker, update):
    """In `model_copy`, one of two options that exclude each other can replace the other."""
    reranker = make_reranker(fallback_models=("a/b",))
    changes = {"score_threshold": 0.5, "fallback_models": ()}

    copy = reranker.model_copy(update={name: changes[name] for name in update or [*changes][::-1]})

    assert (copy.score_threshold, copy.fallback_models) == (0.5, ())
    assert reranker.fallback_models == ("a/b",)


def test_a_header_changed_in_place_is_sent(make_reranker, local_openrouter):
    """A change in `default_headers`, made in place, applies to the next call."""
    headers = {"X-Tenant": "one"}
    reranker = make_reranker(default_headers=headers)

    reranker.place("q", ["a"])
    reranker.default_headers["X-Tenant"] = "two"
    reranker.place("q", ["a"])

    assert [request.headers["x-tenant"] for request in local_openrouter.requests] == ["one", "two"]


def test_rerankers_are_equal_by_their_options(make_reranker):
    """Rerankers with equal options are equal, even if only one of them was used."""
    used = make_reranker(top_n=1)
    used.place("q", ["a"])

    assert used == make_reranker(top_n=1)
    assert used != make_reranker(top_n=2)


def test_the_key_replaces_the_credentials_of_an_injected_client(make_reranker, local_openrouter):
    """The `Authorization` header has the key, even if an injected client has credentials."""
    with httpx.Client(auth=("user", "password")) as client:
        make_reranker(http_client=client).place("q", ["a"])

    assert local_openrouter.requests[0].headers["authorization"] == (
        f"Bearer {local_openrouter.api_key}"
    )


def test_a_closed_injected_client_is_an_error(make_reranker):
    """A call over a closed injected client raises a typed error that is not retryable."""
    client = httpx.Client()
    client.close()

    with pytest.raises(OpenRouterRerankError, match="http_client is closed") as caught:
        make_reranker(http_client=client).place("q", ["a"])

    assert not caught.value.retryable


def test_a_with_block_closes_the_connections_of_a_reranker():
    """After a `with` block no connection is open, and the reranker can be used again."""
    # In a new process, because connections stay open while any client of the process is in use.
    code = """
from openrouter_rerank.local.stage import Stage
from openrouter_rerank.reranker import Reranker
with Stage() as stage:
    with Reranker(base_url=stage.base_url, api_key=stage.api_key) as reranker:
        reranker.place("q", ["a"])
    stage.wait_until(lambda: stage.open_connections == 0)
    print(reranker.place("q", ["a"]).ranking is not None)
    reranker.close()
"""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )

    assert (run.stdout, run.stderr) == ("True\n", "")
