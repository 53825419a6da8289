"""Reads images from the one folder that the user has opened for them, `image_root`."""

import errno
import ntpath
import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.images import LocalImage, uri_of_bytes

from .placement import Unscorable

# On Windows, these names mean devices in every folder, with any ending.
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)\s*(?:\.|$)", re.IGNORECASE
)


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
        data = _content(base, _inside(root, base, image.path), max_bytes + 1)
    except (OSError, ValueError, RuntimeError, IndexError) as error:
        raise_if_from_signal(error)
        if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
            return Unscorable(f"the image file cannot be opened: {os.strerror(error.errno)}")
        # A path that does not exist and one outside of `root` get the same reason, so that a
        # document cannot find out which files exist.
        return Unscorable("the image is not a readable file inside image_root")
    if len(data) > max_bytes:
        return Unscorable(f"the image is larger than max_image_bytes={max_bytes}")
    return uri_of_bytes(data) or Unscorable("the image file is not a PNG, JPEG, GIF or WebP image")


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


def places_inside(
    folders: Sequence[str], path: str, *, working_directory: str, system: ModuleType = os.path
) -> list[str]:
    """
    Return the places that `path` may mean and that are in one of `folders` by their form.

    No file system is asked: even a question about a file on a network drive, or about a folder that
    is mounted when it is needed, would reach another host.

    Args:
        folders: Absolute paths of one folder, with and without links.
        path: The hostile path. Archives have paths that are relative to their folder, and loaders
            write paths that are relative to the working directory.
        working_directory: An absolute path.
        system: The rules for paths: `posixpath` or `ntpath`.
    """
    if "\0" in path:
        return []
    starts = (*folders, working_directory)
    places = dict.fromkeys(system.normpath(system.join(start, path)) for start in starts)
    inner = [system.normcase(system.join(folder, "")) for folder in folders]
    return [
        place
        for place in places
        if system.normcase(place).startswith(tuple(inner))
        and not (system is ntpath and _names_device(place))
    ]


def _names_device(place: str) -> bool:
    """Return `True` if Windows reads a part of `place` as a device, or as a stream of a file."""
    parts = ntpath.splitdrive(place)[1].split("\\")
    return any(":" in part or _DEVICE.match(part) for part in parts)


def _inside(root: Path, base: Path, path: str) -> tuple[str, ...]:
    here = os.path.abspath(os.curdir)  # noqa: PTH100 - `Path.absolute` keeps `..`
    folders = (os.path.abspath(root), str(base))  # noqa: PTH100
    for place in places_inside(folders, path, working_directory=here):
        found = Path(place).resolve()
        if found.is_relative_to(base) and found.exists():
            return found.relative_to(base).parts
    raise FileNotFoundError


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
