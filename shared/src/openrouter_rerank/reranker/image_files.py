"""Reads images from the one folder that the user has opened for them, `image_root`."""

import errno
import os
import stat
from pathlib import Path

from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.images import LocalImage, uri_of_bytes

from .placement import Unscorable


def read_image(image: LocalImage, root: Path | None, max_bytes: int) -> str | Unscorable:
    """
    Read `image` into a data URI if it is an image file inside `root` after links are resolved.

    Paths come with retrieved documents, so they are hostile input. The file is opened component by
    component without following a link. It must be a regular file with the first bytes of an image.

    Raises:
        ConfigurationError: If `root` is not a folder, for example on another machine.
    """
    if root is None:
        return Unscorable("the image is a local file, and image_root is not set")
    check_root(root)
    try:
        base = root.resolve(strict=True)
        data = _content(base, _inside(base, image.path), max_bytes + 1)
    except (OSError, ValueError, RuntimeError, IndexError, StopIteration) as error:
        raise_if_from_signal(error)
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            return Unscorable(f"the image file cannot be opened: {os.strerror(error.errno)}")
        # A path that does not exist and one outside of `root` get the same reason, so that a
        # document cannot find out which files exist.
        return Unscorable("the image is no readable file inside image_root")
    if len(data) > max_bytes:
        return Unscorable(f"the image is larger than max_image_bytes={max_bytes}")
    return uri_of_bytes(data) or Unscorable("the image file is no PNG, JPEG, GIF or WebP image")


def check_root(root: Path) -> None:
    """
    Check that `root` is a folder.

    Raises:
        ConfigurationError: If it is not. The message names it.
    """
    # `Path.is_dir` raises an error if the folder may not be read.
    if not os.path.isdir(root):  # noqa: PTH112
        raise ConfigurationError(
            f"image_root={str(root)!r:.300} is not a folder: pass the folder that contains the "
            "images"
        )


def _inside(base: Path, path: str) -> tuple[str, ...]:
    # Loaders write paths relative to the working directory, and archives relative to their folder.
    places = (place.resolve() for place in (base / path, Path(path)))
    found = next(place for place in places if place.is_relative_to(base) and place.exists())
    return found.relative_to(base).parts


def _content(base: Path, parts: tuple[str, ...], max_bytes: int) -> bytes:
    if os.open not in os.supports_dir_fd:
        # Windows: there the file is opened by its resolved path.
        return base.joinpath(*parts).open("rb").read(max_bytes)
    # The path was resolved, so a component that is a link now has become one since, and is refused.
    folder = os.open(base, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
            os.close(folder)
            folder = inner
        # Without blocking: opening a named pipe would wait for a writer.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(parts[-1], flags, dir_fd=folder)
    finally:
        os.close(folder)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("not a regular file")
        return file.read(max_bytes)
