"""The list of known models."""

import pytest
from openrouter_rerank import DEFAULT_MODEL
from openrouter_rerank.models import MODELS, known_model


@pytest.mark.parametrize("slug", [*MODELS])
def test_every_listed_model_is_found(slug):
    """A model is found by its slug, with and without a variant."""
    assert known_model(slug).slug == slug
    assert known_model(f"{slug}:free") is known_model(slug)


@pytest.mark.parametrize(
    "slug", ["", "cohere", "cohere/rerank-v3.5x", "COHERE/RERANK-V3.5", ":free", "local/lexical"]
)
def test_an_unlisted_model_is_unknown(slug):
    """A model that is not listed is unknown."""
    assert known_model(slug) is None


def test_the_default_model_is_listed():
    """The default model is listed, and is billed by search unit."""
    assert known_model(DEFAULT_MODEL).search_units


def test_one_model_takes_images():
    """Only one listed model takes images."""
    assert [slug for slug, model in MODELS.items() if model.takes_images] == [
        "nvidia/llama-nemotron-rerank-vl-1b-v2"
    ]


def test_only_cohere_models_are_billed_by_search_unit():
    """Only Cohere's models up to version 4 are billed by search unit."""
    assert [slug for slug, model in MODELS.items() if model.search_units] == [
        "cohere/rerank-v3.5",
        "cohere/rerank-4-fast",
        "cohere/rerank-4-pro",
    ]
