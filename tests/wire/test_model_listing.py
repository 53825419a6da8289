"""The list of a service's rerank models: how it is read, and what a client says about changes."""

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openrouter_rerank._attempt import Response
from openrouter_rerank._wire.model_listing import (
    ModelChanges,
    announced_change,
    merged_listing,
)
from openrouter_rerank.models import MODELS, ModelListing, RerankModel

from tests.repetitions import repetitions

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = ("id", "canonical_slug", "context_length", "architecture", "expiration_date")
ENTRIES = st.fixed_dictionaries(
    {}, optional=dict.fromkeys((*FIELDS, "alias_target", "pricing"), JSON)
)


def response(body, status=200):
    """Return a response with this body, as JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Response(status=status, headers={}, body=content)


def listed(*entries):
    """Return the listing that is read from these entries."""
    return merged_listing(response({"data": [*entries]}))


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param(
            {"id": "cohere/rerank-v3.5"}, MODELS["cohere/rerank-v3.5"], id="nothing but the slug"
        ),
        pytest.param(
            {
                "id": "cohere/rerank-5-pro",
                "canonical_slug": "cohere/rerank-5-pro-20261028",
                "context_length": 65_536,
                "expiration_date": "2027-01-31",
                "architecture": {
                    "input_modalities": ["text", "image"],
                    "output_modalities": ["rerank"],
                },
                "pricing": {"prompt": "0", "completion": "0"},
            },
            replace(
                MODELS["cohere/rerank-5-pro"],
                aliases=("cohere/rerank-5-pro-20261028",),
                context_length=65_536,
                takes_images=True,
                expires=date(2027, 1, 31),
            ),
            id="everything",
        ),
        pytest.param(
            {"id": "voyageai/rerank-3", "canonical_slug": "voyageai/rerank-3"},
            replace(
                MODELS["mongodb/rerank-3"],
                slug="voyageai/rerank-3",
                aliases=("mongodb/rerank-3",),
            ),
            id="an old name",
        ),
        pytest.param(
            {"id": "nvidia/nemotron-3.5-rerank-8b:free"},
            replace(
                MODELS["nvidia/nemotron-3.5-rerank-8b"],
                slug="nvidia/nemotron-3.5-rerank-8b:free",
                aliases=("nvidia/nemotron-3.5-rerank-8b",),
            ),
            id="a variant",
        ),
        pytest.param(
            {
                "id": "~cohere/rerank-latest",
                "alias_target": {"slug": "cohere/rerank-5-pro", "name": "Cohere: Rerank 5 Pro"},
            },
            replace(
                MODELS["cohere/rerank-5-pro"],
                slug="~cohere/rerank-latest",
                replacement="cohere/rerank-5-pro",
            ),
            id="an alias of the newest model",
        ),
        pytest.param(
            {"id": "a/old-rerank", "alias_target": "a/rerank"},
            RerankModel(slug="a/old-rerank", replacement="a/rerank"),
            id="a replacement as text",
        ),
        pytest.param(
            {
                "id": "a/rerank",
                "canonical_slug": 1,
                "context_length": True,
                "expiration_date": "soon",
                "alias_target": {"slug": ["b"]},
                "architecture": {"input_modalities": "image", "output_modalities": "text"},
                "pricing": {"prompt": "0"},
            },
            RerankModel(slug="a/rerank"),
            id="values of wrong types",
        ),
        pytest.param(
            {"id": "a/rerank", "context_length": 0, "expiration_date": 5, "architecture": []},
            RerankModel(slug="a/rerank"),
            id="more values of wrong types",
        ),
        pytest.param(
            {"id": "a/rerank", "context_length": 10**9 + 1}, RerankModel(slug="a/rerank"), id="huge"
        ),
        pytest.param(
            {"id": "a/rerank", "context_length": 10**9},
            RerankModel(slug="a/rerank", context_length=10**9),
            id="largest",
        ),
        pytest.param(
            {
                "id": "a/rerank",
                "context_length": 1,
                "expiration_date": "2027-01-31T12:00:00Z",
            },
            RerankModel(slug="a/rerank", context_length=1, expires=date(2027, 1, 31)),
            id="smallest, and a date with a time",
        ),
        pytest.param(
            {"id": "a/re\nrank\ud800\x1b[31m"},
            RerankModel(slug="a/re\\nrank\\ud800\\x1b[31m"),
            id="control characters",
        ),
    ],
)
def test_an_entry_is_merged_with_the_built_in_data(entry, expected):
    """The listing gives context, images, expiry and replacement; the built-in data, the rest."""
    assert listed(entry) == ModelListing(models=(expected,), is_live=True)


def test_a_number_of_thousands_of_digits_counts_as_missing():
    """A number that Python refuses to read does not make the listing unreadable."""
    body = b'{"data": [{"id": "a/rerank", "context_length": %b}]}' % (b"9" * 5_000)

    assert merged_listing(response(body)).models == (RerankModel(slug="a/rerank"),)


def test_only_rerank_models_are_read():
    """Models of other kinds and entries that are not models are left out, and copies are joined."""
    chat = {"id": "a/chat", "architecture": {"output_modalities": ["text"]}}
    none = [None, 1, [], {}, {"id": ""}, {"id": 1}, {"id": "x" * 201}]

    listing = listed(chat, *none, {"id": "a/rerank"}, {"id": "a/rerank"}, {"id": "x" * 200})

    assert [model.slug for model in listing] == ["a/rerank", "x" * 200]


def test_the_number_of_models_is_bounded():
    """At most 1,000 entries are read, so that a huge listing does not block an event loop."""
    assert len(listed(*({"id": f"a/{number}"} for number in range(2_500)))) == 1_000


@pytest.mark.parametrize("status", [200, 502])
def test_a_listing_with_too_many_values_is_not_read(status):
    """A listing or an error response with too many values counts as one without content."""
    body = {"data": [{"id": "a/b"}] + [1] * 80_000, "error": {"message": "reason"}}

    listing = merged_listing(response(body, status=status))

    assert listing.models == tuple(MODELS.values())
    assert "reason" not in listing.problem


@pytest.mark.parametrize(("commas", "is_live"), [(69_997, True), (69_998, False)])
def test_a_listing_has_at_most_70000_values(commas, is_live):
    """A listing is read if it has at most 70,000 brackets and commas."""
    listing = listed({"id": "a/b"}, *[1] * commas)

    assert listing.is_live is is_live


REDIRECT = (
    "the response is a redirect to another URL, and redirects are never followed (HTTP {}). Check "
    "base_url."
)
MODEL_REFUSED = (
    "the response has no message (no content type, 0 bytes) (HTTP 400). Check model: "
    "RerankClient.models() lists the models."
)
NOT_A_LIST = (
    "the response is not a list of rerank models (HTTP 200 from the server). Check base_url."
)


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        (
            response({"data": [{"id": "a/b"}]}, status=503),
            "the response has no message (no content type, 25 bytes) (HTTP 503). Retry later.",
        ),
        (
            response({"error": {"message": "down"}}, status=503),
            "down (HTTP 503). Retry later.",
        ),
        (response(b"", status=300), REDIRECT.format(300)),
        (response(b"", status=399), REDIRECT.format(399)),
        (response(b"", status=400), MODEL_REFUSED),
        (response(b"", status=204), "HTTP status 204"),
        *[
            (response(body), NOT_A_LIST)
            for body in (
                b"",
                b"<html>",
                b"\xff",
                b"[" * 60_000,
                b"9" * 5_000,
                b"NaN",
                b"null",
                [],
                1,
            )
        ],
        *[
            (response({"data": data}), NOT_A_LIST)
            for data in (None, {}, "x", [], [None], [{"name": "x"}])
        ],
    ],
)
def test_without_a_listing_the_built_in_models_are_returned(outcome, problem):
    """Without a live listing, the result has the built-in models and says why."""
    assert merged_listing(outcome) == ModelListing(
        models=tuple(MODELS.values()), is_live=False, problem=problem
    )


@given(st.binary() | st.lists(ENTRIES).map(lambda entries: {"data": entries}))
@settings(max_examples=repetitions(local=25, ci=100))
def test_every_response_is_a_listing(body):
    """Any bytes are a listing of valid models, whose text can be logged on one line."""
    listing = merged_listing(response(body))

    assert listing.models
    assert listing.is_live is (listing.problem is None)
    for model in listing:
        assert all(
            name.isprintable() and 0 < len(name) <= 300
            for name in (model.slug, *model.aliases, *filter(None, [model.replacement]))
        )
        assert model.context_length is None or model.context_length > 0


LIVE = {
    model.slug: model
    for model in (
        RerankModel(slug="a/old", replacement="a/new"),
        RerankModel(slug="a/new"),
        RerankModel(slug="a/ends", expires=date(2027, 1, 31)),
        RerankModel(slug="a/ends:free", expires=date(2026, 12, 31), replacement="a/new"),
        RerankModel(slug="~a/latest", replacement="a/new"),
    )
}


@pytest.mark.parametrize(
    ("slug", "text"),
    [
        (
            "voyageai/rerank-2.5",
            "model has a new name: model=voyageai/rerank-2.5 replacement=mongodb/rerank-2.5",
        ),
        (
            "voyageai/rerank-3-20261028:nitro",
            "model has a new name: model=voyageai/rerank-3 replacement=mongodb/rerank-3",
        ),
        ("mongodb/rerank-2.5", None),
        ("cohere/rerank-9", None),
        ("any/model", None),
        ("a/old", "model has a new name: model=a/old replacement=a/new"),
        ("a/old:nitro", "model has a new name: model=a/old replacement=a/new"),
        ("a/new", None),
        ("a/ends", "model will be removed: model=a/ends expires=2027-01-31 replacement=none named"),
        ("a/ends:free", "model will be removed: model=a/ends expires=2026-12-31 replacement=a/new"),
        ("~a/latest", None),
    ],
)
def test_what_is_announced_of_a_model(slug, text):
    """A new name or an end of a model is announced, with the replacement if one is named."""
    assert announced_change(slug, LIVE) == text


def test_the_replacement_in_a_listing_counts():
    """If the listing names a replacement of an old name, it counts instead of the built-in one."""
    live = {"voyageai/rerank-3": RerankModel(slug="voyageai/rerank-3", replacement="a/new")}

    assert announced_change("voyageai/rerank-3", live).endswith("replacement=a/new")


def test_a_change_is_announced_once():
    """The text of a slug is returned once, also after a new listing."""
    changes = ModelChanges()
    live = ModelListing(models=tuple(LIVE.values()), is_live=True)
    offline = ModelListing(models=(), is_live=False, problem="could not connect")

    assert [changes.text_once("voyageai/rerank-3") is None for _ in range(2)] == [False, True]
    assert changes.text_once("a/old") is None
    assert changes.remembered(live) is live
    assert [changes.text_once("a/old") is None for _ in range(2)] == [False, True]
    assert changes.remembered(offline) is offline
    assert changes.text_once("a/ends:free") is not None
    assert changes.remembered(live) is live
    assert changes.text_once("a/old") is None
    assert changes.text_once("voyageai/rerank-3") is None
    assert changes.text_once("a/ends") is not None
    assert "a/ends" in changes.checked


def test_the_number_of_remembered_slugs_is_bounded():
    """After 1,000 slugs no other is remembered, because users may choose the slugs."""
    changes = ModelChanges()

    assert {changes.text_once(f"any/{number}") for number in range(1_500)} == {None}
    assert len(changes.checked) == 1_000
