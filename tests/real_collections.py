"""
Larger collections, if an environment variable names a folder that has them.

They are under licences of others, so they are not a part of the project.
"""

import os
import tarfile
from pathlib import Path

import pytest

TEST_DATA = "OPENROUTER_RERANK_TEST_DATA"
"""The variable. The folder has `scifact-mini.tar.gz` and `xquad.tar.gz`."""


def unpacked(name, folder):
    """Unpack `NAME.tar.gz` of the test data to a folder. Skip the test if it is not there."""
    archive = Path(os.environ.get(TEST_DATA) or ".") / f"{name}.tar.gz"
    if TEST_DATA not in os.environ:
        pytest.skip(f"{TEST_DATA} names no folder with {archive.name}")
    if not archive.is_file():
        pytest.skip(f"the folder that {TEST_DATA} names has no {archive.name}")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder / name
