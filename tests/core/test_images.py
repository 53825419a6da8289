"""Which values can be sent as images, and how image fields are converted."""

import base64
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import (
    UNSUPPORTED_FORMATS,
    as_image,
    data_uri,
    image_format,
    image_problem,
    image_size,
    image_type,
    is_complete,
    is_url,
)

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
JPEG = b"\xff\xd8\xff\xe0" + bytes(20)
WEBP = b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(20)
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"


def encoded(data):
    """Return `data` as a base64 string."""
    return base64.b64encode(data).decode()


PNG_URI = f"data:image/png;base64,{encoded(PNG)}"
# Encoders for e-mail break base64 into lines of 76 characters.
BASE64_LINES = base64.encodebytes(PNG + bytes(200)).decode()
# Its base64 has both characters that the URL-safe alphabet replaces, and needs padding.
WITH_URL_SAFE = JPEG + b"\xfb\xef\xff\xfe"
URL_SAFE = base64.urlsafe_b64encode(WITH_URL_SAFE).decode()
URL_SAFE_URI = f"data:image/jpeg;base64,{encoded(WITH_URL_SAFE)}"
URI_OF_FOUR = "data:image/jpeg;base64,/9j/4A=="
LONG_URI = f"data:image/png;base64,{encoded(PNG + bytes(200))}"


