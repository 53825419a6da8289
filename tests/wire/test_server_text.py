"""How the texts of a server are read: pages, JSON in any form, and the message in it."""

import json
import math

import pytest
from openrouter_rerank._attempt import Response
from openrouter_rerank._wire.server_text import (
    description,
    host_of,
    is_page,
    json_body,
    json_list,
    log_safe,
    message_in,
    shown,
    title,
    unpacked,
)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"<html><title>Just a moment</title>", "Just a moment"),
        (b"<TITLE> a &amp; b\n</TITLE>", "a & b"),
        (b"<title>a", ""),
        (b"a</title>", ""),
        (b"</title><title>", ""),
        (b"", ""),
        (b"<title>" + b" " * 4080 + b"a</title>", "a"),
        (b"<title>" + b" " * 4081 + b"a</title>", ""),
    ],
    ids=["page", "capitals", "no end", "no beginning", "turned", "empty", "4096 bytes", "longer"],
)
def test_the_title_of_a_page(body, found):
    """The title is that of the page, if it ends within the first 4096 bytes."""
    assert title(body) == found


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"content-type": "Text/HTML; charset=utf-8"}, b"", True),
        ({"content-type": "application/json"}, b"", False),
        ({}, b"html", False),
        ({}, b"", False),
        ({}, b"<", True),
        ({"content-type": "application/json"}, b" \n<p>", True),
        ({}, b" " * 63 + b"<", True),
        ({}, b" " * 64 + b"<", False),
        ({}, b"a<", False),
    ],
)
def test_a_page_is_recognized(headers, body, expected):
    """A response is a page by its media type, or by the first mark in its first 64 bytes."""
    assert is_page(Response(status=503, headers=headers, body=body)) is expected


@pytest.mark.parametrize(
    ("blank", "letters", "expected"),
    [(8_192, 8_192, "a" * 300), (8_192, 8_193, ""), (8_192, 20_000, ""), (8_191, 20_000, "a")],
    ids=["whole", "cut", "long", "one letter before the end"],
)
def test_the_end_of_a_cut_text_is_not_shown(blank, letters, expected):
    """Of a text of more than 16,384 characters, the first 8,192 may be shown."""
    response = Response(status=502, headers={}, body=b"")

    assert shown(" " * blank + "a" * letters, response) == expected


def test_the_host_of_a_url():
    """The host has the port, if the URL names it; without a URL it is "the server"."""
    assert host_of("https://host:1/v1") == "host:1"
    assert host_of("") == "the server"


def test_a_response_is_described():
    """The description of a response has its media type and its length."""
    response = Response(status=503, headers={"content-type": "text/html"}, body=b"abc")

    assert description(response) == "text/html, 3 bytes"


def test_marks_that_can_be_shown_stay():
    """Only the marks of a text that cannot be shown are escaped."""
    assert log_safe("é\n東京") == "é\\n東京"


HALF = {"a": "\ud83d"}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'{"a": NaN, "b": 1}', {"a": math.nan, "b": 1}),
        (b'{"a": "\\ud83d"}', HALF),
        (b'{"a": "\\ud83d", "b": %b}' % (b"1" * 19), HALF | {"b": int("1" * 19)}),
        (b'{"a": "\\ud83d", "b": %b}' % (b"1" * 20), HALF | {"b": math.inf}),
        (b'{"a": "\\ud83d"' + b" " * 99_985 + b"}", HALF),
        (b'{"a": "\\ud83d"' + b" " * 99_986 + b"}", {}),
        (b"[" * 100_000, {}),
        (b"[1]", {}),
        (b"", {}),
    ],
    ids=[
        *("JSON", "NaN", "half a character", "19 digits", "20 digits", "100,000 bytes"),
        *("longer", "too deep", "list", "empty"),
    ],
)
def test_the_object_in_a_body(body, found):
    """The object is read although it has half a character or a huge number, up to 100,000 bytes."""
    assert json.dumps(json_body(body)) == json.dumps(found)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ([1, "a"], [1, "a"]),
        ([1] * 21, [1] * 20),
        ((1,), []),
        ("ab", []),
        ({"a": 1}, []),
        (None, []),
    ],
)
def test_a_list_has_at_most_20_items(value, found):
    """A list is read up to its 20th item; anything else is an empty list."""
    assert json_list(value) == found


LONGEST = "[" + " " * 99_998 + "]"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        (" \n[1] ", [1]),
        ("[1", "[1"),
        ('"a"', '"a"'),
        ("1", "1"),
        ("", ""),
        (None, None),
        (b"[1]", b"[1]"),
        (LONGEST, []),
        (f" {LONGEST}", f" {LONGEST}"),
        ("[" * 99_999, "[" * 99_999),
    ],
    ids=lambda value: f"{value!r:.9}",
)
def test_json_within_a_text_is_read(text, found):
    """A text of at most 100,000 characters that is an object or a list is read; others stay."""
    assert unpacked(text) == found


@pytest.mark.parametrize("wrapped", [lambda value: [value], lambda value: {"message": value}])
@pytest.mark.parametrize(("depth", "found"), [(5, "reason"), (6, "")])
def test_a_message_is_searched_in_five_levels(wrapped, depth, found):
    """The message may be in five lists or objects within each other, and not in six."""
    value = "reason"
    for _ in range(depth):
        value = wrapped(value)

    assert message_in(value) == found


@pytest.mark.parametrize(("count", "found"), [(8, "reason"), (9, "")])
def test_a_message_is_searched_in_200_values(count, found):
    """The value that has the message may be the 200th list or object, and not the 201st."""
    before = [[[]] * 20] * 9

    assert message_in([*before, [[]] * count + [["reason"]]]) == found


def test_a_text_of_a_server_is_shown_with_300_characters():
    """A longer text is cut, also if its control characters are escaped."""
    assert log_safe("a" * 300) == log_safe("a" * 301) == "a" * 300
    assert log_safe("\n" * 300) == "\\n" * 150
