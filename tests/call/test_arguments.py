"""The arguments of a call: which are refused, and what the others become."""

from collections import UserList
from types import MappingProxyType

import numpy as np
import pytest
from openrouter_rerank._call.arguments import (
    checked_arguments,
    checked_timeout,
    hide_arguments,
)
from openrouter_rerank._wire.headers import HeaderFields
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError
from openrouter_rerank.ranking import Ranking

from tests.hostile_values import HOSTILE
from tests.signal_handlers import raise_as_handler

CYCLE = {}
CYCLE |= {"a": CYCLE, "b": [CYCLE]}


def arguments(query="q", documents=("a", "b"), *, model="m", top_n=None, **options):
    """Return the checked arguments of a call."""
    return checked_arguments(query, documents, model=model, top_n=top_n, **options)


@pytest.mark.parametrize(
    ("invalid", "message"),
    [
        pytest.param({"query": ""}, "query is blank: pass the question", id="empty query"),
        pytest.param({"query": " \t\u3000\n"}, "query is blank", id="blank query"),
        pytest.param(
            {"query": None}, "query must be a string, got an object of type NoneType", id="no query"
        ),
        pytest.param({"query": b"q"}, "query must be a string, got .*bytes", id="bytes as query"),
        pytest.param(
            {"top_n": 0}, "top_n must be a whole number, 1 or more, or None, got 0", id="top_n 0"
        ),
        pytest.param({"top_n": -1}, "top_n must be .*got -1", id="negative top_n"),
        pytest.param({"top_n": 1.0}, "top_n must be .*got 1.0", id="decimal top_n"),
        pytest.param({"top_n": "x"}, "top_n must be .*got 'x'", id="string as top_n"),
        pytest.param({"top_n": True}, "top_n must be .*got True", id="boolean top_n"),
        pytest.param({"top_n": np.True_}, "top_n must be .*True", id="NumPy boolean as top_n"),
        pytest.param({"model": ""}, "model must be the slug of a model, such as", id="empty model"),
        pytest.param(
            {"model": " "}, "model must be the slug of a model, such as", id="blank model"
        ),
        pytest.param({"model": None}, "model must be the slug .*got None", id="no model"),
        pytest.param(
            {"fallback_models": [""]}, r"fallback_models\[0\] must be the slug", id="empty fallback"
        ),
        pytest.param(
            {"fallback_models": 5}, "fallback_models must be a list of slugs", id="one fallback"
        ),
        pytest.param({"documents": ["a", ""]}, r"documents\[1\] is blank", id="blank document"),
        pytest.param(
            {"extra_body": {"query": "x"}}, "extra_body must not contain 'query'", id="extra query"
        ),
        pytest.param(
            {"extra_body": {"model": "x", "documents": []}},
            "extra_body must not contain 'documents'",
            id="extra documents",
        ),
        *[
            pytest.param(
                {"extra_body": {name: 1}}, f"must not contain '{name}'", id=f"extra {name}"
            )
            for name in ("model", "top_n")
        ],
        pytest.param({"model": "m" * 201}, "model must be the slug", id="long model"),
        pytest.param({"model": "a\nb"}, r"model must be the slug .*got 'a\\nb'", id="two lines"),
        pytest.param(
            {"model": "", "fallback_models": ["a"]},
            "^model must be the slug",
            id="before a fallback",
        ),
        pytest.param({"fallback_models": b"a"}, "fallback_models must be a list", id="bytes"),
        pytest.param(
            {"max_documents_per_request": 0},
            "^max_documents_per_request must be a whole number",
            id="no documents in a request",
        ),
        pytest.param({"user": 5}, "^user must be a string, or None, got 5", id="user"),
        pytest.param({"trace": 5}, "^trace must be a mapping, or None, got 5", id="trace"),
        pytest.param({"provider": 5}, "^provider must be a mapping, or None, got 5", id="number"),
        pytest.param(
            {"provider": "cohere"},
            r"^provider must be a mapping, got 'cohere': pass \{'only': \['cohere'\]\} to use no "
            r"other provider, or \{'order': \['cohere'\]\} to try it first$",
            id="provider",
        ),
        pytest.param(
            {"long_documents": "cut"},
            "^long_documents must be 'truncate', 'split' or 'raise', got 'cut'",
            id="policy",
        ),
        pytest.param(
            {"passage_tokens": 31},
            "^passage_tokens must be a whole number, 32 or more, got 31",
            id="tokens",
        ),
        pytest.param({"passage_tokens": None}, "^passage_tokens must .*got None", id="no tokens"),
        pytest.param(
            {"max_passages": 0}, "^max_passages must be a whole number, 1 or more", id="passages"
        ),
        pytest.param({"extra_body": ["top_k"]}, "extra_body must be a mapping", id="extra list"),
        pytest.param({"session_id": "a\n"}, "session_id must be 1 to 256", id="session"),
        pytest.param(
            {"extra_body": {"a": b"x"}},
            r"extra_body\['a'\] must be a JSON value, got b'x'",
            id="extra bytes",
        ),
        pytest.param(
            {"trace": {"a": [0, {"b": {1}}]}},
            r"trace\['a'\]\[1\]\['b'\] must be a JSON value, got \{1\}",
            id="set in a trace",
        ),
        pytest.param(
            {"trace": {"a": float("nan")}}, r"trace\['a'\] must be a JSON value", id="not a number"
        ),
        pytest.param({"provider": {5: 1}}, "provider must have strings as names", id="names"),
        pytest.param({"trace": CYCLE}, r"trace.* contains itself", id="cycle"),
    ],
)
def test_invalid_arguments_are_refused(invalid, message):
    """An invalid argument is refused, with its name, its value and what to pass instead."""
    with pytest.raises(InvalidRequestError, match=message):
        arguments(**invalid)


