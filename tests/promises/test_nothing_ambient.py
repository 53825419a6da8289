"""Promise: documents cause no file to be read outside `image_root`, and no URL to be fetched."""

import base64
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from openrouter_rerank.errors import (
    APIConnectionError,
    ConfigurationError,
    InvalidRequestError,
)
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import LocalImageDocument, Reranker
from openrouter_rerank.reranker.image_files import read_image

from tests.repetitions import repetitions

COUNT = repetitions(local=1_000, ci=10_000)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


SCRIPT = """
import json
import logging
import sys

from openrouter_rerank._attempt import Response
from openrouter_rerank._wire.request import encode
from openrouter_rerank._wire.response import decode
from openrouter_rerank.documents import checked_documents
from openrouter_rerank.errors import OpenRouterRerankError
from openrouter_rerank.images import LocalImage, as_image
from openrouter_rerank.reranker import LocalImageDocument, Reranker

VALUES = [
    "/etc/passwd", "file:///etc/passwd", "~/.ssh/id_rsa", "../secret.png", "C:\\\\a.png", "|id",
    "http://169.254.169.254/latest", "https://host/a.png", "data:image/png;base64,AAAA",
    "\\\\\\\\host\\\\share", "ftp://host/a", "gopher://h", "\\x00", "a" * 10000,
]
WATCHED = {"open", "os", "socket", "subprocess", "urllib", "http", "ftplib", "glob", "shutil"}
seen = []
recording = False


def record(event, args):
    if recording and event.split(".")[0] in WATCHED:
        seen.append((event, args))


def hostile_calls(value):
    for document in (value, {"text": value}, {"image": value}, {"text": "a", "image": value}):
        try:
            request = encode("m", value, checked_documents([document]))
        except OpenRouterRerankError:
            continue
        row = {"index": 0, "relevance_score": 1, "document": {"image": value}}
        body = json.dumps({"results": [row]}).encode()
        decode(Response(status=200, headers={}, body=body), request)


# The warnings of a reranker go to standard error.
logging.disable()
reranker = Reranker(image_mode="always", api_key="k")
sys.addaudithook(record)
recording = True
for value in VALUES:
    as_image(value), as_image(value.encode())
    hostile_calls(value)
    reranker.place("q", [LocalImageDocument(image=LocalImage(value))])
recording = False
print(seen)
"""


def test_hostile_documents_open_no_file_and_no_socket():
    """Checking, encoding and decoding hostile documents opens no file and no socket."""
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )

    assert (finished.stdout, finished.stderr) == ("[]\n", "")


