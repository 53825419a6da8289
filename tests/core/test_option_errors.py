"""The errors about options: each says what was passed, where, and what to pass instead."""

import asyncio
import pickle
import warnings

import pytest
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import (
    AsyncRerankClient,
    ClientOptions,
    ConfigurationError,
    RerankClient,
)
from openrouter_rerank.client_options.of_keywords import options_of
from openrouter_rerank.errors import InvalidRequestError, shown_value
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from tests.option_errors import (
    ARGUMENTS,
    CLIENT_OPTIONS,
    NO_KEY,
    RERANKER_OPTIONS,
    UNKNOWN_CLIENT_OPTIONS,
    UNKNOWN_OPTIONS,
    Unprintable,
)

CLIENTS = [RerankClient, AsyncRerankClient]
RERANKERS = [LangChainRerank, LlamaIndexRerank]
each_class = pytest.mark.parametrize(
    "kind", [*CLIENTS, *RERANKERS], ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
)
each_client = pytest.mark.parametrize("kind", CLIENTS)
each_reranker = pytest.mark.parametrize("kind", RERANKERS, ids=lambda kind: kind.__module__)


def by_name(row):
    """Return a short name for a row of a table."""
    return "-".join(row) if isinstance(row, dict) else ""


@pytest.mark.parametrize(("options", "text"), CLIENT_OPTIONS, ids=by_name)
@each_class
def test_a_bad_option_is_refused_with_its_value(kind, options, text):
    """Clients and rerankers refuse the same values of their common options with the same text."""
    with pytest.raises(ConfigurationError) as caught:
        kind(**options)

    assert str(caught.value) == text
    assert caught.value.__cause__ is caught.value.__context__ is None


@pytest.mark.parametrize(("options", "text"), RERANKER_OPTIONS, ids=by_name)
@each_reranker
def test_a_bad_option_of_a_reranker_is_refused_with_its_value(kind, options, text):
    """Both framework classes refuse the same values with the same text, also when assigned."""
    reranker = kind(**dict([*options.items()][:-1]))

    with pytest.raises(ConfigurationError) as constructed:
        kind(**options)
    with pytest.raises(ConfigurationError) as assigned:
        setattr(reranker, *[*options.items()][-1])

    assert str(constructed.value) == str(assigned.value) == text


@pytest.mark.parametrize(("name", "text"), UNKNOWN_OPTIONS)
@each_reranker
def test_an_unknown_option_names_the_one_that_is_meant(kind, name, text):
    """The error of an unknown option names the closest option, and does not show the value."""
    reranker = kind()

    with pytest.raises(ConfigurationError) as constructed:
        kind(**{name: "secret"})
    with pytest.raises(ConfigurationError) as assigned:
        setattr(reranker, name, "secret")

    assert str(constructed.value) == str(assigned.value) == f"OpenRouterRerank {text}"


@pytest.mark.parametrize(("name", "text"), UNKNOWN_CLIENT_OPTIONS)
@each_client
def test_an_unknown_option_of_a_client_is_a_type_error(kind, name, text):
    """A client names the user's class, and says which options are arguments of `rerank`."""

    class MyClient(kind):
        """A subclass of the user."""

    with pytest.raises(TypeError) as caught:
        MyClient(**{name: "secret"})

    assert str(caught.value) == f"MyClient {text}"


@pytest.mark.parametrize(("builtin", "arguments", "text"), ARGUMENTS)
@each_client
def test_a_bad_argument_is_refused_with_its_value(kind, stage, builtin, arguments, text):
    """A call refuses a bad argument before anything is sent."""
    client = kind(base_url=stage.base_url, api_key=stage.api_key)

    async def call():
        result = client.rerank(**{"query": "q", "documents": ["a"]} | arguments)
        return result if kind is RerankClient else await result

    with pytest.raises(builtin) as caught:
        asyncio.run(call())

    assert str(caught.value) == text
    assert stage.requests == []


@each_reranker
def test_pydantic_reports_the_same_text_and_no_input(kind):
    """In Pydantic's functions, and in another model, the text is the same. No input is shown."""

    class Settings(BaseModel):
        reranker: kind

    options = {"top_n": 0, "api_key": "sk-secret"}
    text = "top_n must be a whole number, 1 or more, or None, got 0"
    for validate in (
        kind.model_validate,
        TypeAdapter(kind).validate_python,
        lambda options: Settings(reranker=options),
    ):
        with pytest.raises(ValidationError) as caught:
            validate(options)
        assert [error["msg"] for error in caught.value.errors()] == [text]
        assert "sk-secret" not in str(caught.value)
        assert "sk-secret" not in repr(caught.value.errors())
    assert TypeAdapter(kind).validate_python({"top_n": 1}).top_n == 1


@each_reranker
def test_a_header_that_cannot_be_sent_shows_no_input(kind):
    """An error of options that are checked together shows no input either."""
    with pytest.raises(ValidationError, match="default_headers") as caught:
        TypeAdapter(kind).validate_python({"default_headers": {"X-Key": "sk-secret\n"}})

    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({}, "WithTenant needs tenant: Name of the tenant."),
        ({"tenant": "a"}, "WithTenant needs region"),
        ({"tenant": 5}, "tenant must be a string, got 5"),
        ({"tenant_name": 5}, "tenant must be a string, got 5"),
        (
            {"tenant": "a", "tenant_name": "a"},
            "tenant_name and tenant are two names of one option: pass one of them",
        ),
        ({"tenant_nam": "a"}, "WithTenant has no option 'tenant_nam'. Did you mean 'tenant_name'?"),
        (
            {"tenant": "a", "region": "b", "ports": [1, None]},
            "ports[1]: Input should be a valid integer",
        ),
    ],
    ids=by_name,
)
@each_reranker
def test_an_option_of_a_subclass_is_checked_too(kind, options, text):
    """An option that a subclass of the user adds may be required, and have a second name."""

    class WithTenant(kind):
        """A subclass of the user."""

        tenant: str = Field(alias="tenant_name", description="Name of the tenant.")
        region: str
        ports: list[int] | None = None

    with pytest.raises(ConfigurationError) as caught:
        WithTenant(**options)

    assert str(caught.value) == text
    assert WithTenant(tenant_name="a", region="b").tenant == "a"


