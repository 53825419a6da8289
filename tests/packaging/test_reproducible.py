"""Anyone can build the published archives again, byte for byte."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.wheels

ROOT = Path(__file__).parents[2]
FOLDERS = [
    "shared",
    "packages/langchain_openrouter_rerank",
    "packages/llamaindex_openrouter_rerank",
]


def built(source: Path, *, umask: int) -> dict[str, str]:
    """Build a copy of the sources. Return the names of the archives and their hashes."""
    dist = source / "dist"
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, source],
        env=os.environ | {"SOURCE_DATE_EPOCH": "1767225600"},
        umask=umask,
        check=True,
        capture_output=True,
    )
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in dist.iterdir()}


@pytest.mark.parametrize("folder", FOLDERS)
def test_two_builds_have_equal_hashes(tmp_path, folder):
    """The folder, the times of the files and the umask do not change the hash of an archive."""
    archives = []
    for name, umask in (("a", 0o022), ("another folder", 0o077)):
        source = tmp_path / name / "source"
        shutil.copytree(ROOT / folder, source, ignore=shutil.ignore_patterns("__pycache__"))
        for file in source.rglob("*"):
            os.utime(file, times=(umask * 1e7, umask * 1e7))
        archives.append(built(source, umask=umask))

    assert archives[0] == archives[1]
    assert [name.endswith(".whl") for name in sorted(archives[0])] == [True, False]
