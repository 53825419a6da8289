"""The list of models, and warnings of models that are renamed or will be removed."""

import logging
import time

import httpx
import pytest
from openrouter_rerank import MODELS
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.local.stage import Fault, Reply, error, refusing_address

from tests.clients import OWN_CONNECTIONS
from tests.starvation import repeat_if_starved

LISTING = Reply(
    body={
        "data": [
            {
                "id": "cohere/rerank-v3.5",
                "context_length": 8_192,
                "expiration_date": "2027-01-31",
                "pricing": {"prompt": "0", "completion": "0"},
            },
            {"id": "new/rerank", "architecture": {"input_modalities": ["text", "image"]}},
        ]
    }
)
BUILT_IN = tuple(MODELS.values())


@pytest.fixture
def warnings(caplog):
    """A function that returns the warnings of the client's logger so far."""
    caplog.set_level(logging.WARNING, logger="openrouter_rerank")
    return lambda: [record.getMessage() for record in caplog.records]


def test_the_live_listing_is_merged_with_the_built_in_data(make_client, stage):
    """`models` returns what the service lists, and the limits and the price that are built in."""
    stage.script(LISTING)

    listing = make_client(default_headers={"X-Gateway": "a"}).models()

    assert (listing.is_live, listing.problem) == (True, None)
    assert [model.slug for model in listing] == ["cohere/rerank-v3.5", "new/rerank"]
    assert (listing[0].context_length, listing[0].max_documents) == (8_192, 1_000)
    assert listing[0].expires.isoformat() == "2027-01-31"
    assert listing[0].price == MODELS["cohere/rerank-v3.5"].price
    assert (listing[1].takes_images, listing[1].price, listing[1].billing) == (True, None, None)
    (request,) = stage.requests
    assert (request.method, request.path) == ("GET", "/api/v1/models?output_modalities=rerank")
    assert request.headers["authorization"] == f"Bearer {stage.api_key}"
    assert request.headers["x-gateway"] == "a"
    assert request.body == b""
    assert request.headers.keys().isdisjoint({"content-length", "transfer-encoding"})


def test_the_list_of_models_uses_the_connection_of_a_call(make_client, stage):
    """A call, the listing and the next call use one connection."""
    caller = make_client()

    caller.rerank("q", ["a"])
    assert caller.models().is_live
    caller.rerank("q", ["a"])

    assert stage.connections == 1


@OWN_CONNECTIONS
def test_a_closed_connection_is_replaced(make_client, stage):
    """If the server has closed a kept connection, the listing is requested over a new one."""
    caller = make_client()
    caller.rerank("q", ["a"])
    stage.script(Fault.reset_before())

    assert caller.models().is_live
    assert stage.connections == 2


def test_no_key_is_needed(make_client, stage, monkeypatch):
    """The listing is requested without a key if there is none that may be sent to the host."""
    caller = make_client(api_key=None)
    monkeypatch.delenv("OPENROUTER_API_KEY")

    assert caller.models().is_live
    monkeypatch.setenv("OPENROUTER_API_KEY", "sk-ambient")
    assert caller.models().is_live

    assert [request.headers.get("authorization") for request in stage.requests] == [
        None,
        "Bearer sk-ambient",
    ]


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        pytest.param(Fault.reset_after(), "was lost", id="lost"),
        pytest.param(Fault.garbage(), "was lost: invalid HTTP", id="garbage"),
        pytest.param(error(401, "no key"), "no key (HTTP 401 from ", id="401"),
        pytest.param(Reply(status=302, headers={"location": "/"}), "(HTTP 302 from ", id="302"),
        pytest.param(Reply(body="<html>"), "not a list of rerank models", id="page"),
        pytest.param(Reply(body={"data": []}), "not a list of rerank models", id="empty"),
        pytest.param(Reply(body=b"[" * 100_000), "not a list of rerank models", id="nested"),
        pytest.param(Fault.huge_body(), "the most that a valid response", id="huge"),
    ],
)
def test_without_a_listing_the_built_in_models_are_returned(make_client, stage, reply, problem):
    """If the service sends no listing, the result is the built-in data and says why."""
    stage.always(reply)

    listing = make_client().models(timeout=30)

    assert listing.models == BUILT_IN
    assert listing.is_live is False
    assert problem in listing.problem


