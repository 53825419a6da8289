"""The page of the models says what the built-in data says."""

import pytest
from openrouter_rerank import DEFAULT_MODEL, MODELS
from openrouter_rerank.models import known_model

from scripts import price_table
from scripts.model_page import FACTS, page

TEXT = page()


@pytest.mark.parametrize(
    ("price", "candidates", "expected"),
    [
        ((0.001, "search unit"), 100, 1),
        ((0.001, "search unit"), 101, 2),
        ((0.05, "million tokens"), 25, 0.275),
    ],
)
def test_a_price_is_for_a_thousand_questions(price, candidates, expected):
    """A search unit is 100 passages, and tokens are those of each passage with the question."""
    assert price_table.cost(*price, candidates) == pytest.approx(expected)


def test_every_model_has_facts():
    """The facts of the page are about the listed models, and about all of them."""
    assert {*FACTS} == {*MODELS}


@pytest.mark.parametrize("model", MODELS.values(), ids=lambda model: model.slug)
def test_the_page_names_a_model_with_its_price_and_its_old_names(model):
    """A model is on the page with its price, its context and its old names."""
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{model.slug}`"))

    assert (model.price or "not documented") in row
    assert (f"{model.context_length:,}" if model.context_length else "not documented") in row
    assert [name for name in model.aliases if f"`{name}`" not in row] == []
    assert {known_model(name) for name in (model.slug, *model.aliases)} == {model}


def test_the_page_says_that_the_default_is_not_the_best():
    """The page says that the default model is neither the cheapest nor the strongest."""
    text = " ".join(TEXT.split())

    assert f"The default is `{DEFAULT_MODEL}`" in text
    assert "neither the cheapest nor the strongest model" in text
