"""What the clients do about error responses: retry, wait, use a fallback model, or stop."""

import time

import pytest
from openrouter_rerank import (
    BadGatewayError,
    InvalidResponseError,
    NotFoundError,
    ServiceUnavailableError,
    TooManyRequestsError,
)
from openrouter_rerank.local.stage import Reply, error

from tests.clients import OWN_CONNECTIONS

QUERY, DOCUMENTS = "capital of France", ["Berlin", "Paris"]
PAGE = "<html><title>Welcome</title></html>"


def limited(reset):
    """Return a 429 whose rate limit resets at `reset`, in seconds since the epoch."""
    headers = {"X-RateLimit-Limit": "20", "X-RateLimit-Reset": f"{1000 * reset:.0f}"}
    return Reply(status=429, headers=headers, body={"error": {"message": "slow down"}})


def unavailable(*, retryable):
    """Return a 503 that says whether a retry may help."""
    availability = {"retryable": retryable, "fallback_models": ["b/b"]}
    return Reply(status=503, body={"error": {"message": "none", "availability": availability}})


@OWN_CONNECTIONS
@pytest.mark.parametrize("status", [200, 400])
def test_a_failure_of_a_provider_is_retried_once(make_client, stage, status):
    """A 200 or 400 response whose `error.code` is 502 is retried, as a 502 is."""
    stage.script(error(502, "upstream", status=status))

    ranking = make_client().rerank(QUERY, DOCUMENTS)

    assert (ranking.attempts, len(stage.requests)) == (2, 2)


@OWN_CONNECTIONS
def test_a_failure_of_a_provider_leads_to_a_fallback_model(make_client, stage):
    """If a 400 response has the `error.code` 502 twice, the fallback model is used."""
    stage.script(*[error(502, "upstream", status=400)] * 2)

    ranking = make_client().rerank(QUERY, DOCUMENTS, model="a/a", fallback_models=["b/b"])

    assert [request.model for request in stage.requests] == ["a/a", "a/a", "b/b"]
    assert ranking.model == "b/b"


@OWN_CONNECTIONS
def test_the_client_waits_until_a_rate_limit_resets(make_client, stage):
    """If `X-RateLimit-Reset` is before the deadline, the client waits until then."""
    reset = time.time() + 1.5
    stage.script(limited(reset))

    make_client(timeout=60).rerank(QUERY, DOCUMENTS)

    assert time.time() >= reset - 0.01
    assert len(stage.requests) == 2


@OWN_CONNECTIONS
def test_a_rate_limit_that_resets_after_the_deadline_is_not_waited_for(make_client, stage):
    """If `X-RateLimit-Reset` is after the deadline, the call ends after one request."""
    stage.always(limited(time.time() + 3600))

    with pytest.raises(TooManyRequestsError, match=r"Retry after 3[56]") as caught:
        make_client().rerank(QUERY, DOCUMENTS)

    assert 3500 < caught.value.retry_after <= 3600
    assert len(stage.requests) == 1


@OWN_CONNECTIONS
@pytest.mark.parametrize(("retryable", "requests"), [(False, 1), (True, 3)])
def test_the_service_decides_whether_to_retry(make_client, stage, retryable, requests):
    """A 503 whose `availability.retryable` is false is not retried."""
    stage.always(unavailable(retryable=retryable))

    with pytest.raises(ServiceUnavailableError) as caught:
        make_client().rerank(QUERY, DOCUMENTS)

    assert (caught.value.retryable, len(stage.requests)) == (retryable, requests)


@OWN_CONNECTIONS
def test_a_fallback_model_helps_where_a_retry_does_not(make_client, stage):
    """If `availability.retryable` is false, the fallback model is used immediately."""
    stage.script(unavailable(retryable=False))

    ranking = make_client().rerank(QUERY, DOCUMENTS, model="a/a", fallback_models=["b/b"])

    assert [request.model for request in stage.requests] == ["a/a", "b/b"]
    assert ranking.model == "b/b"


@OWN_CONNECTIONS
@pytest.mark.parametrize(
    ("reply", "error_class"),
    [
        pytest.param(Reply(body=PAGE), InvalidResponseError, id="page with status 200"),
        pytest.param(Reply(status=404, body=PAGE), NotFoundError, id="page with status 404"),
        pytest.param(Reply(status=404, body={"detail": "Not Found"}), NotFoundError, id="JSON"),
    ],
)
def test_a_wrong_base_url_is_requested_once(make_client, stage, reply, error_class):
    """If `base_url` leads to something else, the error names the URL after one request."""
    stage.always(reply)

    with pytest.raises(error_class) as caught:
        make_client().rerank(QUERY, DOCUMENTS)

    url = f"{stage.base_url}/rerank"
    assert caught.value.message.endswith(f"Check base_url: no rerank endpoint answers at {url}.")
    assert len(stage.requests) == 1


@OWN_CONNECTIONS
def test_a_page_of_the_edge_network_is_retried(make_client, stage):
    """A page with the status of a temporary failure is retried."""
    stage.script(Reply(status=502, body=PAGE))

    assert make_client().rerank(QUERY, DOCUMENTS).attempts == 2


@OWN_CONNECTIONS
def test_a_key_that_the_service_echoes_is_masked(make_client, stage):
    """Neither the key nor the value of a header is in an error or a ranking that echoes them."""
    key, header = "sk-or-v1-secret", "secret-of-header"
    echo = f"{key} and {header} and Bearer {key}"
    client = make_client(api_key=key, default_headers={"X-Secret": header}, max_retries=0)
    rows = [{"index": at, "relevance_score": 0.5} for at in range(2)]
    stage.script(
        Reply(status=502, headers={"X-Generation-Id": key}, body={"error": {"message": echo}}),
        Reply(body={"id": echo, "model": key, "provider": header, "results": rows}),
    )

    with pytest.raises(BadGatewayError) as caught:
        client.rerank(QUERY, DOCUMENTS)
    ranking = client.rerank(QUERY, DOCUMENTS)

    assert caught.value.message.startswith("*** and *** and Bearer *** (HTTP 502 from ")
    assert caught.value.request_id == "***"
    assert (ranking.id, ranking.served_model, ranking.provider) == (
        "*** and *** and Bearer ***",
        "***",
        "***",
    )


@OWN_CONNECTIONS
@pytest.mark.parametrize("status", [429, 503])
def test_a_lasting_failure_leads_to_a_fallback_model(make_client, stage, status):
    """If a failure is not retryable but may be of the model, the fallback model is used."""
    stage.script(
        Reply(status=status, body={"error": {"availability": {"retryable": False}}}),
    )

    ranking = make_client().rerank(QUERY, DOCUMENTS, model="a/a", fallback_models=["b/b"])

    assert (ranking.model, len(stage.requests)) == ("b/b", 2)


@OWN_CONNECTIONS
@pytest.mark.parametrize("empty", ["", {}, [], 0, False])
def test_an_empty_error_next_to_a_ranking_is_none(make_client, stage, empty):
    """A ranking with an empty `error` is accepted, because it is paid for."""
    rows = [{"index": at, "relevance_score": 0.5} for at in range(2)]
    stage.script(Reply(body={"results": rows, "error": empty}))

    assert len(make_client().rerank(QUERY, DOCUMENTS).results) == 2
    assert len(stage.requests) == 1
