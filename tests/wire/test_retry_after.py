"""How long a response asks the client to wait."""

import datetime as dt
import os
import time
from email.utils import format_datetime

import pytest

from tests.error_responses import RECEIVED, error_for


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        pytest.param(0, None, id="zero"),
        pytest.param(1000 * (RECEIVED.timestamp() + 4), 4.0, id="milliseconds"),
        pytest.param(int(1000 * RECEIVED.timestamp()) + 4000, 4.0, id="whole milliseconds"),
        pytest.param(RECEIVED.timestamp() + 4, 4.0, id="seconds"),
        pytest.param(1000 * (RECEIVED.timestamp() - 4), None, id="past"),
        pytest.param(RECEIVED.timestamp(), None, id="now"),
        pytest.param(RECEIVED.timestamp() + 32 * 86_400 - 1, 2_764_799.0, id="nearly 32 days"),
        pytest.param(RECEIVED.timestamp() + 32 * 86_400, None, id="32 days"),
        pytest.param(str(RECEIVED.timestamp() + 0.5), 0.5, id="half a second"),
        pytest.param(f"{RECEIVED.timestamp():.0f}.0.0", None, id="two points"),
        pytest.param(60, None, id="no time of today"),
        pytest.param("soon", None, id="word"),
        pytest.param(
            "\u0661\u0667\u0669\u0663\u0666\u0662\u0660\u0668\u0660\u0664", None, id="Arabic"
        ),
        pytest.param("9" * 400, None, id="400 digits"),
        pytest.param("1794224694210000", None, id="microseconds"),
        pytest.param(-5, None, id="negative"),
        pytest.param(True, None, id="boolean"),
        pytest.param(None, None, id="null"),
        pytest.param([], None, id="list"),
    ],
)
def test_the_reset_of_a_rate_limit_is_the_time_to_wait(value, seconds):
    """For a 429, `X-RateLimit-Reset` is read from the headers and from `metadata.headers`."""
    text = f"{value:.0f}" if isinstance(value, float) else str(value)
    copied = {"error": {"metadata": {"headers": {"X-RateLimit-Reset": value}}}}
    copied_text = {"error": {"metadata": {"headers": {"X-RateLimit-Reset": text}}}}

    found = {
        error_for(headers={"x-ratelimit-reset": text}, status=429).retry_after,
        error_for(copied_text, status=429).retry_after,
    }

    assert found == {seconds}
    if isinstance(value, int | float) and not isinstance(value, bool):
        assert error_for(copied, status=429).retry_after == seconds
    assert error_for(headers={"x-ratelimit-reset": text}, status=503).retry_after is None


def test_retry_after_overrides_the_reset_of_a_rate_limit():
    """If a 429 has a valid `Retry-After`, `X-RateLimit-Reset` is not used; else it is."""
    headers = {"x-ratelimit-reset": f"{1000 * (RECEIVED.timestamp() + 4):.0f}"}

    waits = [
        error_for(headers=headers | {"retry-after": text}, status=429).retry_after
        for text in ("9", "soon")
    ]

    assert waits == [9.0, 4.0]