@pytest.mark.parametrize(
    ("data", "media_type"),
    [
        (PNG, "image/png"),
        (JPEG, "image/jpeg"),
        (b"GIF87a...", "image/gif"),
        (b"GIF89a...", "image/gif"),
        (WEBP, "image/webp"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", None),
        (b"JUNK\x24\x00\x00\x00WEBPVP8 ", None),
        (b"\x89PNG\n", None),
        (b"\xff\xd8\xff\xc0", "image/jpeg"),
        (b"\xff\xd8\xff\xbf", None),
        (b"\xff\xd8", None),
        (b"GIF90a", None),
        (SVG, None),
        (b"%PDF-1.7", None),
        (b"", None),
    ],
)
def test_the_media_type_is_detected_from_the_first_bytes(data, media_type):
    """The first bytes determine the media type; other data has none."""
    assert image_type(data) == media_type


@pytest.mark.parametrize(
    ("data", "declared", "uri"),
    [
        (PNG, None, PNG_URI),
        (PNG, "image/jpeg", PNG_URI),
        (SVG, "image/svg+xml", f"data:image/svg+xml;base64,{encoded(SVG)}"),
        (SVG, " IMAGE/SVG+XML ", f"data:image/svg+xml;base64,{encoded(SVG)}"),
        (bytearray(PNG), None, PNG_URI),
        (memoryview(PNG), None, PNG_URI),
    ],
)
def test_a_data_uri_has_the_detected_or_the_declared_type(data, declared, uri):
    """A data URI has the media type of the first bytes, or otherwise the declared one."""
    assert data_uri(data, declared=declared) == uri


@pytest.mark.parametrize(
    ("data", "declared"),
    [
        *[(SVG, declared) for declared in (None, "", "text/html", "image/", "image", "svg")],
        *[(SVG, declared) for declared in ("image/;evil", "image/a,b", "image/é")],
        (b"hello", None),
        (b"", "image/png"),
        (b"", None),
    ],
)
def test_bytes_that_are_no_image_are_refused(data, declared):
    """`data_uri` refuses bytes that are no image, and says what to pass."""
    with pytest.raises(InvalidRequestError) as caught:
        data_uri(data, declared=declared)

    assert caught.value.message == (
        f"data_uri got {len(data)} bytes, which are not a PNG, JPEG, GIF or WebP image: pass the "
        "bytes of an image file, or name another format, declared='image/avif'"
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [("cat.png", "str"), (Path("cat.png"), "PosixPath"), (None, "NoneType"), (io.BytesIO(), "")],
)
def test_something_else_than_bytes_is_refused(data, kind):
    """`data_uri` refuses a path and a file, and says how to read it."""
    with pytest.raises(InvalidRequestError) as caught:
        data_uri(data)

    assert caught.value.message == (
        f"data_uri takes the bytes of an image file, got an object of type {kind or 'BytesIO'}: "
        "read the file first, Path(...).read_bytes()"
    )


def test_a_declared_type_that_is_no_string_is_refused():
    """`data_uri` refuses a media type of a wrong type."""
    with pytest.raises(InvalidRequestError, match=r"^declared must be a media type such as"):
        data_uri(PNG, declared=5)


@pytest.mark.parametrize(
    ("value", "declared", "sent"),
    [
        pytest.param("https://host/a.png", None, "https://host/a.png", id="URL"),
        pytest.param(
            " HTTP://host/a.png\n", None, "HTTP://host/a.png", id="URL, surrounding blanks"
        ),
        pytest.param(PNG_URI, None, PNG_URI, id="data URI"),
        pytest.param(f" {PNG_URI} ", None, PNG_URI, id="data URI, surrounding blanks"),
        pytest.param(PNG_URI.encode(), None, PNG_URI, id="data URI as bytes"),
        pytest.param(b"https://host/a", None, "https://host/a", id="URL as bytes"),
        pytest.param(encoded(PNG), None, PNG_URI, id="base64"),
        pytest.param(encoded(PNG).encode(), None, PNG_URI, id="base64 as bytes"),
        pytest.param(f" {BASE64_LINES}", None, LONG_URI, id="base64 in lines"),
        pytest.param(
            BASE64_LINES.replace("\n", "\r\n"), None, LONG_URI, id="base64 in lines with CRLF"
        ),
        pytest.param(BASE64_LINES.encode(), None, LONG_URI, id="base64 in lines, as bytes"),
        pytest.param(
            f"data:image/png;base64,\n{BASE64_LINES}",
            None,
            LONG_URI,
            id="data URI in several lines",
        ),
        pytest.param(encoded(WITH_URL_SAFE).rstrip("="), None, URL_SAFE_URI, id="unpadded"),
        pytest.param(URL_SAFE, None, URL_SAFE_URI, id="URL-safe"),
        pytest.param(URL_SAFE.rstrip("="), None, URL_SAFE_URI, id="URL-safe and unpadded"),
        pytest.param(URL_SAFE.encode(), None, URL_SAFE_URI, id="URL-safe as bytes"),
        pytest.param(
            f"data:image/jpeg;base64,{URL_SAFE.rstrip('=')}",
            None,
            URL_SAFE_URI,
            id="data URI, URL-safe and unpadded",
        ),
        pytest.param(
            f"data:image/jpeg;base64,{encoded(JPEG + b'ab').rstrip('=')}",
            None,
            f"data:image/jpeg;base64,{encoded(JPEG + b'ab')}",
            id="data URI, unpadded",
        ),
        pytest.param(
            f"data:image/jpeg;base64,{URL_SAFE.replace('-', '+')}",
            None,
            URL_SAFE_URI,
            id="data URI, URL-safe in one character",
        ),
        pytest.param(
            encoded(SVG).rstrip("="), "image/svg+xml", None, id="unpadded with a declared type"
        ),
        pytest.param(bytearray(PNG), None, PNG_URI, id="bytearray"),
        pytest.param(memoryview(PNG), None, PNG_URI, id="memoryview"),
        pytest.param(bytearray(encoded(PNG).encode()), None, PNG_URI, id="base64 as bytearray"),
        pytest.param("https://host/\na.png", None, None, id="URL in two lines"),
        pytest.param(PNG, None, PNG_URI, id="bytes"),
        pytest.param(
            WEBP, None, f"data:image/webp;base64,{encoded(WEBP)}", id="bytes of another type"
        ),
        pytest.param(
            encoded(SVG),
            "image/svg+xml",
            f"data:image/svg+xml;base64,{encoded(SVG)}",
            id="base64 with a declared type",
        ),
        pytest.param(
            encoded(SVG).encode(),
            "image/svg+xml",
            f"data:image/svg+xml;base64,{encoded(SVG)}",
            id="base64 as bytes, with a declared type",
        ),
        pytest.param(
            b"\xf0\x9f\x98",
            "image/x-icon",
            "data:image/x-icon;base64,8J+Y",
            id="bytes with a declared type",
        ),
        pytest.param(
            "data:image/jpeg;base64,_9j_4A",
            None,
            URI_OF_FOUR,
            id="URL-safe and unpadded, of an odd length",
        ),
        pytest.param("data:image/jpeg;base64,/9j/4A", None, URI_OF_FOUR, id="unpadded"),
        pytest.param(b"\xf0\x9f\x98", None, None, id="bytes of no image"),
        pytest.param(encoded(SVG), None, None, id="base64 of no image"),
        pytest.param(b"data:image/png;base64,\xff", None, None, id="data URI that is not ASCII"),
        pytest.param("data:text/html,hello", None, None, id="data URI of no image"),
        pytest.param("https://", None, None, id="URL without a host"),
        pytest.param("cat.png", None, None, id="path"),
        pytest.param("file:///etc/passwd", "image/png", None, id="file URL"),
        pytest.param("/etc/passwd", "text/plain", None, id="path with a declared type"),
        pytest.param("iVBORw0KGgo!AAAA", None, None, id="invalid base64 character"),
        pytest.param(encoded(PNG) + "!", None, None, id="base64 with an invalid end"),
        pytest.param("東京", "image/png", None, id="not ASCII"),
        pytest.param("", None, None, id="empty"),
        pytest.param("", "image/png", None, id="empty with a declared type"),
        pytest.param("  ", "image/png", None, id="blank"),
        pytest.param(b"", None, None, id="empty bytes"),
        pytest.param(b"", "image/png", None, id="empty bytes with a declared type"),
    ],
)
def test_an_image_field_becomes_a_sendable_value(value, declared, sent):
    """`as_image` turns an image field into a value that can be sent, or into `None`."""
    image = as_image(value, declared=declared)

    assert image == sent
    assert image is None or image_problem(image) is None


@pytest.mark.parametrize("value", ["http://h", "https://h", "HTTPS://h", "hTTp://"])
def test_http_urls_are_recognized(value):
    """A URL is recognized by its scheme, in upper or lower case."""
    assert is_url(value)


@pytest.mark.parametrize("value", ["", "http:/h", "ftp://h", "data:,", " http://h", "httpsx://h"])
def test_other_schemes_are_no_urls(value):
    """Other schemes, and texts before the scheme, are no URL."""
    assert not is_url(value)


NO_HOST = "is an http(s) URL without a host or with spaces in it"
NO_FORM = "is a data URI, but not of the form data:image/...;base64,..."
NO_URL = (
    "is neither an http(s) URL nor a data URI (for a file, pass data_uri(Path(...).read_bytes()))"
)
NO_CONTENT = "is a data URI whose content is not base64"


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("https://host/a?b#c", None),
        ("https://host/東京", None),
        ("http://[::1]/a", None),
        ("http:///a", NO_HOST),
        ("https://", NO_HOST),
        ("https://host/a b", NO_HOST),
        ("https://host/a\n", NO_HOST),
        ("https://host\x00/a", NO_HOST),
        ("https://?query", NO_HOST),
        ("https://#fragment", NO_HOST),
        ("data:image/png;base64,AAAA", None),
        ("DATA:IMAGE/PNG;BASE64,AAAA", None),
        ("data:image/svg+xml;charset=utf-8;base64,AAAA", None),
        ("data:image/png,AAAA", NO_FORM),
        ("data:text/plain;base64,AAAA", NO_FORM),
        ("data:image/;base64,AAAA", NO_FORM),
        ("data:;base64,AAAA", NO_FORM),
        ("data:,AAAA", NO_FORM),
        ("data:image/png;base64,", NO_CONTENT),
        ("data:image/png;base64, \n", NO_CONTENT),
        ("data:image/png;base64,A", NO_CONTENT),
        ("data:image/png;base64,AA", NO_CONTENT),
        ("data:image/png;base64,AA==", None),
        ("data:image/png;base64,AA=A", NO_CONTENT),
        ("data:image/png;base64,A!AA", NO_CONTENT),
        ("data:image/png;base64,东京AA", NO_CONTENT),
        ("data:image/png;base64," + "A" * 4000 + "!" * 4, NO_CONTENT),
        ("data:image/png;base64," + "!" * 4 + "A" * 4000, NO_CONTENT),
        ("data:image/png;base64," + "A" * 4001, NO_CONTENT),
        ("data:image/png;base64", NO_URL),
        ("data:image/png;" + "x" * 300 + ";base64,AAAA", NO_URL),
        ("ftp://host/a", NO_URL),
        ("cat.png", NO_URL),
        ("a cat, asleep", NO_URL),
        ("", NO_URL),
    ],
)
def test_the_problem_of_an_invalid_image(value, problem):
    """`image_problem` returns `None` for a valid image, or one of four problems."""
    assert image_problem(value) == problem


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("https://host/a,b.png", 0),
        ("https://host/a.png", 0),
        (PNG_URI, len(PNG)),
        ("data:image/png;base64,", 0),
        ("cat.png", 0),
    ],
)
def test_the_size_of_an_image(value, size):
    """The size of an image in a data URI is exact except for its padding; a URL has size 0."""
    assert size <= image_size(value) <= size + 2


