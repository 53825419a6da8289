"""Values that are sent as JSON: copied as plain values, or refused with their place."""

from collections.abc import Mapping

import pytest
from langchain_openrouter_rerank import OpenRouterRerank as LangChainRerank
from llamaindex_openrouter_rerank import OpenRouterRerank as LlamaIndexRerank
from openrouter_rerank import ConfigurationError, InvalidRequestError, RerankClient
from openrouter_rerank.client_options.json_values import json_mapping

from tests.option_errors import Unprintable

RERANKERS = [LangChainRerank, LlamaIndexRerank]


def fail(*_):
    """Raise an exception that is not ours."""
    raise ZeroDivisionError


class Text(str):
    """A string whose methods fail."""

    __slots__ = ()
    __str__ = __repr__ = __len__ = __eq__ = __hash__ = __getitem__ = encode = fail


class Number(int):
    """A whole number whose methods fail."""

    __str__ = __repr__ = __index__ = __eq__ = __hash__ = bit_length = fail


class Fraction(float):
    """A number whose methods fail."""

    __str__ = __repr__ = __float__ = __eq__ = __hash__ = fail


class Items(list):
    """A list that cannot be iterated."""

    __iter__ = __len__ = __repr__ = __bool__ = fail


class Fields(Mapping):
    """A mapping that cannot be read."""

    __getitem__ = __iter__ = __len__ = __repr__ = fail


class Endless(dict):
    """A mapping without an end."""

    def items(self):
        """Yield fields without an end."""
        while True:
            yield "a", 1


def twice_in_itself():
    """Return a mapping that holds itself in two ways: 2^n paths lead n levels down."""
    cyclic: dict[str, object] = {}
    cyclic |= {"a": [cyclic], "b": {"c": cyclic}}
    return cyclic


def nested(levels, around):
    """Return 1 with `levels` lists or mappings around it."""
    value = 1
    for _ in range(levels):
        value = around(value)
    return value


MANY = "trace has more than 20,000 values: use fewer"
DEEP = "has more than 100 levels: use fewer"
REFUSED = {
    "twice in itself": (twice_in_itself(), "trace['a'][0] contains itself"),
    "deep mappings": (
        nested(10_000, lambda inner: {"a": inner}),
        f"trace['a']['a']['a']...['a'] {DEEP}",
    ),
    "deep lists": ({"a": nested(10_000, lambda inner: [inner])}, f"trace['a'][0][0]...[0] {DEEP}"),
    "doubled lists": ({"a": nested(40, lambda inner: [inner, inner])}, MANY),
    "doubled mappings": (nested(40, lambda inner: {"a": inner, "b": inner}), MANY),
    "long list": ({"a": range(10**9)}, MANY),
    "endless mapping": ({"a": Endless(b=1)}, MANY),
    "large number": (
        {"a": 10**5_000},
        "trace['a'] must be a JSON value, got an object of type int",
    ),
    "no string as a name": (
        {"a": {1: 2}},
        "trace['a'] must have strings as names, got the name 1",
    ),
    "bytes": ({"a": [memoryview(b"b")]}, "trace['a'][0] must be a JSON value, got <memory at "),
    "unprintable": (
        {"a": Unprintable()},
        "trace['a'] must be a JSON value, got an object of type Unprintable",
    ),
    "unreadable list": (
        {"a": Items()},
        "trace['a'] cannot be read, because it raises ZeroDivisionError: use plain JSON values",
    ),
    "unreadable mapping": (
        Fields(),
        "trace cannot be read, because it raises ZeroDivisionError: use plain JSON values",
    ),
}
each_refused = pytest.mark.parametrize(("value", "text"), REFUSED.values(), ids=REFUSED)


@each_refused
def test_what_is_no_json_is_refused_with_its_place(value, text):
    """A value that is not JSON, endless or too large is refused; the error names its place."""
    with pytest.raises(InvalidRequestError) as caught:
        json_mapping("trace", value)

    assert str(caught.value).startswith(text)
    assert caught.value.__context__ is None


@each_refused
def test_options_and_arguments_are_refused_alike(stage, value, text):
    """Options of rerankers, and arguments of calls, are refused with this text: nothing is sent."""
    service = {"base_url": stage.base_url, "api_key": stage.api_key}
    for kind in RERANKERS:
        with pytest.raises(ConfigurationError) as of_option:
            kind(**service, trace=value)
        with pytest.raises(ConfigurationError) as of_call:
            kind(**service).rerank(["a"], "q", trace=value)
        assert str(of_option.value).startswith(text)
        assert str(of_call.value).startswith(text)
    with pytest.raises(InvalidRequestError) as of_argument:
        RerankClient(**service).rerank("q", ["a"], trace=value)

    assert str(of_argument.value).startswith(text)
    assert stage.requests == []


@pytest.mark.parametrize("name", ["provider", "trace", "extra_body"])
def test_the_error_names_the_option(name):
    """Each option with JSON is checked, and the error begins with its name."""
    with pytest.raises(InvalidRequestError) as caught:
        RerankClient().rerank("q", ["a"], **{name: twice_in_itself()})

    assert str(caught.value) == f"{name}['a'][0] contains itself"


def test_objects_of_other_classes_become_plain_values():
    """Strings and numbers of other classes are copied by content, even if their methods fail."""
    shared = ["x"]

    copied = json_mapping(
        "trace", {"a": Text("b"), "c": (Number(1), Fraction(0.5), True), "d": [shared, shared]}
    )

    assert copied == {"a": "b", "c": [1, 0.5, True], "d": [["x"], ["x"]]}
    kinds = [type(each) for each in (copied["a"], *copied["c"])]
    assert kinds == [str, int, float, bool]
