"""Which paths of images are looked at: those that are inside `image_root` by their form."""

import ntpath
import os
import posixpath
from pathlib import Path

import pytest
from openrouter_rerank import ConfigurationError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import Reranker
from openrouter_rerank.reranker.image_files import places_inside, read_image

# What asks a file system about a path that it is given.
CALLS = ("access", "lstat", "listdir", "open", "readlink", "scandir", "stat")
OUTSIDE = [
    "/net/host/photo.png",
    "//host/share/photo.png",
    "///net/host/photo.png",
    "../../../../../../net/host/photo.png",
    "a/../../../../../../../net/host/photo.png",
    "/net/../net/host/photo.png",
    "/net/host/\0.png",
    "\0/net/host/photo.png",
]
WINDOWS = [r"C:\data\images", r"D:\images"]
WINDOWS_OUTSIDE = [
    r"\\host\share\photo.png",
    "//host/share/photo.png",
    r"\\host\share\..\photo.png",
    r"\\?\C:\data\images\photo.png",
    r"\\.\pipe\photo.png",
    r"\\?\UNC\host\share\photo.png",
    r"E:\photo.png",
    "E:photo.png",
    r"\photo.png",
    r"..\photo.png",
    r"C:\data\images\..\photo.png",
    r"C:\data\images-of-others\photo.png",
    "CON",
    "con.png",
    r"inner\NUL .png",
    "com1.png",
    r"lpt9\photo.png",
    "photo.png:stream",
    "photo\0.png",
]
WINDOWS_INSIDE = {
    "photo.png": r"C:\data\images\photo.png",
    "inner/console.png": r"C:\data\images\inner\console.png",
    r"c:/DATA/images\photo.png": r"c:\DATA\images\photo.png",
    r"D:\images\photo.png": r"D:\images\photo.png",
    r"a\..\photo.png": r"C:\data\images\photo.png",
}


@pytest.mark.parametrize("path", OUTSIDE)
def test_the_system_is_not_asked_about_a_path_outside(tmp_path, monkeypatch, path):
    """A path that is outside by its form is refused, and no call of the system gets it."""
    asked = []

    def recorded(name):
        call = getattr(os, name)

        def record(given, *others, **keywords):
            asked.append(str(given))
            return call(given, *others, **keywords)

        return record

    for name in CALLS:
        monkeypatch.setattr(os, name, recorded(name))
    result = read_image(LocalImage(path), tmp_path, 1000)

    assert result.reason == "the image is not a readable file inside image_root"
    assert asked != []
    assert [each for each in asked if "net" in Path(each).parts or "host" in each] == []


@pytest.mark.parametrize("path", WINDOWS_OUTSIDE)
def test_paths_of_windows_that_are_outside_by_their_form(path):
    """A path to another host, drive or folder, to a device or to a stream of a file is refused."""
    found = places_inside(WINDOWS, path, working_directory=r"C:\work", system=ntpath)

    assert found == []


@pytest.mark.parametrize(("path", "place"), WINDOWS_INSIDE.items())
def test_paths_of_windows_that_are_inside(path, place):
    """Paths relative to the folder, and paths in it, are accepted in upper and lower case."""
    found = places_inside(WINDOWS, path, working_directory=r"C:\work", system=ntpath)

    assert found[0] == place


def test_paths_may_be_relative_to_the_working_directory():
    """A path relative to the working directory is accepted if it leads into the folder."""
    folders = ["/data/images", "/mnt/images"]

    def found(path):
        return places_inside(folders, path, working_directory="/data/work", system=posixpath)

    assert found("../images/a.png") == ["/data/images/a.png", "/mnt/images/a.png"]
    assert found("a.png") == ["/data/images/a.png", "/mnt/images/a.png"]
    assert found("../../mnt/images/a.png") == ["/mnt/images/a.png"]
    assert found("con.png")[0] == "/data/images/con.png"
    assert found("/data/images2/a.png") == found("/data/images") == found("") == []


def test_a_path_is_relative_to_the_folder_or_to_the_working_directory(tmp_path, monkeypatch):
    """Both are read, also if `image_root` is relative, or is reached through a link."""
    image = b"\x89PNG\r\n\x1a\n"
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(image)
    (tmp_path / "linked").symlink_to(tmp_path / "images")
    monkeypatch.chdir(tmp_path)

    for root in ("images", "linked", tmp_path / "linked", tmp_path / "images" / ".." / "images"):
        for path in ("a.png", "linked/a.png", "images/a.png", str(tmp_path / "images" / "a.png")):
            if path == "linked/a.png" and "linked" not in str(root):
                continue
            assert str(read_image(LocalImage(path), Path(root), 1000)).startswith("data:image/png")


class Unreadable(str):
    """A path whose methods fail."""

    __slots__ = ()

    def __fspath__(self):
        """Fail."""
        raise ZeroDivisionError

    __str__ = __repr__ = __len__ = __fspath__


def test_a_folder_of_another_type_is_refused(tmp_path):
    """A folder that fails to be read, or is none, is a typed error, also when it is assigned."""
    reranker = Reranker(image_root=tmp_path)

    for wrong in (b"images", ["images"], 5, "\0", "no folder", Unreadable("x")):
        with pytest.raises(ConfigurationError, match="image_root"):
            Reranker(image_root=wrong)
        with pytest.raises(ConfigurationError, match="image_root"):
            reranker.image_root = wrong
    assert reranker.image_root == tmp_path