def test_hostile_documents_and_nodes_of_the_frameworks_open_nothing(record_measurement):
    """Reranking documents and nodes that name files and hosts opens none of these."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.hostile_documents", str(COUNT)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    documents, nodes, expected_event = finished.stdout.splitlines()

    assert finished.stderr == ""
    assert documents == f"{COUNT} documents []"
    assert nodes == f"{COUNT} nodes []"
    assert os.devnull in expected_event
    record_measurement("hostile documents and nodes", 2 * COUNT)


@pytest.fixture
def image_root(tmp_path):
    """A folder with images, other files, and links to a folder and to an image outside it."""
    image_root = tmp_path / "images"
    (image_root / "inner").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(PNG)
    (image_root / "cat.png").write_bytes(PNG)
    (image_root / "inner" / "dog.png").write_bytes(PNG)
    (image_root / "text.png").write_text("no image")
    (image_root / "empty.png").write_bytes(b"")
    (image_root / "large.png").write_bytes(PNG + bytes(1000))
    (image_root / "link.png").symlink_to(tmp_path / "secret.png")
    (image_root / "out").symlink_to(tmp_path)
    (image_root / "inside.png").symlink_to(image_root / "cat.png")
    (image_root / "loop.png").symlink_to(image_root / "loop.png")
    os.mkfifo(image_root / "pipe.png")
    return image_root


def refusal(path, image_root, **options):
    """Return the error message for the image at `path`, or an empty text if it is sent."""
    reranker = Reranker(
        api_key="k",
        base_url="http://127.0.0.1:9",
        image_mode="always",
        image_root=image_root,
        unscorable="raise",
        max_image_bytes=100,
        max_retries=0,
        **options,
    )
    try:
        reranker.place("q", [LocalImageDocument(image=LocalImage(str(path)))])
    except InvalidRequestError as refused:
        return str(refused)
    except APIConnectionError:  # No server listens there, but the image would have been sent
        return ""
    pytest.fail("a call without a server returned a ranking")


@pytest.mark.parametrize(
    "path", ["cat.png", "inner/dog.png", "inner/../cat.png", "inside.png", "/cat"]
)
def test_images_inside_image_root_are_read(image_root, path):
    """Relative paths, absolute paths and links to an image inside the folder are read."""
    assert refusal(image_root / "cat.png" if path == "/cat" else path, image_root) == ""


@pytest.mark.parametrize(
    "as_option", [Path, lambda image_root: Path(image_root.name)], ids=["absolute", "relative"]
)
def test_relative_paths_start_at_the_working_directory_or_image_root(
    image_root, as_option, monkeypatch
):
    """A path relative to the working directory is read only if it leads into the folder."""
    monkeypatch.chdir(image_root.parent)

    assert refusal("images/cat.png", as_option(image_root)) == ""
    assert "inside image_root" in refusal("secret.png", as_option(image_root))


@pytest.mark.parametrize(
    "path",
    [
        "../secret.png",
        "inner/../../secret.png",
        "link.png",
        "out/secret.png",
        "out/images/../secret.png",
        "loop.png",
        "missing.png",
        "inner",
        ".",
        "",
        "pipe.png",
        "/etc/passwd",
        "/dev/zero",
        "/proc/self/environ",
        "file:///etc/passwd",
        "cat.png/x",
        "\x00",
        "a" * 5000,
        "\ud800",
    ],
    ids=ascii,
)
def test_nothing_outside_image_root_is_read(image_root, path):
    """Paths out of the folder and paths to no regular file are refused with one message."""
    assert refusal(path, image_root).endswith("the image is not a readable file inside image_root")


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("text.png", "the image file is not a PNG, JPEG, GIF or WebP image"),
        ("empty.png", "the image file is not a PNG, JPEG, GIF or WebP image"),
        ("large.png", "the image is larger than max_image_bytes=100"),
    ],
)
def test_only_small_image_files_are_sent(image_root, path, reason):
    """A file without an image signature, or with too many bytes, is not sent."""
    assert refusal(path, image_root).endswith(reason)


@pytest.mark.parametrize("path", ["cat.png", "/etc/passwd"])
def test_nothing_is_read_without_image_root(image_root, path):
    """By default no local image is read."""
    assert refusal(path, None).endswith("image_root is not set")


@pytest.mark.parametrize("name", ["nowhere", "cat.png"])
def test_an_image_root_that_is_no_folder_is_refused(image_root, name):
    """A reranker whose folder does not exist is refused, and the error names the folder."""
    with pytest.raises(ConfigurationError, match=f"^image_root='.*{name}' is not a folder: pass "):
        refusal("cat.png", image_root / name)


OUTSIDE_PNG = PNG + b"the secret"


def swap_file_for_link(path, secret):
    """Replace a file with a link to the secret file, and then restore it."""
    other = path.with_name("spare")
    other.symlink_to(secret)
    other.replace(path)
    other.write_bytes(PNG)
    other.replace(path)


def swap_folder_for_link(path, secret):
    """Replace a folder with a link to the folder of the secret file, and then restore it."""
    folder, other = path.parent, path.parent.with_name("spare")
    folder.rename(other)
    folder.symlink_to(secret.parent)
    folder.unlink()
    other.rename(folder)


@pytest.mark.parametrize("swap", [swap_file_for_link, swap_folder_for_link])
def test_a_file_that_becomes_a_link_while_it_is_read(image_root, tmp_path, swap):
    """While a file or its folder is replaced with a link again and again, no secret is read."""
    path, secret, stop = image_root / "inner" / "dog.png", tmp_path / "dog.png", threading.Event()
    secret.write_bytes(OUTSIDE_PNG)

    def keep_swapping():
        while not stop.is_set():
            swap(path, secret)

    thread = threading.Thread(target=keep_swapping)
    thread.start()
    read, count, give_up = set(), 0, time.monotonic() + 30
    try:
        # On a busy machine, the other thread may not run during thousands of reads.
        while count < 2_000 or (len(read) < 2 and time.monotonic() < give_up):
            read.add(read_image(LocalImage("inner/dog.png"), image_root, 1000))
            count += 1
    finally:
        stop.set()
        thread.join()

    images = {base64.b64decode(uri.split(",")[1]) for uri in read if isinstance(uri, str)}
    assert images == {PNG}
    assert len(read) == 2  # The image, and the refusal of the link
