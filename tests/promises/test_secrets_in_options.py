"""Promise: no secret is in an option's error, nor in what a reranker shows of its options."""

import asyncio
import copy
import pickle
from functools import partial

import pytest
from langchain_core.documents import Document
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import (
    AsyncRerankClient,
    Budget,
    ConfigurationError,
    RerankClient,
    WindowRateLimiter,
)
from openrouter_rerank._wire.endpoint import ApiKey, EncodedHeaders
from openrouter_rerank._wire.headers import HeaderFields
from openrouter_rerank.client_options.secrets import HiddenSecretStr
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.local.stage import Stage
from openrouter_rerank.reranker import Reranker
from pydantic import SecretStr, ValidationError

from tests.secret_walker import HEADER, KEY, secrets_in, secrets_in_frames, tracebacks

GIVEN = {"api_key": KEY, "default_headers": {"X-Secret": HEADER}}
WRONG_VALUES = {
    "api_key": [f"{KEY}\n", f" {KEY}", KEY.encode(), bytearray(KEY.encode()), [KEY], {KEY: KEY}, 5],
    "openrouter_api_key": [f"{KEY}\n", KEY.encode(), (KEY,)],
    "default_headers": [
        *("x", KEY, [("Authorization", KEY)], [KEY], KEY.encode(), 5),
        *({"X-A": KEY.encode()}, {"X-A": [KEY]}, {"X-A": f"{KEY}\n"}, {"X-A": SecretStr(KEY)}),
        *({b"X-A": KEY}, {1: KEY}, {"X A": KEY}, {"Host": KEY}),
    ],
    "base_url": [f"https://user:{KEY}@host/v1", KEY, KEY.encode(), [KEY], f"https://{KEY}:{KEY}"],
    "api_base": [KEY, [KEY]],
}
WRONG = [
    pytest.param({name: value}, id=f"{name}-{at}")
    for name, values in WRONG_VALUES.items()
    for at, value in enumerate(values)
]
WRONG_WITH_SECRETS = [
    *WRONG,
    *({"timeout": -1}, {"app_title": "\n"}, {"max_retries": "x"}, {"budget": "x"}),
    *({"score_store": 1}, {"rate_limiter": 1}, {"base_url": 1}, {"api_base": "x", "base_url": "x"}),
]
FRAMEWORKS = pytest.mark.parametrize("kind", [LangChainRerank, LlamaIndexRerank, Reranker])


def validate(kind, **options):
    """Create a reranker with `model_validate`."""
    return kind.model_validate(obj=options)


def leaks(failure):
    """Return where an exception of an option shows a secret."""
    texts = [str(each) + repr(each) for each in tracebacks(failure)]
    if isinstance(failure, ValidationError):
        texts += [failure.json(), repr(failure.errors())]
    return secrets_in_frames(failure) + secrets_in(texts, "texts")


@pytest.mark.parametrize("kind", [RerankClient, AsyncRerankClient])
@pytest.mark.parametrize("wrong", WRONG_WITH_SECRETS)
def test_a_refused_option_of_a_client_shows_no_secret(kind, wrong):
    """A client refuses an option with a `ConfigurationError`, without a secret anywhere in it."""
    with pytest.raises(ConfigurationError) as caught:
        kind(**GIVEN | wrong)

    assert leaks(caught.value) == []


@FRAMEWORKS
@pytest.mark.parametrize("wrong", WRONG_WITH_SECRETS)
@pytest.mark.parametrize("create", [lambda kind: kind, lambda kind: partial(validate, kind)])
def test_a_refused_option_of_a_reranker_shows_no_secret(kind, wrong, create):
    """A reranker refuses an option with an error that has no secret anywhere in it."""
    with pytest.raises((ConfigurationError, ValidationError)) as caught:
        create(kind)(**GIVEN | wrong)

    assert leaks(caught.value) == []


@FRAMEWORKS
@pytest.mark.parametrize(
    "wrong", [each for each in WRONG if each.values[0].keys() <= Reranker.model_fields.keys()]
)
def test_a_refused_assignment_shows_no_secret(kind, wrong):
    """An option that is assigned and refused keeps its value, and its error has no secret."""
    reranker = kind(**GIVEN)
    name, value = next(iter(wrong.items()))

    with pytest.raises((ConfigurationError, ValidationError)) as caught:
        setattr(reranker, name, value)

    assert leaks(caught.value) == []
    assert reranker.api_key.get_secret_value() == KEY
    assert reranker.default_headers["X-Secret"] == HEADER


class Interrupted(dict):
    """Headers that a signal handler interrupts while they are read."""

    def keys(self):
        """Raise what Python's handler of Ctrl-C raises."""
        raise KeyboardInterrupt


@FRAMEWORKS
def test_an_interrupted_assignment_shows_no_secret(kind):
    """An assignment that Ctrl-C ends changes nothing, and no frame has a secret."""
    reranker = kind(**GIVEN)

    with pytest.raises(KeyboardInterrupt) as caught:
        reranker.default_headers = Interrupted({"X-Secret": f"another {HEADER}"})

    assert leaks(caught.value) == []
    assert reranker.default_headers["X-Secret"] == HEADER