def as_uri(data, declared):
    """Return a data URI that declares the type `image/` with `declared`."""
    return f"data:image/{declared};base64,{encoded(data)}"


@pytest.mark.parametrize(
    ("value", "media_type"),
    [
        (PNG_URI, "image/png"),
        (as_uri(JPEG, "png"), "image/jpeg"),
        (as_uri(b"II*\0" + bytes(20), "png"), "image/tiff"),
        (as_uri(b"MM\0*" + bytes(20), "png"), "image/tiff"),
        (as_uri(JPEG + bytes(300), "png"), "image/jpeg"),
        (as_uri(JPEG, "png;name=" + "a" * 165), "image/jpeg"),
        (as_uri(SVG, "svg+xml"), "image/svg+xml"),
        (as_uri(SVG, "png"), "image/svg+xml"),
        ("https://host/logo.svgz", "image/svg+xml"),
        (as_uri(b"<?xml version='1.0'?><svg/>", "png"), "image/svg+xml"),
        (as_uri(b"unknown bytes", "X-ICON"), "image/x-icon"),
        ("DATA:IMAGE/AVIF;x=1;base64,AAAA", "image/avif"),
        ("data:;base64,AAAA", None),
        ("https://host/a/logo.SVG?size=2#x", "image/svg+xml"),
        ("https://host/scan.tif", "image/tiff"),
        ("https://host/scan.tiff#page.1", "image/tiff"),
        ("https://host/logo.svg/200px.png", None),
        ("https://host/a?file=logo.svg", None),
        ("https://host.svg", None),
        ("https://host.svg/", None),
        ("https://host/photo", None),
        ("https:///a.svg", None),
    ],
)
def test_the_format_of_an_image(value, media_type):
    """The first bytes decide, then the declared type; of URLs, only unsupported types are known."""
    assert image_format(value) == media_type


