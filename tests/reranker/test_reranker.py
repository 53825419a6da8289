"""What rerankers and their copies share, and what changed options do."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from openrouter_rerank import OpenRouterRerankError
from openrouter_rerank.local.stage import Reply, word_overlap
from openrouter_rerank.reranker import Reranker


@pytest.fixture
def make(local_openrouter):
    """Make a reranker that asks the stage."""

    def reranker(**options):
        return Reranker(
            base_url=local_openrouter.base_url, api_key=local_openrouter.api_key, **options
        )

    return reranker


def test_copies_keep_their_limits(make, local_openrouter):
    """Two rerankers that take turns, one a copy of the other, hold to the limit of each."""
    first = make(max_concurrency=1)
    second = first.model_copy()
    second.timeout = 20
    local_openrouter.always(slow)

    with ThreadPoolExecutor(12) as pool:
        rerankers = [first, second] * 6
        calls = [pool.submit(each.place, "q", ["a", "b"]) for each in rerankers]
        placed = [call.result() for call in calls]

    assert all(placement.ranking is not None for placement in placed)
    assert local_openrouter.in_flight_peak <= 2


def slow(request):
    """Answer a little later."""
    answer = word_overlap(request)
    return Reply(status=answer.status, body=answer.body, headers=answer.headers, delay=0.02)


def test_a_refused_option_does_not_stick(make):
    """A value that is refused leaves the reranker as it was, and usable."""
    reranker = make(score_threshold=0.5)

    with pytest.raises(OpenRouterRerankError, match="exclude each other"):
        reranker.fallback_models = ("another/model",)
    with pytest.raises(OpenRouterRerankError):
        reranker.base_url = "http://elsewhere.example"
    reranker.top_n = 1

    assert (reranker.fallback_models, reranker.score_threshold) == ((), 0.5)
    assert len(reranker.place("a", ["a", "b"]).order) == 1


def test_a_header_that_is_changed_in_place_is_sent(make, local_openrouter):
    """Options may be changed at any time, in place too, and hold for the next call."""
    headers = {"X-Tenant": "one"}
    reranker = make(default_headers=headers)

    reranker.place("q", ["a"])
    reranker.default_headers["X-Tenant"] = "two"
    reranker.place("q", ["a"])

    assert [each.headers["x-tenant"] for each in local_openrouter.requests] == ["one", "two"]


def test_rerankers_are_equal_by_their_options(make):
    """What a reranker has done does not make it another."""
    used = make(top_n=1)
    used.place("q", ["a"])

    assert used == make(top_n=1)
    assert used != make(top_n=2)


def test_the_key_goes_out_in_place_of_the_clients_own_credentials(make, local_openrouter):
    """An injected client with credentials for something else does not replace the key."""
    with httpx.Client(auth=("user", "password")) as client:
        make(http_client=client).place("q", ["a"])

    assert local_openrouter.requests[0].headers["authorization"] == (
        f"Bearer {local_openrouter.api_key}"
    )


def test_a_closed_client_is_a_clear_error(make):
    """An injected client that is closed fails as an error of ours, which tells no key."""
    client = httpx.Client()
    client.close()

    with pytest.raises(OpenRouterRerankError, match="the request cannot be sent") as caught:
        make(http_client=client).place("q", ["a"])

    assert not caught.value.retryable


def test_a_reranker_closes_with_its_context():
    """At the end of a `with` no connection is kept, and the reranker can be used again."""
    # In a process of its own: connections are kept as long as any client of a process is in use.
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
