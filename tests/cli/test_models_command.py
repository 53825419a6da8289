"""The command `openrouter-rerank models`."""

import json

import pytest
from openrouter_rerank import MODELS
from openrouter_rerank.cli.latencies import LATENCIES
from openrouter_rerank.local.stage import Reply, error, refusing_address

from tests.cli.program import call


def rows(done):
    """Return the fields of each line."""
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.splitlines()]


def test_the_live_list_is_printed_with_built_in_prices(stage):
    """The models of the service are printed in its order, and the list is said to be live."""
    latency, price = "0.39 s", "$0.02 per million tokens"
    entry = {"id": "new/rerank-9", "context_length": 99, "expiration_date": "2027-01-31"}
    stage.script(Reply(body={"data": [entry, {"id": "cohere/rerank-5-fast"}]}))

    done = call(stage, "models")

    known = ["cohere/rerank-5-fast", "32768", "1000", "no", "tokens", "-", latency, price]
    assert rows(done) == [["new/rerank-9", "99", "-", "no", "-", "2027-01-31", "-", "-"], known]
    assert done.stderr.startswith("The list is live. Prices and latencies are built in, as of 20")
    assert [request.path for request in stage.requests] == [
        "/api/v1/models?output_modalities=rerank"
    ]


def test_no_key_is_needed(stage):
    """Without a key, the list is requested without one."""
    done = call(stage, "models", OPENROUTER_API_KEY=None)

    assert [row[0] for row in rows(done)] == [*MODELS]
    assert "authorization" not in stage.requests[0].headers


@pytest.mark.parametrize(
    "reply", [error(503, "down"), Reply(body="<html>"), Reply(body=b"[]"), Reply(status=302)]
)
def test_without_a_listing_the_built_in_list_is_printed(stage, reply):
    """If the service sends no list, the built-in one is printed, with its date and the reason."""
    stage.always(reply)

    done = call(stage, "models")

    assert [row[0] for row in rows(done)] == [*MODELS]
    assert done.stderr.startswith("The list is built in, as of 20")
    assert done.stderr.count("\n") == 1


def test_without_a_network_the_built_in_list_is_printed(stage):
    """Without a network, the built-in list is printed, and JSON says so too."""
    with refusing_address() as base_url:
        done = call(stage, "models", "--json", "--base-url", base_url)

    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr, found["source"]) == (0, "", "built in")
    assert "could not connect to 127.0.0.1:" in found["problem"]
    assert [model["slug"] for model in found["models"]] == [*MODELS]


def test_json_has_all_fields(stage):
    """With `--json`, all that is known of a model is printed, with the date of built-in data."""
    found = json.loads(call(stage, "models", "--json").stdout)

    assert (found["source"], found["problem"]) == ("live", None)
    assert found["built_in_date"].startswith("20")
    (model,) = [each for each in found["models"] if each["slug"] == "mongodb/rerank-3"]
    assert model == {
        "slug": "mongodb/rerank-3",
        "aliases": ["voyageai/rerank-3"],
        "context_length": 32_000,
        "query_length": 8_000,
        "max_documents": 1_000,
        "max_request_bytes": 1_800_000,
        "takes_images": False,
        "image_formats": [],
        "billing": "tokens",
        "price": "$0.05 per million tokens",
        "latency": "0.20 s",
        "expires": None,
        "replacement": None,
        "derived_from": None,
    }


def test_models_are_sorted_by_price(stage):
    """Free models come first, then tokens, then search units, each from the cheapest."""
    found = rows(call(stage, "models", "--sort", "price"))

    billings = [row[4] for row in found if row[7] != "-"]
    assert billings == sorted(billings, key=["free", "tokens", "search units"].index)
    assert [row[7] for row in found if row[4] == "search units"] == [
        "$0.001 (Cohere) or $0.002 (Amazon Bedrock) per search unit",
        "$0.002 per search unit",
        "$0.0025 per search unit",
    ]
    assert found[-1][7] == "-"


def test_models_are_sorted_by_the_other_fields(stage):
    """The fastest model, the longest context, models with images, and the first name come first."""
    by = {
        order: rows(call(stage, "models", "--sort", order))
        for order in ("latency", "context", "images", "name")
    }

    latencies = [row[6] for row in by["latency"]]
    known = [float(latency.split()[0]) for latency in latencies if latency != "-"]
    assert known == sorted(known) != []
    assert {*latencies[len(known) :]} == {"-"}
    contexts = [int(row[1]) if row[1] != "-" else 0 for row in by["context"]]
    assert contexts == sorted(contexts, reverse=True)
    assert [row[3] for row in by["images"]][:3] == ["yes", "yes", "no"]
    assert [row[0] for row in by["name"]] == sorted(MODELS)


def test_latencies_are_those_of_known_models():
    """Each built-in latency belongs to a built-in model."""
    assert {*LATENCIES} <= {*MODELS}