def test_without_a_network_the_built_in_models_are_returned(make_client):
    """If no connection can be made, the result is the built-in data and says so."""
    with refusing_address() as base_url:
        listing = make_client(base_url=base_url).models()

    assert listing.models == BUILT_IN
    assert "could not connect" in listing.problem


@repeat_if_starved
def test_the_list_of_models_has_a_deadline(make_client, stage):
    """`models` ends within its `timeout`, or that of the client, if there is no response."""
    stage.always(Fault.hang())

    for client_options, options in (({"timeout": 60}, {"timeout": 0.1}), ({"timeout": 0.1}, {})):
        caller = make_client(**client_options)
        started = time.monotonic()
        listing = caller.models(**options)

        assert time.monotonic() - started < 5
        assert listing.models == BUILT_IN
        assert listing.problem.startswith("no response from ")
        assert listing.problem.endswith(" within timeout=0.1 s. Raise timeout.")


@OWN_CONNECTIONS
@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "soon", True])
def test_a_timeout_that_cannot_be_used_is_refused(make_client, stage, timeout):
    """A timeout that is not a positive number is refused before anything is sent."""
    with pytest.raises(ConfigurationError, match="timeout"):
        make_client().models(timeout=timeout)

    assert stage.requests == []


@OWN_CONNECTIONS
def test_a_closed_client_lists_no_models(make_client, stage):
    """A closed client refuses to list models, as it refuses calls."""
    caller = make_client()
    caller.close()

    with pytest.raises(ConfigurationError, match="closed"):
        caller.models()

    assert stage.requests == []


@OWN_CONNECTIONS
def test_the_base_url_of_a_gateway_is_used(make_client, stage):
    """The listing is requested from the base URL, with or without `/rerank`."""
    for base_url in (stage.base_url, f"{stage.base_url}/rerank"):
        assert make_client(base_url=base_url).models().is_live

    paths = {httpx.URL(request.path).path for request in stage.requests}
    assert paths == {"/api/v1/models"}


@OWN_CONNECTIONS
@pytest.mark.parametrize("model", ["mongodb/rerank-2.5", "voyageai/rerank-2.5"])
def test_a_large_call_is_split_under_both_names_of_a_model(make_client, stage, model):
    """1,500 long documents go out as three requests, under the new and the old name."""
    texts = [f"{number:3000}" for number in range(1_500)]

    ranking = make_client(timeout=120).rerank("q", texts, model=model)

    assert len(ranking.results) == 1_500
    assert [request.model for request in stage.requests] == [model] * 3


@OWN_CONNECTIONS
def test_an_old_name_is_warned_of_once(make_client, stage, warnings):
    """A call with an old name logs one warning that names the new one, and sends the old name."""
    caller = make_client()

    for _ in range(3):
        caller.rerank("q", ["a"], model="voyageai/rerank-3", fallback_models=["mongodb/rerank-3"])
    caller.rerank("q", ["a"], model="cohere/rerank-v3.5")

    assert warnings() == [
        "model has a new name: model=voyageai/rerank-3 replacement=mongodb/rerank-3"
    ]
    assert stage.requests[0].model == "voyageai/rerank-3"


@OWN_CONNECTIONS
def test_an_end_in_the_live_listing_is_warned_of_once(make_client, stage, warnings):
    """After a live listing, calls warn once of a model that it says will be removed."""
    caller = make_client()
    caller.rerank("q", ["a"])
    stage.script(LISTING)

    assert warnings() == []
    caller.models()
    for _ in range(3):
        caller.rerank("q", ["a"])

    assert warnings() == [
        "model will be removed: model=cohere/rerank-v3.5 expires=2027-01-31 replacement=none named"
    ]


@OWN_CONNECTIONS
def test_threads_and_tasks_warn_once_together(make_client, warnings):
    """Calls at the same time log one warning together."""
    make_client().rerank_concurrently(8, "q", ["a"], model="voyageai/rerank-3")

    assert len(warnings()) == 1


@OWN_CONNECTIONS
def test_a_key_that_a_listing_echoes_is_masked(make_client, stage):
    """The key is masked in the names of models, however the listing writes it."""
    escaped = "".join(f"\\u{ord(mark):04x}" for mark in stage.api_key)
    body = f'{{"data":[{{"id":"a/{stage.api_key}"}},{{"id":"b/{escaped}"}}]}}'
    stage.script(Reply(body=body.encode()))

    listing = make_client().models()

    assert [model.slug for model in listing] == ["a/***", "b/***"]
