"""The error classes: all are documented, and errors can be copied and pickled."""

import copy
import pickle
import re
from collections import OrderedDict

import pytest
from openrouter_rerank import errors
from openrouter_rerank.errors import APIStatusError, OpenRouterRerankError, shown_value

CLASSES = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, OpenRouterRerankError)
}
ATTRIBUTES = {
    "status_code": 429,
    "code": "rate_limited",
    "metadata": {"provider_name": "Cohere", "n": 1, "f": 0.5, "b": True, "none": None},
    "provider": "Cohere",
    "model": "the/slug",
    "request_id": "id",
    "retry_after": float("inf"),
    "retryable": True,
}


def test_the_docstring_lists_every_error_class():
    """The module's docstring lists all error classes of the module, with their statuses."""
    documented = dict(re.findall(r"── (\w+) +(\d{3})?", errors.__doc__))

    assert documented.keys() | {"OpenRouterRerankError"} == CLASSES.keys()
    for name, status in documented.items():
        if status:
            assert type(APIStatusError.of(int(status), "m")) is CLASSES[name]


def test_each_documented_status_has_its_own_class():
    """Each documented status has its own class, and no other status has one."""
    classes = {status: type(APIStatusError.of(status, "m")).__name__ for status in range(100, 600)}

    assert {
        status: error_class
        for status, error_class in classes.items()
        if error_class != "APIStatusError"
    } == {
        400: "BadRequestError",
        401: "UnauthorizedError",
        402: "PaymentRequiredError",
        403: "ForbiddenError",
        404: "NotFoundError",
        408: "RequestTimeoutError",
        413: "PayloadTooLargeError",
        422: "UnprocessableEntityError",
        429: "TooManyRequestsError",
        500: "InternalServerError",
        502: "BadGatewayError",
        503: "ServiceUnavailableError",
        504: "GatewayTimeoutError",
        524: "EdgeNetworkTimeoutError",
        529: "ProviderOverloadedError",
    }


def test_which_statuses_are_retryable():
    """Failures of the server and rate limits are retryable; mistakes of the caller are not."""
    retryable = {code for code in range(400, 600) if APIStatusError.of(code, "m").retryable}

    assert retryable == {408, 429, *range(500, 600)}
    assert APIStatusError.of(200, "m").retryable


@pytest.mark.parametrize("error_class", CLASSES.values(), ids=CLASSES)
def test_every_error_is_an_openrouter_rerank_error(error_class):
    """Every error is an `OpenRouterRerankError`, and its text is its message."""
    error = error_class("message")

    assert isinstance(error, OpenRouterRerankError)
    assert str(error) == error.message == "message"


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("error_class", CLASSES.values(), ids=CLASSES)
def test_a_pickled_error_keeps_its_attributes(error_class, protocol):
    """An unpickled error has the class, the attributes and the notes of the original."""
    error = error_class("message", **ATTRIBUTES)
    error.attempts = 3
    error.add_note("3 attempts in 2.1 s, timeout 3 s")

    restored = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301 - pickled here

    assert type(restored) is error_class
    assert vars(restored) == vars(error)
    assert vars(restored) == ATTRIBUTES | {
        "message": "message",
        "attempts": 3,
        "__notes__": ["3 attempts in 2.1 s, timeout 3 s"],
    }
    assert str(restored) == "message"


@pytest.mark.parametrize(
    ("name", "builtin"),
    [
        ("ConfigurationError", ValueError),
        ("InvalidRequestError", ValueError),
        ("APIConnectionError", ConnectionError),
        ("DeadlineExceededError", TimeoutError),
    ],
)
def test_four_errors_are_built_in_errors_too(name, builtin):
    """Code that catches the built-in error catches ours. It has no number and no file name."""
    error = CLASSES[name]("message", **ATTRIBUTES)

    with pytest.raises(builtin, match=r"^message$"):
        raise error
    assert error.args == ("message",)
    assert repr(error) == f"{name}('message')"
    assert getattr(error, "errno", None) is getattr(error, "filename", None) is None


@pytest.mark.parametrize("error_class", CLASSES.values(), ids=CLASSES)
def test_a_copied_error_keeps_its_attributes(error_class):
    """A deep copy of an error has its attributes."""
    error = error_class("message", **ATTRIBUTES)

    assert vars(copy.deepcopy(error)) == vars(error)


