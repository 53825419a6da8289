"""
Responses in JSON that are made to cost much, as a table of shapes and as a strategy of Hypothesis.

Most are valid JSON. A shape is a text that is repeated until the response has a given size.
"""

from dataclasses import dataclass

from hypothesis import strategies as st

ROW = b'{"index":0,"relevance_score":1}'
RESULTS = b'{"results":[' + ROW + b"]"


@dataclass(frozen=True)
class Shape:
    """A JSON text with a part that is repeated, for a request of a `kind`."""

    kind: str
    """`ranking`, `error` or `listing`."""
    head: bytes
    unit: bytes
    """It ends with a comma, or is a part of a string or a number."""
    tail: bytes
    last: bytes = b"%b"
    """The last item, with a place for a string. Empty if `unit` has no comma."""

    def of_size(self, size):
        """Return a text of about `size` bytes with as many units as fit."""
        last = self.last % b"1" if self._has_items else b""
        count = (size - len(self.head + last + self.tail)) // len(self.unit)
        return self.head + self.unit * count + last + self.tail

    def with_marks(self, size, marks, filler):
        """Return a text of about `size` bytes with `marks` brackets and commas, and a string."""
        if not self._has_items:
            return self.of_size(size)
        left = marks - sum(map((self.head + self.last + self.tail).count, MARKS))
        room = size - len(self.head + self.last + self.tail)
        count = min(left // sum(map(self.unit.count, MARKS)), room // len(self.unit))
        units = self.unit * count
        room -= len(units)
        string = b'"' + filler * (room // len(filler)) + b'"'
        return self.head + units + self.last % string + self.tail

    @property
    def _has_items(self):
        return self.unit.endswith(b",")


MARKS = (b"[", b"{", b",")
# What the longest string of a response consists of.
FILLERS = {
    "letters": b"x",
    "one emoji": "\U0001f600".encode() + b"x" * 50_000,
    "newlines": b"\\n",
    "escaped backslashes": b"\\\\",
    "escaped quotes": b'\\"',
    "escaped letters": b"\\u00e9",
    "escaped surrogate pairs": b"\\ud83d\\ude00",
    "lone surrogates": b"\\ud800",
    "escapes within a string": b"\\\\u0041",
}


def _lists(kind, name, head, tail):
    """Return shapes with a long list at one place, of each kind of value."""
    values = {
        "numbers": b"1,",
        "objects": b"{},",
        "lists": b"[],",
        "lists of lists": b"[[]],",
        "strings": b'"",',
        "long numbers": b"9" * 4000 + b",",
        "messages": b'{"message":[1]},',
    }
    return {
        f"{kind}: {values_name} in {name}": Shape(kind, head, unit, tail)
        for values_name, unit in values.items()
    }


def _texts(kind, name, head, tail):
    """Return shapes with a long string at one place."""
    return {
        f"{kind}: {filler_name} in {name}": Shape(kind, head + b'"', filler, b'"' + tail)
        for filler_name, filler in FILLERS.items()
    }


def _error(fields):
    return b'{"error":{"code":502,' + fields


SHAPES = {
    **_lists("ranking", "results", b'{"results":[', b"]}"),
    **_lists("ranking", "usage", RESULTS + b',"usage":[', b"]}"),
    **_lists("ranking", "an unknown field", RESULTS + b',"other":[', b"]}"),
    **_lists("ranking", "results, after a surrogate", b'{"id":"\\ud800","results":[', b"]}"),
    **_lists("ranking", "usage, after a surrogate", RESULTS + b',"id":"\\ud800","usage":[', b"]}"),
    **_lists("error", "error", b'{"error":[', b"]}"),
    **_lists("error", "message", _error(b'"message":['), b"]}}"),
    **_lists("error", "raw", _error(b'"metadata":{"raw":['), b"]}}}"),
    **_lists("error", "excluded_by", _error(b'"availability":{"excluded_by":['), b"]}}}"),
    **_lists("error", "message, after NaN", _error(b'"other":NaN,"message":['), b"]}}"),
    **_lists("listing", "data", b'{"data":[', b"]}"),
    **_lists(
        "listing",
        "modalities",
        b'{"data":[{"id":"a/b","architecture":{"output_modalities":[',
        b"]}}]}",
    ),
    **_texts("ranking", "id", RESULTS + b',"id":', b"}"),
    **_texts("ranking", "document", RESULTS[:-2] + b',"document":', b"}]}"),
    **_texts("ranking", "error", RESULTS + b',"error":', b"}"),
    **_texts("error", "message", _error(b'"message":'), b"}}"),
    **_texts("error", "raw", _error(b'"metadata":{"raw":'), b"}}}"),
    **_texts("listing", "id", b'{"data":[{"id":', b"}]}"),
    "ranking: rows": Shape("ranking", b'{"results":[', ROW + b",", b"]}"),
    "ranking: deep lists": Shape("ranking", b'{"results":', b"[", b""),
    "ranking: lists 150 deep": Shape(
        "ranking", RESULTS + b',"a":[', b"[" * 150 + b"]" * 150 + b",", b"]}"
    ),
    "ranking: deep objects": Shape("ranking", b'{"results":', b'{"a":', b""),
    "ranking: digits of a score": Shape("ranking", RESULTS[:-3], b"1", b"}]}"),
    "ranking: decimals of a score": Shape("ranking", RESULTS[:-2] + b".", b"1", b"}]}"),
    "ranking: digits of a cost": Shape("ranking", RESULTS + b',"usage":{"cost":1', b"1", b"}}"),
    "ranking: equal keys": Shape("ranking", RESULTS + b",", b'"id":1,', b"}", b'"id":%b'),
    "ranking: equal lists of results": Shape("ranking", b"{", b'"results":[],', b"}", b'"id":%b'),
    "ranking: equal keys of a row": Shape(
        "ranking", b'{"results":[{', b'"index":0,', b',"relevance_score":1}]}', b'"document":%b'
    ),
    "ranking: spaces": Shape("ranking", RESULTS, b" ", b"}"),
    "ranking: invalid UTF-8": Shape("ranking", b"", b"\xff", b""),
    "ranking: a web page": Shape("ranking", b"<html><title>", b"<p>1,2", b""),
    "error: equal keys of metadata": Shape(
        "error", _error(b'"metadata":{'), b'"a":1,', b"}}}", b'"b":%b'
    ),
    "error: a web page": Shape("error", b"<html><title>", b"<p>1,2", b""),
    "listing: entries": Shape("listing", b'{"data":[', b'{"id":"a/b"},', b"]}"),
}


def _repeated(value, count):
    return b"[" + b",".join([value] * count) + b"]"


def _nested(value, depth):
    return b"[" * depth + value + b"]" * depth


def _named(value, count):
    return b"{" + b",".join(b'"%d":%b' % (number // 2, value) for number in range(count)) + b"}"


_SCALARS = st.sampled_from(
    [
        *(b"1", b"-0.0", b"1e999", b"NaN", b"9" * 400, b"9" * 5000, b"0." + b"1" * 5000, b"null"),
        *(b"{}", b"[]", b'""', b"[[]]", b'"\\ud800"', b'"\\u0000\\n"', b'"\\\\"', b"\xff"),
        *(ROW, b'{"index":1}', b'{"message":"m"}', b'"' + b'\\"[{,' * 5000 + b'"'),
    ]
)
_COUNTS = st.sampled_from([0, 1, 2, 20, 300, 6000])
_VALUES = st.one_of(
    _SCALARS,
    st.builds(_repeated, _SCALARS, _COUNTS),
    st.builds(_nested, _SCALARS, _COUNTS),
    st.builds(_named, _SCALARS, _COUNTS),
)
_NAMES = st.sampled_from(
    [b"results", b"error", b"usage", b"id", b"model", b"provider", b"message", b"metadata", b"data"]
)
_FIELDS = st.lists(st.tuples(_NAMES, _VALUES), max_size=4).map(
    lambda fields: b"{" + b",".join(b'"%b":%b' % field for field in fields) + b"}"
)
_OF_SHAPES = st.builds(
    lambda shape, size: shape.of_size(size),
    st.sampled_from([*SHAPES.values()]),
    st.sampled_from([300, 16_000, 20_000]),
)
_ROWS_AND_FIELDS = _FIELDS.map(
    lambda fields: b'{"results":[%b,{"index":2,"relevance_score":0.5}],%b' % (ROW, fields[1:])
)

HOSTILE_BODIES = st.one_of(_FIELDS, _ROWS_AND_FIELDS, _OF_SHAPES)
"""Responses of up to some hundred kilobytes, with equal keys, deep lists and many values."""
