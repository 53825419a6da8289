"""
What can be sent as an image: an http(s) URL, or a base64 data URI. Reads and fetches nothing.

Source: OpenRouter's OpenAPI description of the endpoint, field `image`.
"""

import base64
import binascii
import string
from dataclasses import dataclass
from typing import TypeAlias, TypeGuard

from .errors import InvalidRequestError

__all__ = ["data_uri"]

ImageBytes: TypeAlias = bytes | bytearray | memoryview
"""The types that hold the bytes of a file."""

UNSUPPORTED_FORMATS = frozenset({"image/svg+xml", "image/tiff"})
"""Formats that no rerank model takes: one such image would fail the whole call."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
_ENDS = {"image/png": b"IEND\xaeB`\x82", "image/jpeg": b"\xff\xd9", "image/gif": b";"}
# Characters of base64, a multiple of four, that hold the longest of these ends.
_TAIL = 24
# Formats that are recognised only to leave them out.
_OTHER_MAGIC = (
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"<svg", "image/svg+xml"),
    (b"<?xml", "image/svg+xml"),
)
_UNSUPPORTED_SUFFIXES = {
    ".svg": "image/svg+xml",
    ".svgz": "image/svg+xml",
    ".tif": "image/tiff",
    ".tiff": "image/tiff",
}
_ALPHABET = (string.ascii_letters + string.digits + "+/").encode()
# Characters at both ends of a data URI's content that are decoded to check it.
_CHECKED_END = 64
# Characters of base64 for the longest signature above and for that of WebP, which ends at byte 12.
_SIGNATURE = 16


@dataclass(frozen=True, slots=True)
class LocalImage:
    """An image in a file. It is read only if the file is inside `image_root`."""

    path: str


def image_type(data: bytes) -> str | None:
    """Return the media type of PNG, JPEG, GIF or WebP by the first bytes of `data`, or `None`."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    # The next byte is the second one of a marker. A path such as `/9j/cat` has another.
    if data[:3] == b"\xff\xd8\xff" and data[3:4] >= b"\xc0":
        return "image/jpeg"
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def data_uri(data: ImageBytes, *, declared: str | None = None) -> str:
    """
    Return the bytes of an image file as a data URI.

    Args:
        data: The bytes of the file.
        declared: The media type to use if the first bytes are not those of a PNG, JPEG, GIF or WebP
            image. Default: none.

    Raises:
        InvalidRequestError: If `data` is not the bytes of an image. The message says what to pass.
    """
    if not is_bytes(data):
        raise InvalidRequestError(
            f"data_uri takes the bytes of an image file, got an object of type "
            f"{type(data).__name__}: read the file first, Path(...).read_bytes()"
        )
    if not _is_text_or_none(declared):
        raise InvalidRequestError(
            f"declared must be a media type such as 'image/png', or None, got an object of type "
            f"{type(declared).__name__}"
        )
    found = uri_of_bytes(bytes(data), declared=declared)
    if found is None:
        raise InvalidRequestError(
            f"data_uri got {len(bytes(data))} bytes, which are not a PNG, JPEG, GIF or WebP "
            "image: pass the bytes of an image file, or name another format, declared='image/avif'"
        )
    return found


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def is_bytes(value: object) -> TypeGuard[ImageBytes]:
    """Return `True` if `value` is of a type that holds the bytes of a file."""
    return isinstance(value, bytes | bytearray | memoryview)


def uri_of_bytes(data: bytes, *, declared: str | None = None) -> str | None:
    """Return the bytes of an image as a data URI, or `None` if they are not an image."""
    kind = image_type(data) or _image_media_type(declared)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}" if data and kind else None


def as_image(value: str | ImageBytes, *, declared: str | None = None) -> str | None:
    """
    Return the content of an image field as it can be sent, or `None` if it is not an image.

    Http(s) URLs and data URIs stay as they are, but without spaces around them and without the line
    breaks of base64. Bytes of an image, and base64 of an image as text or bytes, become a data URI.
    Base64 may be unpadded, and of the URL-safe kind.

    Args:
        value: The content of the field.
        declared: The media type in a field next to it. Used if the first bytes of the image are of
            another format than PNG, JPEG, GIF or WebP. Default: none.
    """
    if not isinstance(value, str):
        data = bytes(value)
        written = as_image(data.decode("ascii"), declared=declared) if data.isascii() else None
        return written or uri_of_bytes(data, declared=declared)
    text = value.strip()
    if is_url(text):
        return text if image_problem(text) is None else None
    text = on_one_line(text)
    if text[:5].lower() == "data:":
        # Without `partition`, which would copy the image.
        start = text.find(",") + 1
        if (len(text) - start) % 4 or text.find("-", start) > 0 or text.find("_", start) > 0:
            text = text[:start] + _standard_base64(text[start:])
        return text if image_problem(text) is None else None
    kind = image_type(_decoded(_standard_base64(text[:_SIGNATURE])))
    if kind is not None:
        text = _standard_base64(text)
    else:
        # Without known first bytes, a text in another form of base64 is more likely a name.
        kind = _image_media_type(declared)
    return f"data:{kind};base64,{text}" if kind and _is_base64(text) else None