@FRAMEWORKS
@pytest.mark.parametrize(
    "wrong", [{"api_key": f"{KEY}\n"}, {"default_headers": {"X-A": f"{KEY}\n"}}]
)
def test_an_unchecked_option_is_refused_by_the_call_without_a_secret(kind, wrong):
    """An option that pydantic does not check is hidden, and refused by the next call."""
    reranker = kind.model_construct(**wrong)

    with pytest.raises(OpenRouterRerankError) as copied:
        kind(base_url="http://127.0.0.1:9/v1").model_copy(update=wrong)
    with pytest.raises(OpenRouterRerankError) as caught:
        reranker._clients.sync_client(reranker)  # noqa: SLF001 - both frameworks call it

    assert secrets_in(reranker) == []
    assert leaks(caught.value) == leaks(copied.value) == []


CALLS = {
    "client": lambda: RerankClient(api_key="k").rerank("q", ["a"], api_key=KEY),
    "async client": lambda: asyncio.run(
        AsyncRerankClient(api_key="k").rerank("q", ["a"], api_key=KEY)
    ),
    "compress": lambda: LangChainRerank().compress_documents([Document("a")], "q", api_key=KEY),
    "acompress": lambda: asyncio.run(
        LangChainRerank().acompress_documents([Document("a")], "q", api_key=KEY)
    ),
    "rerank": lambda: LangChainRerank().rerank(["a"], "q", api_key=KEY),
    "invoke": lambda: LangChainRerank().invoke({"query": "q", "documents": []}, api_key=KEY),
    "LlamaIndex": lambda: LlamaIndexRerank().rerank(["a"], "q", api_key=KEY),
    "LlamaIndex, async": lambda: asyncio.run(LlamaIndexRerank().arerank(["a"], "q", api_key=KEY)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_key_that_is_passed_to_a_call_is_not_shown(call):
    """A call has no option for a key, and the error for one has no secret in its frames."""
    with pytest.raises(TypeError, match="api_key") as caught:
        call()

    assert leaks(caught.value) == []


@FRAMEWORKS
def test_no_form_of_a_reranker_shows_a_secret(kind):
    """Neither the attributes of a reranker, nor its dumps, nor its pickle contain a secret."""
    made = kind(**GIVEN)
    assigned = kind()
    assigned.api_key = SecretStr(KEY)
    assigned.default_headers = {"X-Secret": HEADER}
    copies = [made.model_copy(), copy.deepcopy(made), kind().model_copy(update=GIVEN)]
    rerankers = [made, assigned, *copies, kind.model_construct(**GIVEN)]

    forms = [
        (each, dict(each), vars(each), repr(each), each.model_dump(), pickle.dumps(each))
        for each in rerankers
    ]

    assert secrets_in(forms) == []
    for each in rerankers:
        assert each.api_key.get_secret_value() == KEY
        assert {**each.default_headers} == {"X-Secret": HEADER}


@FRAMEWORKS
def test_secrets_do_not_change_how_rerankers_compare(kind):
    """Rerankers with equal secrets are equal, those with other secrets are not."""
    made = kind(**GIVEN)

    assert made == kind(**GIVEN) == made.model_copy()
    assert made != kind(**GIVEN | {"api_key": "other"})
    assert made != kind(**GIVEN | {"default_headers": {"X-Secret": "other"}})


def test_a_hidden_key_is_a_secret_string():
    """The key of a reranker is a `SecretStr`, equal to another with the same value."""
    key = Reranker(api_key=KEY).api_key

    assert isinstance(key, SecretStr)
    assert key == SecretStr(KEY)
    assert SecretStr(KEY) == key != SecretStr("other")
    assert (len(key), str(key), hash(key)) == (len(KEY), "**********", hash(SecretStr(KEY)))
    assert copy.copy(key) is copy.deepcopy(key) is key
    assert str(HiddenSecretStr("")) == ""


@pytest.mark.parametrize("hidden", [HiddenSecretStr(KEY), HeaderFields({"X": KEY})], ids=type)
def test_a_pickled_secret_is_restored_as_none(hidden):
    """A pickle does not contain a secret that is pickled by itself."""
    pickled = pickle.dumps(hidden)

    assert KEY not in repr(pickled)
    assert pickle.loads(pickled) is None  # noqa: S301 - pickled here


def test_headers_of_a_reranker_have_the_methods_of_a_mapping():
    """The owner of a reranker can read and change its headers, as those of a mapping."""
    headers = Reranker(default_headers={"X-A": "1", "X-B": "2"}).default_headers

    headers["X-C"] = "3"
    del headers["X-A"]

    assert headers == {"X-B": "2", "X-C": "3"} == dict(headers)
    assert [*headers] == [*headers.keys()] == ["X-B", "X-C"]
    assert [*headers.values()] == ["2", "3"]
    assert [*headers.items()] == [("X-B", "2"), ("X-C", "3")]
    assert (len(headers), "X-B" in headers, headers.get("X-A")) == (2, True, None)
    assert headers == copy.copy(headers) == copy.deepcopy(headers) != {}


MADE = [
    *(Budget, WindowRateLimiter, ApiKey, HeaderFields, EncodedHeaders, HiddenSecretStr),
    *(RerankClient, AsyncRerankClient, Reranker, LangChainRerank, LlamaIndexRerank, Stage),
]


@pytest.mark.parametrize("kind", MADE)
def test_an_object_that_could_not_be_created_has_a_repr(kind):
    """Crash reporters show `self` of a constructor that has failed, so its `repr` must not fail."""
    assert kind.__name__ in repr(kind.__new__(kind))
