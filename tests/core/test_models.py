"""What is known of a model, by any of its names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank import DEFAULT_MODEL, MODELS, ModelListing, RerankModel
from openrouter_rerank.models import base_slug, image_model, known_model, model_for

LONG_SLUG = "cohere/" + "x" * 1_000


@pytest.mark.parametrize("slug", [*MODELS])
def test_a_listed_model_is_found_by_its_names(slug):
    """A listed model is one object under its slug and its aliases, with variants and dates."""
    model = known_model(slug)

    assert model.slug == slug
    assert model.derived_from is None
    for name in (slug, *model.aliases):
        for written in (name, f"{name}:free", f"{name}-20261028", f"{name}-20261028:nitro"):
            assert known_model(written) is model
            assert model_for(written) is model


@pytest.mark.parametrize(
    ("slug", "listed", "family", "limits", "takes_images"),
    [
        ("mongodb/rerank-2.5", "mongodb/rerank-2.5", None, (1_000, 1_800_000), False),
        ("voyageai/rerank-2.5", "mongodb/rerank-2.5", None, (1_000, 1_800_000), False),
        ("voyageai/rerank-3-lite:nitro", "mongodb/rerank-3-lite", None, (1_000, 1_800_000), False),
        ("cohere/rerank-5-fast-20261028", "cohere/rerank-5-fast", None, (1_000, None), False),
        ("qwen/qwen3-reranker-0.6b", "qwen/qwen3-reranker-0.6b", None, (None, None), False),
        (
            "nvidia/nemotron-3.5-rerank-8b:free",
            "nvidia/nemotron-3.5-rerank-8b",
            None,
            (512, 30_000_000),
            True,
        ),
        ("~cohere/rerank-latest", None, "cohere", (1_000, None), False),
        ("~voyageai/rerank-lite-latest", None, "mongodb", (1_000, 1_800_000), False),
        ("cohere/rerank-6", None, "cohere", (1_000, None), False),
        ("COHERE/RERANK-V3.5", None, "cohere", (1_000, None), False),
        ("cohere/rerank-5-fast-2026102", None, "cohere", (1_000, None), False),
        (
            "cohere/rerank-5-fast-\uff12\uff10\uff12\uff16\uff11\uff10\uff12\uff18",
            None,
            "cohere",
            (1_000, None),
            False,
        ),
        ("voyageai/rerank-9", None, "mongodb", (1_000, 1_800_000), False),
        ("nvidia/anything:free", None, "nvidia", (512, 30_000_000), True),
        ("baseten/qwen3-reranker-4b", None, "qwen", (None, None), False),
        ("baseten/nemotron-4-rerank", None, "nvidia", (512, 30_000_000), True),
        ("baseten/voyage-rerank", None, "mongodb", (1_000, 1_800_000), False),
        ("baseten/qwen3-8b", None, None, (None, None), False),
        ("local/lexical", None, None, (None, None), False),
        ("cohere", None, "cohere", (1_000, None), False),
        ("", None, None, (None, None), False),
        (":free", None, None, (None, None), False),
        ("~", None, None, (None, None), False),
        ("-20261028", None, None, (None, None), False),
        (LONG_SLUG, None, None, (None, None), False),
    ],
)
def test_what_is_known_of_a_slug(slug, listed, family, limits, takes_images):
    """A slug has the values of its model, else the cautious ones of its family, else none."""
    model = model_for(slug)

    assert known_model(slug) is (None if listed is None else MODELS[listed])
    assert model.slug == (listed or slug)
    assert model.derived_from == family
    assert (model.max_documents, model.max_request_bytes) == limits
    assert model.takes_images is takes_images


def test_an_unlisted_model_has_the_most_cautious_values_of_its_family():
    """Limits are the smallest of the family, and no price, name or free use is derived."""
    assert model_for("cohere/new") == RerankModel(
        slug="cohere/new",
        context_length=4_096,
        max_documents=1_000,
        billing="search units",
        derived_from="cohere",
    )
    assert model_for("mongodb/new") == RerankModel(
        slug="mongodb/new",
        context_length=32_000,
        query_length=8_000,
        max_documents=1_000,
        max_request_bytes=1_800_000,
        counts_query_with_each=True,
        billing="tokens",
        derived_from="mongodb",
    )
    assert model_for("nvidia/new:free") == RerankModel(
        slug="nvidia/new:free",
        context_length=10_240,
        max_documents=512,
        max_request_bytes=30_000_000,
        takes_images=True,
        image_formats=("image/jpeg", "image/png"),
        derived_from="nvidia",
    )


@given(st.text() | st.from_regex(r"~?(cohere|nvidia|x)/[a-z-]*(:free|-\d{8})?", fullmatch=True))
def test_every_string_is_a_slug(slug):
    """Any string has a record: of its listed model, or under its own slug."""
    listed = known_model(slug)
    model = model_for(slug)

    assert model.slug == slug if listed is None else model is listed
    assert model_for(slug) == model


def test_the_default_model_is_listed():
    """The default model is listed, and is billed by search unit."""
    assert known_model(DEFAULT_MODEL).search_units


def test_only_models_of_nvidia_take_images():
    """The listed models that take images are those of NVIDIA, and only one limits the formats."""
    with_images = [model for model in MODELS.values() if model.takes_images]

    assert [model.slug for model in with_images] == [
        "nvidia/nemotron-3.5-rerank-8b",
        "nvidia/llama-nemotron-rerank-vl-1b-v2",
    ]
    assert [model.image_formats for model in with_images] == [("image/jpeg", "image/png"), ()]


def test_only_cohere_models_are_billed_by_search_unit():
    """Only Cohere's models up to version 4 are billed by search unit."""
    assert {slug for slug, model in MODELS.items() if model.search_units} == {
        "cohere/rerank-v3.5",
        "cohere/rerank-4-fast",
        "cohere/rerank-4-pro",
    }


