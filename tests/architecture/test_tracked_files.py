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
    """The files of the last commit and of the next."""
    git = shutil.which("git")
    if not git or not (ROOT / ".git").exists():
        pytest.skip("a source archive does not say which of its files are tracked")
    names = subprocess.run(
        [git, "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True
    ).stdout
    return [ROOT / name for name in names.decode().split("\0") if name and (ROOT / name).exists()]


def private_places() -> list[str]:
    """Where this checkout is, whose it is, and the addresses that this machine installs from."""
    pip = [sys.executable, "-m", "pip", "config", "list"]
    settings = subprocess.run(pip, capture_output=True, check=True, text=True).stdout
    addresses = [address.rstrip("/") for address in ADDRESS.findall(settings)]
    return [f"{ROOT}/", f"{Path.home()}/", *addresses]


def test_no_tracked_file_names_this_machine(tracked):
    """Nothing committed tells where it was written or where its packages came from."""
    places = [place.encode() for place in private_places()]
    found = [
        f"{file.relative_to(ROOT)}: {place.decode()}"
        for file in tracked
        for content in [file.read_bytes()]
        for place in places
        if place in content
    ]

    assert found == []
