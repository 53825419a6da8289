"""
What can be sent as an image: an http(s) URL, or a base64 data URI. Reads and fetches nothing.

Source: OpenRouter's OpenAPI description of the endpoint, field `image`.
"""

import base64
import binascii
import string
from dataclasses import dataclass

__all__ = ["data_uri"]

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
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
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def data_uri(data: bytes, *, declared: str | None = None) -> str | None:
    """
    Return the bytes of an image as a data URI, or `None` if they are not an image.

    Args:
        data: The bytes of the file.
        declared: The media type to use if the first bytes are of another format. Ignored unless it
            is `image/*`. Default: none.
    """
    kind = image_type(data) or _image_media_type(declared)
    return f"data:{kind};base64,{base64.b64encode(data).decode()}" if data and kind else None


def as_image(value: str | bytes, *, declared: str | None = None) -> str | None:
    """
    Return the content of an image field as it can be sent, or `None` if it is not an image.

    Http(s) URLs and data URIs stay as they are, but without spaces around them and without the line
    breaks of base64. Bytes of an image, and base64 of an image as text or bytes, become a data URI.

    Args:
        value: The content of the field.
        declared: The media type in a field next to it. Used if the first bytes of the image are of
            another format than PNG, JPEG, GIF or WebP. Default: none.
    """
    if isinstance(value, bytes):
        written = as_image(value.decode("ascii"), declared=declared) if value.isascii() else None
        return written or data_uri(value, declared=declared)
    text = value.strip()
    if not is_url(text):
        text = on_one_line(text)
    if is_url(text) or text[:5].lower() == "data:":
        return text if image_problem(text) is None else None
    kind = image_type(_decoded(text[:_SIGNATURE])) or _image_media_type(declared)
    return f"data:{kind};base64,{text}" if kind and _is_base64(text) else None


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
        return "is neither an http(s) URL nor a data URI"
    if _image_media_type(media) is None or "base64" not in parameters:
        return "is a data URI, but not of the form data:image/...;base64,..."
    # Only the ends of the content are checked, because images are large.
    start = len(head) + 1
    ends = value[start : start + _CHECKED_END], value[max(start, len(value) - _CHECKED_END) :]
    if (len(value) - start) % 4 == 0 and all(_decoded(end) for end in ends):
        return None
    return "is a data URI whose content is not base64"


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
