"""Values that no option expects: of wrong types, endless, and of classes whose methods fail."""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from itertools import count, repeat

import numpy as np


def fail(*_, **__):
    """Raise an exception that is not ours."""
    raise ZeroDivisionError


def failing(base, *names):
    """Return a subclass of `base` whose methods `names`, and those that show it, fail."""
    return type(f"Failing{base.__name__}", (base,), dict.fromkeys((*names, *_SHOWN), fail))


_SHOWN = ("__repr__", "__str__", "__format__", "__eq__", "__hash__", "__bool__")
_OF_TEXT = (
    *("__len__", "__getitem__", "__iter__", "__contains__", "strip", "encode", "lower", "replace"),
    *("isascii", "isprintable", "startswith", "partition", "split"),
)
_OF_ITEMS = ("__len__", "__getitem__", "__iter__", "__contains__", "keys", "items", "get", "values")
_OF_NUMBERS = ("__index__", "__int__", "__float__", "__lt__", "__le__", "__gt__", "__ge__")


class FailingAttributes:
    """An object of which no attribute can be read, such as a proxy of something that is gone."""

    __slots__ = ()

    def __getattribute__(self, name):
        """Fail."""
        raise ZeroDivisionError


class FailingMapping(Mapping):
    """A mapping that cannot be read."""

    __getitem__ = __iter__ = __len__ = fail


class FailingList(Sequence):
    """A list that cannot be read."""

    __getitem__ = __len__ = fail


class EndlessList(list):
    """A list without an end."""

    def __iter__(self):
        """Yield the same name without an end."""
        return repeat("a")


class EndlessIterable:
    """Names without an end, of a class that is not a list."""

    def __iter__(self):
        """Yield the same name without an end."""
        return repeat("a")


class EndlessMapping(Mapping):
    """A mapping without an end."""

    def __getitem__(self, name):
        """Return the same value for each name."""
        return "b"

    def __iter__(self):
        """Yield names without an end."""
        return map("a{}".format, count())

    def __len__(self):
        """Return any number."""
        return 1


def doubled(value, around):
    """Return `value` in 40 levels of a collection that holds the inner one twice."""
    for _ in range(40):
        value = around(value)
    return value


def in_itself():
    """Return a mapping that holds itself in two ways."""
    cyclic: dict[str, object] = {}
    cyclic |= {"a": [cyclic], "b": cyclic}
    return cyclic


LARGE = 10**5_000
FAILING_TEXT = failing(str, *_OF_TEXT)("abc")
HOSTILE = {
    "none": None,
    "boolean": True,
    "large number": LARGE,
    "large negative number": -LARGE,
    "large number in a list": [LARGE],
    "large number in a mapping": {"a": LARGE},
    "large number as a name": {LARGE: 1},
    "large number in a set": {LARGE},
    "digits": "9" * 5_000,
    "not a number": math.nan,
    "infinity": math.inf,
    "signalling not a number": Decimal("sNaN"),
    "large fraction": Fraction(LARGE, 7),
    "complex number": 1j,
    "empty": "",
    "line break": "a\nb",
    "null character": "a\0b",
    "surrogate": "\ud800",
    "long text": "x" * 100_000,
    "bytes": b"\xff",
    "memory": memoryview(b"ab"),
    "set": {"a", "b"},
    "set of several types": {1, "a", None},
    "numbers": range(10**9),
    "lists": [["a"], ["b"]],
    "nothing in a list": [None],
    "mapping": {"a": "b"},
    "names of other types": {None: None, b"a": b"a", (1, 2): 3},
    "object": object(),
    "class": object,
    "function": lambda *_: None,
    "exception": ValueError("x"),
    "NumPy integer": np.int64(3),
    "NumPy number": np.float32(1.5),
    "NumPy boolean": np.bool_(True),
    "NumPy text": np.str_("abc"),
    "NumPy bytes": np.bytes_(b"abc"),
    "NumPy date": np.datetime64("2020-01-01"),
    "NumPy array": np.arange(3),
    "NumPy array without items": np.array([]),
    "NumPy array of texts": np.array(["a", "b"]),
    "NumPy structure": np.void(b"abc"),
    "failing object": failing(object)(),
    "failing attributes": FailingAttributes(),
    "failing text": FAILING_TEXT,
    "failing text in a list": [FAILING_TEXT],
    "failing text in a mapping": {"a": FAILING_TEXT},
    "failing integer": failing(int, *_OF_NUMBERS)(3),
    "failing number": failing(float, *_OF_NUMBERS)(3.0),
    "failing list": failing(list, *_OF_ITEMS)(["a"]),
    "failing tuple": failing(tuple, *_OF_ITEMS)(("a",)),
    "failing dict": failing(dict, *_OF_ITEMS)(a="b"),
    "failing list in a mapping": {"a": failing(list, *_OF_ITEMS)(["a"])},
    "failing mapping": FailingMapping(),
    "failing sequence": FailingList(),
    "mapping in itself": in_itself(),
    "doubled lists": {"a": doubled(["x"], lambda inner: [inner, inner])},
    "doubled mappings": doubled({"x": 1}, lambda inner: {"a": inner, "b": inner}),
}
"""By name, so that a failed test says which it was."""

ENDLESS = {
    "endless list": EndlessList(["a"]),
    "endless generator": repeat("a"),
    "endless iterable": EndlessIterable(),
    "endless mapping": EndlessMapping(),
}
"""Only for options of ours: other code reads an endless list without an end."""