@each_class
def test_numbers_may_be_strings(kind):
    """A number may be a string, as in YAML files and in environment variables."""
    strings = {"timeout": "5", "max_retries": "1", "max_concurrency": "3", "score_ttl": "60"}

    created = kind(**strings, budget="1.5")
    options = options_of(kind.__name__, dict(strings), ClientOptions)

    assert type(created) is kind
    assert options == ClientOptions(timeout=5, max_retries=1, max_concurrency=3, score_ttl=60)


@each_reranker
def test_one_name_is_a_list_of_one(kind):
    """One string is accepted where a list of names is meant, and a set of categories too."""
    reranker = kind(fallback_models="a/b", app_categories="rag", top_n="3", max_image_bytes="5")

    assert (reranker.fallback_models, reranker.app_categories) == (("a/b",), ("rag",))
    assert (reranker.top_n, reranker.max_image_bytes) == (3, 5)
    assert kind(app_categories={"b", "a"}).app_categories == ("a", "b")
    assert LangChainRerank(rank_fields="title").rank_fields == ("title",)


@each_class
def test_without_a_key_nothing_is_created(kind, monkeypatch):
    """An object without a key is refused, with both ways out."""
    monkeypatch.delenv("OPENROUTER_API_KEY")

    with pytest.raises(ConfigurationError) as caught:
        kind()

    assert str(caught.value) == NO_KEY
    kind(api_key="sk-any")
    kind(default_headers={"authorization": "Bearer sk-any"})


@each_class
def test_a_key_of_the_environment_is_not_for_other_hosts(kind):
    """An object whose base URL may not get the key of the environment is refused."""
    with pytest.raises(ConfigurationError, match=r"is not sent to a\.example, which"):
        kind(base_url="https://a.example/v1")


@each_class
def test_a_bad_url_of_the_environment_is_blamed_on_its_variable(kind, monkeypatch):
    """The error of a URL in the environment names the variable, and not the option."""
    monkeypatch.setenv("OPENROUTER_API_BASE", "http://a.example")

    with pytest.raises(ConfigurationError) as caught:
        kind()

    assert str(caught.value) == (
        "OPENROUTER_API_BASE must begin with https:// (http:// only for this machine), got "
        "http://a.example. If the network is yours, set allow_insecure_http=True to send the "
        "key and the documents unencrypted"
    )


@each_reranker
def test_copies_and_restored_rerankers_need_no_key(kind, monkeypatch):
    """Only a new reranker needs a key. A call of a restored one says that the key was left out."""
    reranker = kind(api_key="sk-any")
    written = pickle.dumps(reranker)
    without_key = kind()
    monkeypatch.delenv("OPENROUTER_API_KEY")

    restored = pickle.loads(written)  # noqa: S301 - pickled here
    for copied in (restored.model_copy(), restored.model_copy(deep=True), restored):
        with pytest.raises(ConfigurationError) as caught:
            copied.place("q", ["a"])
        assert str(caught.value) == (
            "the reranker was restored from a pickle, which leaves api_key and default_headers "
            f"out: {NO_KEY}"
        )
    with pytest.raises(ConfigurationError) as caught:
        without_key.model_copy().place("q", ["a"])
    assert str(caught.value) == NO_KEY
    assert kind.model_json_schema()["properties"]


@each_class
def test_a_timeout_in_milliseconds_is_one_warning(kind):
    """A timeout of more than ten minutes is one warning, at the line of the caller."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        kind(timeout=30_000)

    assert [(str(each.message), each.filename) for each in caught] == [
        ("timeout=30000 means 500 minutes: it is in seconds, not milliseconds", __file__)
    ]


@each_client
def test_a_timeout_of_a_call_in_milliseconds_is_one_warning(kind, stage):
    """The `timeout` of a call is checked like that of the client."""
    client = kind(base_url=stage.base_url, api_key=stage.api_key)

    async def call():
        result = client.rerank("q", ["a"], timeout=30_000)
        return result if kind is RerankClient else await result

    with pytest.warns(UserWarning, match="timeout=30000 means 500 minutes") as caught:
        asyncio.run(call())

    assert [each.filename for each in caught] == [__file__]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Unprintable(), "an object of type Unprintable"),
        ("a\nb", r"'a\nb'"),
        (type("Text", (str,), {})("x" * 10**6), f"'{'x' * 27}...{'x' * 28}'"),
        (type("Names", (dict,), {})(a=1), "{'a': 1}"),
        (10**10_000, "an object of type int"),
        ({"key": "sk-or-v1-secret"}, "a value with an API key in it"),
    ],
    ids=["no repr", "line break", "long text", "mapping", "large number", "key"],
)
def test_a_shown_value_is_short_and_in_one_line(value, text):
    """A value in an error is cut, and shown in one line, also if its `repr` fails."""
    assert shown_value(value) == text


@pytest.mark.parametrize("error", [ConfigurationError, InvalidRequestError])
def test_mistakes_of_the_caller_are_value_errors(error):
    """Code that catches `ValueError` catches them, as it does with other libraries."""
    assert issubclass(error, ValueError)
