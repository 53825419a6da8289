"""
The local service against OpenRouter's own description of the endpoint (MIT licence, in the file).
"""

import copy
import json
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, settings
from openrouter_rerank.local.lexical import LexicalScorer
from openrouter_rerank.local.server import app
from openrouter_rerank.local.service import LocalOpenRouter
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

KEY = {"Authorization": "Bearer any"}
DESCRIPTION = json.loads(Path(__file__).with_name("openrouter-openapi.json").read_text("utf-8"))
SERVED = app(LocalOpenRouter(scorers={"local/lexical": LexicalScorer()}))
CONFORMANCE = [
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


def loaded(description):
    """Give a description as Schemathesis reads it, with the app that it is about."""
    schema = schemathesis.openapi.from_dict(description)
    schema.app = SERVED
    return schema


def said_in_words():
    """Give the description with what only its words say: known models, no empty documents."""
    told = copy.deepcopy(DESCRIPTION)
    body = told["paths"]["/rerank"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    body["properties"]["model"]["enum"] = ["cohere/rerank-v3.5", "voyageai/rerank-3"]
    body["properties"]["query"]["pattern"] = r"\S"
    # Fields of all endpoints, which this one's description leaves out.
    body["properties"] |= {
        "session_id": {"type": ["string", "null"], "maxLength": 256},
        "trace": {"type": ["object", "null"]},
        "user": {"type": ["string", "null"]},
    }
    # OpenRouter's guides write prices as numbers, which the description does not know.
    preferences = told["components"]["schemas"]["ProviderPreferences"]["properties"]
    for price in preferences["max_price"]["properties"].values():
        price["type"] = ["string", "number"]
    structured = body["properties"]["documents"]["items"]["anyOf"][1]
    structured["anyOf"] = [{"required": ["text"]}, {"required": ["image"]}]
    return told


bounded = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@loaded(DESCRIPTION).include(path="/rerank").parametrize()
@bounded
def test_every_answer_conforms_to_openrouters_description(case):
    """For any request, the status, the content type and the body are among those described."""
    case.call_and_validate(headers=KEY, checks=CONFORMANCE)


@loaded(DESCRIPTION).include(path="/rerank").parametrize()
@bounded
def test_without_a_key_every_answer_conforms_too(case):
    """The 401 has the envelope that is described for it."""
    response = case.call_and_validate(headers={"Authorization": ""}, checks=CONFORMANCE)

    assert response.status_code == (401 if case.method == "POST" else 405)


@loaded(said_in_words()).include(path="/rerank").parametrize()
@bounded
def test_what_is_described_is_accepted_and_nothing_else(case):
    """Requests as described are ranked, and requests that are not are refused."""
    checks = [*CONFORMANCE, positive_data_acceptance, negative_data_rejection]

    case.call_and_validate(headers=KEY, checks=checks)


def test_the_listing_conforms_to_openrouters_description():
    """The listing of rerank models has every field that is required."""
    operation = loaded(DESCRIPTION)["/models"]["GET"]
    case = operation.Case(query={"output_modalities": "rerank"})

    response = case.call_and_validate(headers=KEY, checks=CONFORMANCE)

    assert response.json()["total_count"] > 0