def _standard_base64(text: str) -> str:
    """Return base64 in the standard alphabet and with padding (RFC 4648, sections 4 and 5)."""
    for mark, standard in (("-", "+"), ("_", "/")):
        text = text.replace(mark, standard) if mark in text else text
    missing = -len(text) % 4
    return text + "=" * missing if missing else text


def on_one_line(text: str) -> str:
    """Return `text` without the line breaks that encoders put into base64."""
    # Most texts have none, and a search is faster than a replacement.
    for mark in ("\r", "\n"):
        text = text.replace(mark, "") if mark in text else text
    return text


def is_url(value: str) -> bool:
    """Return `True` if `value` begins with `http://` or `https://`, in any case."""
    return value[:7].lower() == "http://" or value[:8].lower() == "https://"


def image_problem(value: str) -> str | None:
    """Return why `value` cannot be sent as `image`, or `None` if it can be sent."""
    if is_url(value):
        begins_with_host = value.partition("://")[2][:1] not in {"", "/", "?", "#"}
        clean = value.isprintable() and " " not in value
        return (
            None
            if begins_with_host and clean
            else "is an http(s) URL without a host or with spaces in it"
        )
    head, comma, _ = value[:200].partition(",")
    media, *parameters = head[5:].lower().split(";")
    if value[:5].lower() != "data:" or not comma:
        return (
            "is neither an http(s) URL nor a data URI (for a file, pass "
            "data_uri(Path(...).read_bytes()))"
        )
    if _image_media_type(media) is None or "base64" not in parameters:
        return "is a data URI, but not of the form data:image/...;base64,..."
    # Only the ends of the content are checked, because images are large.
    start = len(head) + 1
    ends = value[start : start + _CHECKED_END], value[max(start, len(value) - _CHECKED_END) :]
    if (len(value) - start) % 4 == 0 and all(_decoded(end) for end in ends):
        return None
    return "is a data URI whose content is not base64"


def image_format(value: str) -> str | None:
    """
    Return the media type of an image that can be sent, or `None` if it is not known.

    Of a data URI, it is the type of the first bytes, or else the declared type. A URL has a type
    only if its path ends like a file of an unsupported format.
    """
    if is_url(value):
        host, _, path = value.partition("://")[2].partition("?")[0].partition("/")
        name = path.partition("#")[0].lower()
        return _UNSUPPORTED_SUFFIXES.get(name[name.rfind(".") :]) if host else None
    head, _, start = value[: 200 + _SIGNATURE].partition(",")
    data = _decoded(start[:_SIGNATURE])
    other = next((kind for magic, kind in _OTHER_MAGIC if data.startswith(magic)), None)
    return image_type(data) or other or head[5:].partition(";")[0].strip().lower() or None


def is_complete(value: str) -> bool:
    """Return `True` if the image in a data URI ends as its format prescribes: it was not cut."""
    kind = image_format(value)
    if kind == "image/webp":
        start = value.index(",") + 1
        written = int.from_bytes(_decoded(value[start : start + _SIGNATURE])[4:8], "little") + 8
        return written <= image_size(value) <= written + 2
    end = _ENDS.get(kind or "")
    return end is not None and _decoded(value[-_TAIL:]).rstrip(b"\0").endswith(end)


def image_size(value: str) -> int:
    """Return the number of bytes of the image in a data URI, and 0 for a URL."""
    # Without `partition`, which would copy the image.
    return 0 if is_url(value) or "," not in value else (len(value) - value.index(",") - 1) * 3 // 4


def _image_media_type(declared: str | None) -> str | None:
    media = (declared or "").strip().lower()
    subtype = media.removeprefix("image/")
    known = media != subtype and subtype.replace("+", "").replace("-", "").replace(".", "")
    return media if known and known.isascii() and known.isalnum() else None


def _is_base64(text: str) -> bool:
    """Return `True` if `text` is valid base64, in a seventh of the time that decoding takes."""
    end = text[-4:]
    is_regular = (
        len(text) % 4 == 0
        and text.isascii()
        and bool(_decoded(end))
        and len(text.encode().translate(None, _ALPHABET)) == end.count("=")
    )
    # Some versions of Python decode texts with too much padding, even in strict mode. Decoding the
    # rest accepts the same texts as they do.
    return is_regular or bool(_decoded(text))


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        return b""
