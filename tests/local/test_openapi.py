"""
The local service conforms to OpenRouter's OpenAPI description (MIT licence, in the file).
"""

import copy
import json
from pathlib import Path

import schemathesis
from hypothesis import HealthCheck, settings
from openrouter_rerank.local.endpoint import LocalOpenRouter
from openrouter_rerank.local.http_server import app
from openrouter_rerank.local.lexical import LexicalScorer
from schemathesis.checks import (
    content_type_conformance,
    negative_data_rejection,
    not_a_server_error,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.repetitions import repetitions

KEY = {"Authorization": "Bearer any"}
DESCRIPTION = json.loads(Path(__file__).with_name("openrouter-openapi.json").read_text("utf-8"))
APP = app(LocalOpenRouter(scorers={"local/lexical": LexicalScorer()}))
CONFORMANCE = [
    content_type_conformance,
    not_a_server_error,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]


def schema_of(description):
    """Return the Schemathesis schema of a description, with the app to test."""
    schema = schemathesis.openapi.from_dict(description)
    schema.app = APP
    return schema


def completed_description():
    """
    Return the description with the rules that only its prose states.

    It names the known models, and forbids empty documents.
    """
    completed = copy.deepcopy(DESCRIPTION)
    body = completed["paths"]["/rerank"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]
    body["properties"]["model"]["enum"] = ["cohere/rerank-v3.5", "voyageai/rerank-3"]
    # Clients that write every field send null for a field without a value.
    body["properties"]["top_n"]["type"] = ["integer", "null"]
    body["properties"]["query"]["pattern"] = r"\S"
    # All endpoints accept these fields, but the description of this one does not have them.
    body["properties"] |= {
        "session_id": {"type": ["string", "null"], "maxLength": 256},
        "trace": {"type": ["object", "null"]},
        "user": {"type": ["string", "null"]},
    }
    # OpenRouter's guides use numbers for prices; the description only allows strings.
    preferences = completed["components"]["schemas"]["ProviderPreferences"]["properties"]
    for price in preferences["max_price"]["properties"].values():
        price["type"] = ["string", "number"]
    structured = body["properties"]["documents"]["items"]["anyOf"][1]
    structured["anyOf"] = [{"required": ["text"]}, {"required": ["image"]}]
    return completed


bounded = settings(
    max_examples=repetitions(local=20, ci=60),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@schema_of(DESCRIPTION).include(path="/rerank").parametrize()
@bounded
def test_every_response_conforms_to_the_description(case):
    """For any request, the description has the status, the content type and the body."""
    case.call_and_validate(headers=KEY, checks=CONFORMANCE)


@schema_of(DESCRIPTION).include(path="/rerank").parametrize()
@bounded
def test_every_response_without_a_key_conforms_to_the_description(case):
    """The response with status 401 has the described format."""
    response = case.call_and_validate(headers={"Authorization": ""}, checks=CONFORMANCE)

    assert response.status_code == (401 if case.method == "POST" else 405)


@schema_of(completed_description()).include(path="/rerank").parametrize()
@bounded
def test_only_requests_that_conform_to_the_description_are_accepted(case):
    """Requests that conform to the description are ranked, and all others are rejected."""
    checks = [*CONFORMANCE, positive_data_acceptance, negative_data_rejection]

    case.call_and_validate(headers=KEY, checks=checks)


def test_the_list_of_models_conforms_to_the_description():
    """The list of rerank models has every required field."""
    operation = schema_of(DESCRIPTION)["/models"]["GET"]
    case = operation.Case(query={"output_modalities": "rerank"})

    response = case.call_and_validate(headers=KEY, checks=CONFORMANCE)

    assert response.json()["total_count"] > 0