PNG_END = b"IEND\xaeB`\x82"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(PNG + PNG_END, True, id="PNG"),
        pytest.param(PNG + PNG_END + bytes(9), True, id="PNG and zeros"),
        pytest.param(PNG + PNG_END[:-1], False, id="cut PNG"),
        pytest.param(JPEG + b"\xff\xd9", True, id="JPEG"),
        pytest.param(JPEG + b"\xff", False, id="cut JPEG"),
        pytest.param(b"GIF89a" + bytes(30) + b";", True, id="GIF"),
        pytest.param(b"GIF89a" + bytes(30), False, id="cut GIF"),
        pytest.param(b"RIFF\x25\0\0\0WEBP" + bytes(33), True, id="WebP"),
        pytest.param(b"RIFF\x25\0\0\0WEBP" + bytes(30), False, id="cut WebP"),
        pytest.param(b"RIFF\x23\0\0\0WEBP" + bytes(31), True, id="WebP, two padded bytes"),
        pytest.param(b"RIFF\x24\1\0\0WEBP" + bytes(288), True, id="long WebP"),
        pytest.param(b"RIFF\x24\0\0\0WEBP" + bytes(36), False, id="WebP with more behind it"),
        pytest.param(b"II*\0" + bytes(30), False, id="unknown end"),
        pytest.param(b"unknown bytes", False, id="unknown format"),
    ],
)
def test_a_cut_image_is_recognized(data, expected):
    """An image is complete if it ends as its format prescribes."""
    assert is_complete(as_uri(data, "png")) is expected
    assert not is_complete("data:;base64,")


def test_formats_that_no_model_takes():
    """SVG and TIFF are the formats that no rerank model takes."""
    assert {"image/svg+xml", "image/tiff"} == UNSUPPORTED_FORMATS


@given(st.binary(min_size=0, max_size=200), st.sampled_from([JPEG, WEBP, b"GIF89a"]))
def test_every_form_of_base64_is_the_same_image(rest, start):
    """Standard and URL-safe base64, padded or not, of the same bytes become the same data URI."""
    data = start + rest
    forms = [
        *[code(data).decode() for code in (base64.b64encode, base64.urlsafe_b64encode)],
        *[bytes(data), bytearray(data), memoryview(data)],
    ]

    found = {as_image(form.rstrip("=") if isinstance(form, str) else form) for form in forms}

    assert found == {as_image(forms[0])} == {data_uri(data)}