def test_only_models_of_nvidia_are_free():
    """Models of NVIDIA are free, and models of others are billed by search unit or by token."""
    by_token = {slug for slug, model in MODELS.items() if model.billing == "tokens"}
    free = {slug for slug, model in MODELS.items() if model.billing == "free"}

    assert {slug.partition("/")[0] for slug in free} == {"nvidia"}
    assert by_token == {
        slug for slug, model in MODELS.items() if slug not in free and not model.search_units
    }


def test_the_listed_models_cannot_be_changed():
    """`MODELS` is read-only, because all clients of the process read it."""
    with pytest.raises(TypeError):
        MODELS["any/model"] = RerankModel(slug="any/model")

    assert "any/model" not in MODELS


def test_a_listing_is_a_sequence_of_models():
    """A listing has a length, items, slices and an index, like a tuple of its models."""
    models = tuple(MODELS.values())
    listing = ModelListing(models=models, is_live=False, problem="could not connect")

    assert len(listing) == len(models)
    assert [*listing] == [*models]
    assert (listing[0], listing[-1], listing[1:3]) == (models[0], models[-1], models[1:3])
    assert listing.index(models[2]) == 2
    assert models[0] in listing


@pytest.mark.parametrize(
    ("slug", "base"),
    [
        ("a/b", "a/b"),
        ("a/b:free", "a/b"),
        ("a/b-20261028", "a/b"),
        ("a/b-20261028:free", "a/b"),
        ("a/b-2026102", "a/b-2026102"),
        ("a/b-abcdefgh", "a/b-abcdefgh"),
        ("a/b-\u0662\u0660\u0662\u0666\u0661\u0660\u0662\u0668",) * 2,
    ],
)
def test_the_base_of_a_slug(slug, base):
    """The base of a slug has no variant and no date of eight ASCII digits."""
    assert base_slug(slug) == base


def test_the_model_for_images():
    """The first listed model that takes images is sent in its free variant."""
    assert image_model() == "nvidia/nemotron-3.5-rerank-8b:free"


@pytest.mark.parametrize(
    ("slug", "family"),
    [
        pytest.param("cohere/qwen3-rerank", "cohere", id="author before a word"),
        pytest.param("cohere/" + "a" * 193, "cohere", id="longest slug"),
        pytest.param("cohere/" + "a" * 194, None, id="too long"),
        pytest.param("other/qwen3", None, id="not for reranking"),
        pytest.param("other/cohere-rerank", "cohere", id="cohere"),
        pytest.param("other/mongodb-rerank", "mongodb", id="mongodb"),
        pytest.param("other/nvidia-rerank", "nvidia", id="nvidia"),
        pytest.param("other/Qwen3-Rerank", "qwen", id="capitals"),
    ],
)
def test_the_family_of_a_slug(slug, family):
    """A slug of at most 200 characters belongs to the family of its author, or of its name."""
    assert model_for(slug).derived_from == family
