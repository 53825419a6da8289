"""Promise: for a document nothing is read but files in `image_root`, and nothing is fetched."""

import base64
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from openrouter_rerank.errors import APIConnectionError, InvalidRequestError
from openrouter_rerank.images import LocalImage
from openrouter_rerank.reranker import LocalImageDocument, Reranker
from openrouter_rerank.reranker.image_files import read_image

from tests.sizes import figure

HOSTILE = figure(desk=1_000, ci=10_000)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


SCRIPT = """
import json
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
watching = False


def watch(event, args):
    if watching and event.split(".")[0] in WATCHED:
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


reranker = Reranker(image_mode="always", api_key="k")
sys.addaudithook(watch)
watching = True
for value in VALUES:
    as_image(value), as_image(value.encode())
    hostile_calls(value)
    reranker.place("q", [LocalImageDocument(image=LocalImage(value))])
watching = False
print(seen)
"""


def test_an_audit_hook_sees_nothing_opened():
    """Checking, arranging, writing and reading hostile documents opens no file and no socket."""
    finished = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False
    )

    assert (finished.stdout, finished.stderr) == ("[]\n", "")


def test_hostile_documents_and_nodes_open_nothing(measured):
    """Ten thousand documents and nodes that name files and hosts are reranked without a look."""
    finished = subprocess.run(
        [sys.executable, "-m", "tests.hostile_documents", str(HOSTILE)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    documents, nodes, heard = finished.stdout.splitlines()

    assert finished.stderr == ""
    assert documents == f"{HOSTILE} documents []"
    assert nodes == f"{HOSTILE} nodes []"
    assert os.devnull in heard
    measured("hostile documents and nodes", 2 * HOSTILE)


@pytest.fixture
def root(tmp_path):
    """A folder with an image in it, one beside it, and ways that lead from one to the other."""
    root = tmp_path / "images"
    (root / "inner").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(PNG)
    (root / "cat.png").write_bytes(PNG)
    (root / "inner" / "dog.png").write_bytes(PNG)
    (root / "text.png").write_text("no image")
    (root / "empty.png").write_bytes(b"")
    (root / "large.png").write_bytes(PNG + bytes(1000))
    (root / "link.png").symlink_to(tmp_path / "secret.png")
    (root / "out").symlink_to(tmp_path)
    (root / "inside.png").symlink_to(root / "cat.png")
    (root / "loop.png").symlink_to(root / "loop.png")
    os.mkfifo(root / "pipe.png")
    return root


def reason(path, root, **options):
    """Why the image at `path` cannot be sent; empty if it is."""
    reranker = Reranker(
        api_key="k",
        base_url="http://127.0.0.1:9",
        image_mode="always",
        image_root=root,
        unscorable="raise",
        max_image_bytes=100,
        max_retries=0,
        **options,
    )
    try:
        reranker.place("q", [LocalImageDocument(image=LocalImage(str(path)))])
    except InvalidRequestError as refused:
        return str(refused)
    except APIConnectionError:  # Nobody listens there, but the image was to be sent
        return ""
    pytest.fail("an answer came from nowhere")


@pytest.mark.parametrize(
    "path", ["cat.png", "inner/dog.png", "inner/../cat.png", "inside.png", "/cat"]
)
def test_images_inside_the_root_are_read(root, path):
    """Relative and absolute paths, and links, that end inside the folder are images."""
    assert reason(root / "cat.png" if path == "/cat" else path, root) == ""


@pytest.mark.parametrize("root_as", [Path, lambda root: Path(root.name)], ids=["full", "relative"])
def test_paths_may_start_where_the_program_does(root, root_as, monkeypatch):
    """A path from the working directory is read if it leads into the folder, and else refused."""
    monkeypatch.chdir(root.parent)

    assert reason("images/cat.png", root_as(root)) == ""
    assert "inside image_root" in reason("secret.png", root_as(root))


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
def test_nothing_outside_the_root_is_read(root, path):
    """Whatever leads out of the folder, or is no regular file, is refused, all with one message."""
    assert reason(path, root).endswith("its image is no readable file inside image_root")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("text.png", "its image file is no PNG, JPEG, GIF or WebP image"),
        ("empty.png", "its image file is no PNG, JPEG, GIF or WebP image"),
        ("large.png", "its image is larger than max_image_bytes=100"),
    ],
)
def test_only_images_are_read(root, path, why):
    """A file that does not begin like an image, or is too large, is not sent."""
    assert reason(path, root).endswith(why)


@pytest.mark.parametrize("path", ["cat.png", "/etc/passwd"])
def test_without_a_root_nothing_is_read(root, path):
    """By default no local image is read, wherever it lies."""
    assert reason(path, None).endswith("image_root is not set")


def test_a_root_that_is_not_there(root):
    """A folder that does not exist holds no image."""
    assert "inside image_root" in reason("cat.png", Path(root / "nowhere"))


SECRET_PNG = PNG + b"the secret"


def turn_file(path, secret):
    """Make a file a link to the secret, and a file again."""
    spare = path.with_name("spare")
    spare.symlink_to(secret)
    spare.replace(path)
    spare.write_bytes(PNG)
    spare.replace(path)


def turn_folder(path, secret):
    """Make a folder a link to that of the secret, and a folder again."""
    folder, spare = path.parent, path.parent.with_name("spare")
    folder.rename(spare)
    folder.symlink_to(secret.parent)
    folder.unlink()
    spare.rename(folder)


@pytest.mark.parametrize("turn", [turn_file, turn_folder])
def test_what_becomes_a_link_meanwhile_is_not_followed(root, tmp_path, turn):
    """While a file or its folder turns into a link to the outside and back, no secret is read."""
    path, secret, stop = root / "inner" / "dog.png", tmp_path / "dog.png", threading.Event()
    secret.write_bytes(SECRET_PNG)

    def turns():
        while not stop.is_set():
            turn(path, secret)

    thread = threading.Thread(target=turns)
    thread.start()
    read, tries, give_up = set(), 0, time.monotonic() + 30
    try:
        # On a busy machine, thousands of reads may fall between two turns of the other thread.
        while tries < 2_000 or (len(read) < 2 and time.monotonic() < give_up):
            read.add(read_image(LocalImage("inner/dog.png"), root, 1000))
            tries += 1
    finally:
        stop.set()
        thread.join()

    images = {base64.b64decode(each.split(",")[1]) for each in read if isinstance(each, str)}
    assert images == {PNG}
    assert len(read) == 2  # It was refused, too, when it lay outside
