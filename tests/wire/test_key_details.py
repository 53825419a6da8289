"""What a service reports of a key: how it is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank._attempt import Response
from openrouter_rerank._wire.key_details import KeyBudget, KeyDetails, key_details
from openrouter_rerank.errors import (
    APIStatusError,
    ForbiddenError,
    InvalidResponseError,
    OpenRouterRerankError,
    UnauthorizedError,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
NAMES = ("limit_remaining", "budgets", "free_model_daily_requests", "byok_usage", "expires_at")


def response(body, status=200, **headers):
    """Return a response with this body, as JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    masked = lambda text: text.replace("sk-secret", "***")  # noqa: E731
    url = "https://openrouter.ai/api/v1/key"
    return Response(status=status, headers=headers, body=content, url=url, masked=masked)


def details(**fields):
    """Return the details that are read from these fields."""
    return key_details(response({"data": {"label": "sk-or-v1-abc...def", **fields}}))


def test_all_facts_are_read():
    """The limit, the budgets, the free requests, the bill of providers and the end are read."""
    found = details(
        limit_remaining=2.5,
        budgets=[{"scope": "workspace", "remaining_usd": 4, "resets_at": "2026-12-01"}],
        free_model_daily_requests={"limit": 50, "used": 8, "remaining": 42},
        byok_usage=0.25,
        expires_at="2027-01-01T00:00:00Z",
        something_new={"a": [1]},
    )

    assert found == KeyDetails(
        limit_remaining=2.5,
        budgets=(KeyBudget(scope="workspace", remaining=4.0, resets_at="2026-12-01"),),
        free_limit=50,
        free_remaining=42,
        byok_usage=0.25,
        expires_at="2027-01-01T00:00:00Z",
    )


@pytest.mark.parametrize(
    "value", [None, True, "1", [], {}, float("nan"), float("inf"), -(10**400), [[]]]
)
def test_a_value_of_the_wrong_type_counts_as_missing(value):
    """A field that is not what it should be is as if the service had not sent it."""
    found = details(
        limit_remaining=value,
        budgets=value,
        free_model_daily_requests={"limit": value, "remaining": value},
        byok_usage=value,
        expires_at=None if isinstance(value, str) else value,
    )

    assert found == KeyDetails()


def test_the_parts_of_a_budget_may_be_missing():
    """Items of `budgets` that are not objects are skipped, and missing fields are `None`."""
    found = details(budgets=["x", {}, {"scope": 3, "remaining_usd": "4", "other": 1}])

    assert found.budgets == (KeyBudget(scope=None, remaining=None, resets_at=None),)


@pytest.mark.parametrize(
    ("fields", "spent"),
    [
        ({}, None),
        ({"limit_remaining": 0.01}, None),
        ({"limit_remaining": 0}, "the limit of the key"),
        ({"limit_remaining": -0.5}, "the limit of the key"),
        ({"budgets": [{"scope": "team", "remaining_usd": 0.01}]}, None),
        ({"budgets": [{"scope": "team"}]}, None),
        (
            {"budgets": [{"scope": "a", "remaining_usd": 1}, {"scope": "b", "remaining_usd": 0}]},
            "the budget of b",
        ),
        ({"budgets": [{"remaining_usd": 0}]}, "a budget"),
    ],
)
def test_a_spent_limit_is_named(fields, spent):
    """The first limit without money left is named."""
    assert details(**fields).spent == spent


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        (
            response({"error": {"code": 401, "message": "User not found: sk-secret"}}, 401),
            UnauthorizedError,
            "User not found: ***",
        ),
        (response({"error": {"code": 403, "message": "no"}}), ForbiddenError, "with code 403"),
        (response(b"", 404), APIStatusError, "HTTP 404"),
        (response(b"", 302, location="https://x.example"), InvalidResponseError, "redirect"),
        (response(b"", 204), InvalidResponseError, "does not describe a key"),
        (response({"data": {"a": 1}}, 201), InvalidResponseError, "HTTP 201"),
        (response(b"<html>"), InvalidResponseError, "Check base_url."),
        (response({"data": []}), InvalidResponseError, "does not describe a key"),
        (response(b'{"data":[' + b"[]," * 3_000 + b"1]}"), InvalidResponseError, "9012 bytes"),
    ],
)
def test_any_other_response_is_an_error(answer, kind, text):
    """A response that does not describe a key is a typed error, without the key."""
    error = key_details(answer).error

    assert isinstance(error, kind)
    assert text in error.message
    assert "sk-secret" not in error.message


@given(st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_values_of_the_fields_are_read(fields):
    """Every description of a key is read, with any values in its fields."""
    found = details(**fields)

    assert found.error is None
    assert found.spent is None or isinstance(found.spent, str)


@given(st.binary() | JSON)
def test_any_body_is_read(body):
    """Every body is either the details of a key or a typed error."""
    assert isinstance(key_details(response(body)).error, OpenRouterRerankError | None)