def test_an_argument_that_cannot_be_read_is_named():
    """If the class of a value raises an exception, the error names the argument and the class."""
    failing = HOSTILE["failing list"]
    reason = "an object of type Failinglist raises ZeroDivisionError: pass plain values"

    with pytest.raises(InvalidRequestError) as documents:
        arguments(query=" ", documents=failing)
    with pytest.raises(InvalidRequestError) as models:
        arguments(fallback_models=failing)

    assert str(documents.value) == f"documents cannot be read, because {reason}"
    assert str(models.value) == f"fallback_models cannot be read, because {reason}"


def test_the_first_invalid_argument_is_named_although_another_cannot_be_read():
    """An error that names an argument is not replaced by one for an argument after it."""
    with pytest.raises(InvalidRequestError, match="query is blank"):
        arguments(query=" ", fallback_models=HOSTILE["failing list"])


class Interrupted(UserList):
    """A list that a signal interrupts while it is read."""

    def __iter__(self):
        """Raise the error of the signal handler."""
        raise_as_handler()


def test_a_signal_that_comes_while_arguments_are_read_is_no_fault_of_theirs():
    """The error of a signal handler reaches the user."""
    with pytest.raises(TimeoutError, match="of the signal handler"):
        arguments(documents=Interrupted(["a", "b"]))


def test_an_exception_of_the_users_generator_is_not_replaced():
    """What a generator of documents raises is an error of the user's code, and stays as it is."""
    with pytest.raises(ZeroDivisionError):
        arguments(documents=(1 / 0 for _ in range(1)))


@pytest.mark.parametrize(
    "timeout",
    [
        0,
        -1,
        float("nan"),
        float("inf"),
        True,
        "half a minute",
        "3_0",
        b"30",
        pytest.param(10**400, id="too large for a float"),
    ],
)
def test_invalid_timeouts_are_refused(timeout):
    """A timeout is a positive, finite number of seconds."""
    with pytest.raises(ConfigurationError, match="timeout must be a positive number of seconds"):
        checked_timeout(timeout)
    with pytest.raises(ConfigurationError, match="timeout must be a positive number of seconds"):
        arguments(timeout=timeout)


@pytest.mark.parametrize("retries", [-1, 1.0, 1.5, "x", True, [1]])
def test_invalid_retries_are_refused(retries):
    """The retries of a call are a whole number, as those of a client."""
    with pytest.raises(ConfigurationError, match="max_retries must be a whole number, 0 or more"):
        arguments(max_retries=retries)


def test_valid_retries():
    """`max_retries` may be 0 or a string, and `None` means those of the client."""
    given = (0, 3, "2", np.int64(1), None)

    assert [arguments(max_retries=each).max_retries for each in given] == [0, 3, 2, 1, None]


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ({}, None),
        ({"app_url": None, "extra_headers": None, "session_id": None}, {}),
        ({"app_categories": "rag"}, {"X-OpenRouter-Categories": "rag"}),
        ({"app_categories": {"b", "a"}}, {"X-OpenRouter-Categories": "a,b"}),
        ({"app_url": "https://a"}, {"HTTP-Referer": "https://a"}),
        ({"app_title": "b"}, {"X-OpenRouter-Title": "b"}),
        ({"extra_headers": {"X-A": "1"}, "session_id": "s"}, {"X-A": "1", "x-session-id": "s"}),
    ],
)
def test_options_become_headers(options, sent):
    """Options that are sent as headers replace the headers of the client."""
    assert arguments(**options).headers == sent


@pytest.mark.parametrize("wrong", ["X-A: secret", {"X-A": b"secret"}, {1: "secret"}, ["secret"]])
def test_headers_of_the_wrong_type_are_not_shown(wrong):
    """Extra headers of another type are refused without their values."""
    with pytest.raises(ConfigurationError, match="extra_headers") as caught:
        arguments(extra_headers=wrong)

    assert "secret" not in str(caught.value)


