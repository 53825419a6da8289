import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADDRESS = re.compile(r"[a-z]+://(?:[^@/\s]*@)?([^\s'\",]+)")


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The files that git tracks."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("a source archive has no list of tracked files")
    names = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [ROOT / name for name in names.decode().split("\0") if name and (ROOT / name).exists()]


def private_texts() -> list[str]:
    """Return the folders of this checkout and user, and the addresses that pip installs from."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(pip, capture_output=True, check=True, text=True).stdout
    addresses = [address.rstrip("/") for address in ADDRESS.findall(settings)]
    return [f"{ROOT}/", f"{Path.home()}/", *addresses]


def test_no_tracked_file_contains_private_texts(tracked):
    """No tracked file contains a folder of this machine, or an address that pip uses here."""
    private = [text.encode() for text in private_texts()]
    found = [
        f"{file.relative_to(ROOT)}: {text.decode()}"
        for file in tracked
        for content in [file.read_bytes()]
        for text in private
        if text in content
    ]

    assert found == []