def http_date(seconds):
    """Return the HTTP date `seconds` seconds after the response was received."""
    return format_datetime(RECEIVED + dt.timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        pytest.param("0", 0.0, id="zero"),
        pytest.param("7", 7.0, id="seconds"),
        pytest.param(" 7 ", 7.0, id="surrounding spaces"),
        pytest.param("0.25", 0.25, id="decimals"),
        pytest.param("86400000", 86_400_000.0, id="years ahead"),
        pytest.param("9" * 400, float("inf"), id="400 nines"),
        pytest.param("9" * 5000, float("inf"), id="5000 nines"),
        pytest.param("-5", None, id="negative"),
        pytest.param("+5", None, id="signed"),
        pytest.param("inf", None, id="inf"),
        pytest.param("Infinity", None, id="Infinity"),
        pytest.param("nan", None, id="nan"),
        pytest.param("1e999", None, id="1e999"),
        pytest.param("1e1", None, id="exponent"),
        pytest.param("1_0", None, id="underscore"),
        pytest.param("\u0667", None, id="Arabic digit"),
        pytest.param("\uff17", None, id="fullwidth digit"),
        pytest.param("\u00b2", None, id="superscript"),
        pytest.param("", None, id="empty"),
        pytest.param(".", None, id="point"),
        pytest.param("1.2.3", None, id="two points"),
        pytest.param("1, 2", None, id="two values"),
        pytest.param("soon", None, id="word"),
        pytest.param("7 seconds", None, id="unit"),
        pytest.param(http_date(90), 90.0, id="date"),
        pytest.param(http_date(0), 0.0, id="date now"),
        pytest.param("Mon, 02 Nov 2026 14:00:07 +0200", 7.0, id="date with a zone"),
        pytest.param(http_date(-90), 0.0, id="date in the past"),
        pytest.param(http_date(10**9), 1e9, id="date years ahead"),
        pytest.param("Mon, 02 Nov 99999 12:00:00 GMT", None, id="date with an invalid year"),
        pytest.param("Mon, 02 Nov 2026 99:99:99 GMT", None, id="date with an invalid time"),
        pytest.param(
            "Mon, 02 Nov 2026 12:00:00 +99999999999999", None, id="date with an invalid zone"
        ),
        pytest.param("Mon, 02 Nov", None, id="incomplete date"),
    ],
)
def test_retry_after_is_a_number_or_a_date(header, seconds):
    """`Retry-After` is a number in ASCII digits or a date; anything else is ignored."""
    assert error_for(headers={"retry-after": header}).retry_after == seconds


def test_a_retry_after_date_is_relative_to_the_date_header():
    """A date is relative to the response's `Date` header, because the two clocks can differ."""
    headers = {"date": http_date(3600), "retry-after": http_date(3605)}

    assert error_for(headers=headers).retry_after == 5.0
    assert error_for(headers=headers | {"date": "noon"}).retry_after == 3605.0


@pytest.fixture
def other_time_zone():
    """Set the time zone of this process to one that differs by eleven hours."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "XXX+11"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="this system cannot change its time zone")
@pytest.mark.parametrize(
    "header",
    [
        pytest.param("Mon, 02 Nov 2026 12:01:30 GMT", id="IMF-fixdate"),
        pytest.param("Monday, 02-Nov-26 12:01:30 GMT", id="RFC 850"),
        pytest.param("Mon Nov  2 12:01:30 2026", id="asctime"),
        pytest.param("Mon, 02 Nov 2026 12:01:30 -0000", id="unknown zone"),
    ],
)
def test_dates_are_in_utc(other_time_zone, header):
    """All three forms of an HTTP date are read as UTC, in every time zone of this machine."""
    assert error_for(headers={"retry-after": header}).retry_after == 90.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (1, 1.0),
        (0.5, 0.5),
        (0, 0.0),
        (-1, None),
        (True, None),
        (False, None),
        ("1", None),
        (None, None),
        (float("nan"), None),
        (float("inf"), None),
    ],
)
def test_retry_after_in_the_body(value, seconds):
    """`error.availability.retry_after` is used if there is no `Retry-After` header."""
    body = {"error": {"availability": {"retry_after": value}}}

    assert error_for(body).retry_after == seconds


def test_an_extremely_large_retry_after_in_the_body():
    """A number of 400 digits is read as infinite, or is ignored."""
    body = {"error": {"availability": {"retry_after": 10**400}}}

    assert error_for(body).retry_after in {None, float("inf")}


def test_the_retry_after_header_overrides_the_body():
    """If both the header and the body have a time, the header is used."""
    body = {"error": {"availability": {"retry_after": 1}}}

    assert error_for(body, headers={"retry-after": "9"}).retry_after == 9.0