def test_json_values_are_sent_as_plain_values():
    """Tuples become lists, and mappings become objects; the caller's values are not changed."""
    given = {"a": ("x", {"b": (1, 2.5, None, True)}), "c": MappingProxyType({"d": "e"})}

    sent = arguments(extra_body=given).call.extra

    assert sent == {"a": ["x", {"b": [1, 2.5, None, True]}], "c": {"d": "e"}}
    assert given["a"][0] == "x"


def test_valid_timeouts():
    """Whole and decimal numbers are accepted, and `None` means the client's timeout."""
    assert [checked_timeout(number) for number in (5, 0.001)] == [5.0, 0.001]
    assert arguments(timeout=None).timeout is None
    assert arguments(timeout=2).timeout == 2.0
    assert arguments(timeout="2.5", top_n="3").timeout == 2.5
    assert checked_timeout(np.float32(2.5)) == 2.5


@pytest.mark.parametrize("name", ["order", "only", "ignore", "quantizations"])
def test_a_single_name_of_a_provider_becomes_a_list(name):
    """The service takes lists of providers, so one name is sent as a list of one name."""
    preferences = {name: "cohere", "sort": "price"}

    checked = arguments(provider=preferences, fallback_models="a/b")

    assert checked.call.extra["provider"] == {name: ["cohere"], "sort": "price"}
    assert preferences == {name: "cohere", "sort": "price"}
    assert checked.models[1:] == ("a/b",)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("top_k", "rerank() has no argument 'top_k'. Did you mean 'top_n'?"),
        ("querry", "rerank() has no argument 'querry'. Did you mean 'query'?"),
        ("usr", "rerank() has no argument 'usr'. Did you mean 'user'?"),
        ("base_url", "rerank() has no argument 'base_url': pass it when you create the client"),
    ],
)
def test_unknown_arguments_are_refused(name, message):
    """An unknown argument raises a `TypeError`, as with any function, that says which is meant."""
    with pytest.raises(TypeError) as caught:
        arguments(**{"zz": 3, name: 3})

    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, {}),
        ({"timeout": 3, "user": "me"}, {"timeout": 3, "user": "me"}),
        ({"extra_headers": {"X-A": "secret"}}, {"extra_headers": HeaderFields({"X-A": "secret"})}),
        ({"api_key": "secret"}, {"api_key": "not shown"}),
    ],
)
def test_secrets_in_options_are_hidden(options, shown):
    """The `repr` of the options has no headers, and no key that is passed under a wrong name."""
    hide_arguments(options)

    assert options == shown
    assert "secret" not in repr(options)


def test_the_limits_of_a_call():
    """The longest slug has 200 characters, and the least size of a passage is 32 tokens."""
    checked = arguments(model="m" * 200, max_documents_per_request="2", passage_tokens=32)

    assert (checked.models, checked.call.max_documents) == (("m" * 200,), 2)


def test_each_model_is_used_once():
    """A model that appears several times in `model` and `fallback_models` is used once."""
    assert arguments(model="a", fallback_models=["b", "a", "b", "c"]).models == ("a", "b", "c")


def test_options_become_fields_of_the_body():
    """Options become fields of the body, except those that are `None`."""
    body_options = {"provider": {"zdr": True}, "user": "u", "trace": {"a": 1}}

    checked = arguments(**body_options, extra_body={"new": [1]}, session_id="s")

    assert checked.call.extra == body_options | {"new": [1]}
    assert checked.headers == {"x-session-id": "s"}
    assert arguments(provider=None, user=None, trace=None, extra_body=None).call.extra == {}


def test_the_ranking_of_a_call_without_documents():
    """A call without documents has a ranking without results and requests."""
    empty = arguments(documents=[], model="a", fallback_models=["b"]).empty_ranking()

    assert empty == Ranking(results=(), model="a", requests=())


@pytest.mark.parametrize("top_n", [None, 1, 2])
@pytest.mark.parametrize(("words", "is_split"), [(1, False), (20_000, True)])
def test_the_number_of_documents_to_return(words, is_split, top_n):
    """`top_n` counts documents, also if a document is ranked as passages."""
    documents = ["a", "word " * words]
    options = {"model": "cohere/rerank-v3.5", "long_documents": "split"}

    checked = arguments(documents=documents, top_n=top_n, **options)

    assert checked.top_n == top_n
    assert (checked.split is not None) is is_split


def test_top_n_can_be_a_numpy_integer():
    """`top_n` can be a NumPy integer, and becomes an `int`."""
    call = arguments(top_n=np.int64(2)).call

    assert (call.top_n, type(call.top_n)) == (2, int)
