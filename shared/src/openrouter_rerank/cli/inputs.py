"""
What `rank` reads: lines, text files, JSON lines and images.

Only files that the user has named are read. A file that a document names is not.
"""

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from openrouter_rerank.documents import RerankDocument
from openrouter_rerank.errors import InvalidRequestError
from openrouter_rerank.images import as_image, data_uri, image_type

from .failures import Failure

STDIN = "-"
_STDIN_NAME = "stdin"
# No service takes as much in one call, and some files, such as /dev/zero, never end.
_MOST_BYTES = 256 * 2**20
_JSON_LINES = frozenset({".jsonl", ".ndjson"})
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".avif"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One document, and where it is from."""

    source: str
    """The file, and the number of the line if it is from a line."""
    document: RerankDocument
    fields: Mapping[str, object]
    """What `--json` prints as the document: all keys of a JSON object."""

    @property
    def is_blank(self) -> bool:
        """Return `True` if there is nothing to rank."""
        has_text = self.document.text is not None and bool(self.document.text.strip())
        return not has_text and self.document.image is None


def read_inputs(files: Sequence[str], *, lines: bool, json_lines: bool) -> Iterator[Input]:
    """
    Read the documents of `files`.

    Args:
        files: Their names; `-` is the standard input, which is also read if there are none.
        lines: Each line of a text file is a document, and not the whole file.
        json_lines: Each line of every file is JSON, also where the name does not say so.

    Raises:
        Failure: If a file cannot be read, or is not what its name says.
    """
    for name in files or (STDIN,):
        data, shown = _read(name)
        suffix = Path(name).suffix.lower()
        if json_lines or suffix in _JSON_LINES:
            yield from _of_json_lines(shown, _text(data, shown))
        elif suffix in _IMAGES or image_type(data) is not None:
            yield _of_image(shown, data)
        elif lines or name == STDIN:
            yield from _of_lines(shown, _text(data, shown))
        else:
            text = _text(data, shown)
            yield Input(source=shown, document=RerankDocument(text=text), fields={"text": text})


def _read(name: str) -> tuple[bytes, str]:
    """Return the bytes of a file, and its name for messages."""
    shown = _STDIN_NAME if name == STDIN else name
    if name == STDIN and sys.stdin is None:
        raise Failure("cannot read: the standard input is closed")
    try:
        if name == STDIN:
            data = sys.stdin.buffer.read(_MOST_BYTES + 1)
        else:
            with Path(name).open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise Failure(f"cannot read {name}: {reason or error}") from error
    if len(data) > _MOST_BYTES:
        raise Failure(f"{shown} is larger than {_MOST_BYTES // 2**20} MB: rank a part of it")
    return data, shown


def _text(data: bytes, name: str) -> str:
    if b"\0" in data:
        raise Failure(
            f"{name} is neither a text in UTF-8 nor a PNG, JPEG, GIF or WebP image: convert it, "
            "or leave it out"
        )
    # Bytes that are not UTF-8 are replaced: one of them must not make a list unusable.
    return data.decode("utf-8-sig", "replace")


def _of_image(name: str, data: bytes) -> Input:
    try:
        image = data_uri(data)
    except InvalidRequestError as error:
        raise Failure(
            f"{name} is not a PNG, JPEG, GIF or WebP image: convert it, or leave it out"
        ) from error
    return Input(source=name, document=RerankDocument(image=image), fields={"image": name})


def _of_lines(name: str, text: str) -> Iterator[Input]:
    for source, line in _lines(name, text):
        yield Input(source=source, document=RerankDocument(text=line), fields={"text": line})


def _of_json_lines(name: str, text: str) -> Iterator[Input]:
    for source, line in _lines(name, text):
        try:
            value: object = json.loads(line, parse_constant=_finite, parse_float=_finite)
        except (ValueError, RecursionError) as error:
            raise Failure(f"{source} is not valid JSON: {_reason(error)}") from error
        yield _of_json(source, {"text": value} if isinstance(value, str) else value)


def _of_json(source: str, value: object) -> Input:
    if not _is_object(value):
        raise Failure(f'{source} is neither a JSON object nor a string: write {{"text": ...}}')
    text, image = _string(value, "text", source), _string(value, "image", source)
    if text is None and image is None:
        raise Failure(f'{source} has neither "text" nor "image"')
    if image is not None:
        image = as_image(image)
        if image is None:
            raise Failure(
                f'the "image" of {source} is neither an http(s) URL nor an image in base64: to '
                "rank an image file, name it as one of FILES"
            )
    return Input(source=source, document=RerankDocument(text=text, image=image), fields=value)


def _is_object(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _lines(name: str, text: str) -> Iterator[tuple[str, str]]:
    """Return the lines that are not blank, each with its source."""
    # `splitlines` is not used, because it also splits at characters that are valid in a JSON
    # string.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield f"{name}:{number}", line.removesuffix("\r")


def _string(fields: Mapping[str, object], name: str, source: str) -> str | None:
    value = fields.get(name)
    if value is None or isinstance(value, str):
        return value
    raise Failure(f'the "{name}" of {source} is not a string')


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits[:20]} is not a number of JSON")
    return number


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return error.msg if isinstance(error, json.JSONDecodeError) else str(error)[:100]
