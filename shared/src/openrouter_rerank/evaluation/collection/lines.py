"""
The lines of a text file, and the JSON objects in them.

Files may be compressed with gzip, start with a byte order mark and have Windows line ends. All that
is wrong with a file becomes a `CollectionError` that names the file and the line.
"""

import gzip
import json
import math
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from openrouter_rerank.errors import shown_value

from .errors import CollectionError, shown_path
from .fields import is_object

LONGEST_LINE = 50_000_000
"""Bytes of a line. A question with 1,000 candidates of 10 pages each has fewer."""

_GZIP = b"\x1f\x8b"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_MOST_DIGITS = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a file, without its line end."""

    path: Path
    number: int
    text: str
    part: str = ""
    """The part of the line that is read, for messages."""

    def at(self, part: str) -> "Line":
        """Return the line with the name of a part that errors are about."""
        return replace(self, part=part)

    def error(self, problem: str) -> CollectionError:
        """Return the error that says what is wrong with this line."""
        part = f", {self.part}" if self.part else ""
        return CollectionError(f"{shown_path(self.path)}, line {self.number}{part}: {problem}")


def checked_path(name: str, value: object) -> Path:
    """
    Return the path that a user passed.

    Raises:
        CollectionError: If it is not a path.
    """
    try:
        path = os.fspath(value)  # type: ignore[call-overload]  # TypeError if not a path
    except Exception:  # noqa: BLE001 - `__fspath__` of a user's object may raise any exception
        path = None
    if not isinstance(path, str) or not path.strip():
        raise CollectionError(
            f"{name} must be a path, as a string or a pathlib.Path, got {shown_value(value)}"
        )
    return Path(str.__str__(path))


def unreadable(path: Path, error: Exception) -> CollectionError:
    """Return the error of a file or folder that cannot be opened or read."""
    known: dict[type[Exception], str] = {
        FileNotFoundError: "there is no such file or folder: check the path",
        NotADirectoryError: "this is not a folder: check the path",
        IsADirectoryError: "this is a folder: give the path of a file",
        PermissionError: "permission denied: make it readable for your user",
        gzip.BadGzipFile: "the gzip data is damaged: compress the file again",
        EOFError: "the gzip data ends too early: compress the file again",
        zlib.error: "the gzip data is damaged: compress the file again",
    }
    reason = getattr(error, "strerror", None) or type(error).__name__
    problem = known.get(type(error), f"it cannot be read ({reason}): check the path")
    return CollectionError(f"{shown_path(path)}: {problem}")


def lines(path: Path) -> Iterator[Line]:
    """
    Yield the lines of a file that are not blank.

    Raises:
        CollectionError: If the file cannot be read, or a line is too long or not UTF-8.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            if path.is_dir():
                raise IsADirectoryError
            # Reading a pipe or a device may never end.
            raise CollectionError(
                f"{shown_path(path)}: this is a pipe or a device: save its content in a file first"
            )
        with path.open("rb") as raw:
            compressed = raw.peek(2)[:2] == _GZIP
            with closing(gzip.GzipFile(fileobj=raw) if compressed else raw) as file:
                yield from _lines(path, file)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        if isinstance(error, CollectionError):
            raise
        raise unreadable(path, error) from error


def json_objects(path: Path) -> Iterator[tuple[Line, dict[str, object]]]:
    """
    Yield each line of a file with the JSON object in it.

    Raises:
        CollectionError: If the file cannot be read, or a line is not a JSON object.
    """
    for line in lines(path):
        try:
            value: object = json.loads(line.text, parse_int=_whole_number)
        except json.JSONDecodeError as error:
            raise line.error(
                f"not valid JSON ({error.msg}, column {error.colno}); "
                "the file must have one JSON object in each line"
            ) from error
        except RecursionError as error:
            raise line.error("the JSON is nested too deeply") from error
        if not is_object(value):
            raise line.error(f"must be a JSON object, got {shown_value(type(value).__name__)}")
        yield line, value


def _lines(path: Path, file: "BinaryIO | gzip.GzipFile") -> Iterator[Line]:
    number = 0
    while data := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(data) > LONGEST_LINE:
            problem = f"longer than {LONGEST_LINE // 10**6} MB; is this the right file?"
            raise Line(path, number, "").error(problem)
        if number == 1:
            data = data.removeprefix(_BYTE_ORDER_MARK)
        text = _text(path, number, data)
        if text.strip():
            yield Line(path, number, text)


def _text(path: Path, number: int, data: bytes) -> str:
    line = Line(path, number, "")
    if b"\0" in data or (number == 1 and data.startswith(_UTF_16)):
        raise line.error("contains null bytes or is UTF-16: save the file as UTF-8 text")
    try:
        return data.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise line.error(f"byte {error.start + 1} is not UTF-8: save the file as UTF-8") from error


def _whole_number(digits: str) -> float:
    """Return a whole number of a JSON text, or infinity if it has many digits."""
    # Python refuses to read a number of thousands of digits.
    return int(digits) if len(digits) <= _MOST_DIGITS else math.inf
