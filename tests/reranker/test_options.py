"""The options of a reranker are checked when it is created, without a client."""

import subprocess
import sys
from itertools import permutations

import httpx
import pytest
from openrouter_rerank import (
    AsyncRerankClient,
    ConfigurationError,
    RerankClient,
)
from openrouter_rerank.reranker import Reranker
from pydantic import ConfigDict

from tests.clients import TLS

BAD = [
    {"timeout": 0},
    {"timeout": float("inf")},
    {"max_retries": -1},
    {"max_retries": 1.5},
    {"max_concurrency": 0},
    {"max_concurrency": None},
    {"budget": -1},
    {"budget": "5 dollars"},
    {"base_url": "http://host.example"},
    {"base_url": 5},
    {"api_key": "two words"},
    {"api_key": 5},
    {"app_title": "a\nb"},
    {"app_categories": ["a", "b", "c"]},
    {"default_headers": {"Host": "a"}},
    {"default_headers": "X-A: 1"},
    {"score_store": {}},
    {"score_ttl": 0},
    {"rate_limiter": 20},
    {"model": " "},
    {"fallback_models": 5},
    {"fallback_models": [""]},
    {"top_n": 0},
    {"session_id": "a\nb"},
    {"extra_body": {"query": "x"}},
    {"max_documents_per_request": 0},
    {"http_client": httpx.AsyncClient(verify=TLS)},
    {"http_async_client": httpx.Client(verify=TLS)},
]


@pytest.mark.parametrize("options", BAD, ids=lambda options: str(options)[:40])
def test_a_bad_option_is_refused_when_a_reranker_is_created(options):
    """A reranker refuses an option that no call could use, and the error names the option."""
    named = next(iter(options)).replace("_", "[_ ]").replace("fallback[_ ]models", "model")
    named = named.replace("http[_ ]async", "http")

    with pytest.raises(ConfigurationError, match=f"(?i){named}") as caught:
        Reranker(**options)

    assert "two words" not in str(caught.value)


@pytest.mark.parametrize("options", BAD, ids=lambda options: str(options)[:40])
def test_a_bad_option_is_refused_when_it_is_assigned(options):
    """A bad value that is assigned is refused, and the option keeps its value."""
    reranker = Reranker()
    before = dict(reranker)

    with pytest.raises(ConfigurationError):
        setattr(reranker, *next(iter(options.items())))

    assert dict(reranker) == before


@pytest.mark.parametrize("order", list(permutations(["base_url", "allow_insecure_http", "model"])))
def test_a_copy_changes_options_that_need_each_other(order):
    """A copy takes a URL and its permission, and removes both, in any order of the changes."""
    insecure = {"base_url": "http://gateway:4000", "allow_insecure_http": True, "model": "a/b"}
    secure = {"base_url": "https://gateway", "allow_insecure_http": False, "model": "c/d"}

    copy = Reranker().model_copy(update={name: insecure[name] for name in order})
    back = copy.model_copy(update={name: secure[name] for name in order})

    assert insecure.items() <= dict(copy).items()
    assert secure.items() <= dict(back).items()


def test_a_permission_cannot_be_taken_from_a_url_that_needs_it():
    """`allow_insecure_http` keeps its value if the base URL needs it."""
    reranker = Reranker(api_key="k", base_url="http://gateway:4000", allow_insecure_http=True)

    with pytest.raises(ConfigurationError, match="got http://gateway"):
        reranker.allow_insecure_http = False

    assert reranker.allow_insecure_http


def test_creating_a_reranker_creates_no_client():
    """Neither creating a reranker nor changing its options creates a client."""
    # In its own process, because other tests have clients.
    code = """
import gc
from openrouter_rerank import AsyncRerankClient, RerankClient
from openrouter_rerank.local.stage import Stage
from openrouter_rerank.reranker import Reranker

def clients():
    kinds = (AsyncRerankClient, RerankClient)
    return sum(isinstance(each, kinds) for each in gc.get_objects())

with Stage() as stage:
    reranker = Reranker(base_url=stage.base_url, api_key=stage.api_key)
    reranker.timeout = 5
    print(clients())
    reranker.place("q", ["a"])
    print(clients())
    reranker.close()
"""
    finished = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )

    assert (finished.stdout, finished.stderr) == ("0\n1\n", "")


@pytest.mark.parametrize("kind", [RerankClient, AsyncRerankClient])
def test_a_key_under_two_names_is_refused(kind):
    """A client that gets a key under both of its names refuses it, and shows neither key."""
    with pytest.raises(
        ConfigurationError, match=r"^api_key and openrouter_api_key are two names of one option"
    ) as caught:
        kind(api_key="first", openrouter_api_key="second")

    assert "first" not in str(caught.value)
    assert "second" not in str(caught.value)


@pytest.mark.parametrize("option", ["base_url", "api_base", "api_key", "default_headers"])
def test_a_value_that_may_hold_a_secret_is_not_shown(option):
    """A key, a header or a URL of the wrong type is refused without its value."""
    with pytest.raises(
        ConfigurationError, match="base_url" if "base" in option else option
    ) as caught:
        RerankClient(**{option: b"https://user:password@host.example"})

    assert "password" not in str(caught.value)


def test_a_subclass_may_take_other_fields():
    """A user's subclass that allows further fields gets their values unchanged."""

    class Open(Reranker):
        model_config = ConfigDict(extra="allow")

    assert Open(flavour="salt").flavour == "salt"


def test_values_that_a_call_takes_are_taken_as_options():
    """`None` for a list of names, and tuples in JSON values, mean the same as in a call."""
    reranker = Reranker(
        fallback_models=None,
        app_categories=None,
        provider={"only": ("cohere",)},
        trace={"steps": ({"at": (1,)}, None)},
    )

    assert (reranker.fallback_models, reranker.app_categories) == ((), ())
    assert reranker.provider == {"only": ["cohere"]}
    assert reranker.trace == {"steps": [{"at": [1]}, None]}
    assert Reranker.model_validate_json(reranker.model_dump_json()) == reranker


@pytest.mark.parametrize(
    "options",
    [
        {"max_retries": 1.0},
        {"top_n": 2.0},
        {"max_documents_per_request": 1.0},
        {"extra_body": {"a": b"b"}},
        {"extra_body": {"a": {"b"}}},
        {"trace": {"a": float("nan")}},
        {"provider": {1: "a"}},
    ],
    ids=str,
)
def test_a_value_has_the_same_answer_as_an_option_and_in_a_call(options):
    """A value that is refused as an option is refused in a call too, with the same text."""
    with pytest.raises(ConfigurationError) as created:
        Reranker(**options)
    with pytest.raises(ConfigurationError) as of_call:
        Reranker().for_call(options)
    with RerankClient() as client, pytest.raises(ValueError, match=next(iter(options))) as direct:
        client.rerank("q", ["a"], **options)

    assert str(created.value) == str(of_call.value) == str(direct.value)