def test_an_error_made_from_a_status_has_all_attributes():
    """An error made with `APIStatusError.of` has its arguments, and the class of its status."""
    attributes = {
        name: ATTRIBUTES[name] for name in ATTRIBUTES if name not in {"status_code", "retryable"}
    }

    error = APIStatusError.of(429, "message", **attributes)

    assert (str(error), type(error)) == ("message", errors.TooManyRequestsError)
    assert {name: getattr(error, name) for name in ATTRIBUTES} == ATTRIBUTES
    assert error.attempts == 0


def test_metadata_is_a_copy():
    """A later change of the mapping does not change the error."""
    metadata = {"a": 1}
    error = APIStatusError("m", metadata=metadata)

    metadata["b"] = 2

    assert error.metadata == {"a": 1}
    assert APIStatusError("m").metadata == {}


class Numbers(list):
    """A list of another class."""


class Described:
    """An object with any `repr`."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        """Return the text."""
        return self.text


@pytest.mark.parametrize("prefix", range(0, 90, 3))
@pytest.mark.parametrize("form", [str, list, bytes, Described])
def test_no_part_of_a_key_is_shown(prefix, form):
    """A value with an API key in it is not shown, wherever the key is."""
    text = "x" * prefix + "sk-or-v1-0123456789abcdef0123456789abcdef"
    values = {str: text, list: [1, text], bytes: text.encode(), Described: Described(text)}

    assert shown_value(values[form]) == "a value with an API key in it"


@pytest.mark.parametrize("mark", ["\r", "\x1b[31m", "\u2028", "\u202e", "\n"], ids=ascii)
def test_a_shown_value_is_one_short_line(mark):
    """A value is shown in one printable line, even if its `repr` is not."""
    shown = shown_value(Described(f"a{mark}b" * 1000))

    assert shown.isprintable()
    assert len(shown) == 80


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(Described("x" * 80), "x" * 80, id="80 characters"),
        pytest.param(Described("x" * 81), "x" * 77 + "...", id="81 characters"),
        pytest.param(Described("\x1b" * 20), r"\x1b" * 20, id="80 escaped"),
        pytest.param(Described("\x1b" * 21), r"\x1b" * 19 + r"\...", id="84 escaped"),
        pytest.param(Described("a\nb"), "a b", id="two lines"),
        pytest.param("x" * 58, repr("x" * 58), id="short text"),
        pytest.param("x" * 59, f"'{'x' * 27}...{'x' * 28}'", id="long text"),
        pytest.param(b"x" * 77, repr(b"x" * 77), id="short bytes"),
        pytest.param(b"x" * 78, f"b'{'x' * 75}...", id="long bytes"),
        pytest.param([1, 2, 3, 4], "[1, 2, 3, 4]", id="four items"),
        pytest.param([1, 2, 3, 4, 5], "[1, 2, 3, 4, ...]", id="list"),
        pytest.param((1, 2, 3, 4, 5), "(1, 2, 3, 4, ...)", id="tuple"),
        pytest.param({1, 2, 3, 4, 5}, "{1, 2, 3, 4, ...}", id="set"),
        pytest.param(frozenset({1, 2, 3, 4, 5}), "frozenset({1, 2, 3, 4, ...})", id="frozen set"),
        pytest.param(
            dict.fromkeys("abcd", 1) | {"e": 1},
            "{'a': 1, 'b': 1, 'c': 1, 'd': 1, ...}",
            id="mapping",
        ),
        pytest.param(
            OrderedDict.fromkeys("abcde", 1),
            "{'a': 1, 'b': 1, 'c': 1, 'd': 1, ...}",
            id="kind of mapping",
        ),
        pytest.param(Numbers([1, 2, 3, 4, 5]), "[1, 2, 3, 4, ...]", id="kind of list"),
        pytest.param([[[1]]], "[[[1]]]", id="three levels"),
        pytest.param([[[[1]]]], "[[[[...]]]]", id="four levels"),
    ],
)
def test_how_a_value_is_shown(value, shown):
    """A value is shown with its first items, three levels, and both ends of a text."""
    assert shown_value(value) == shown
