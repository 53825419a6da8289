"""
A cache of vectors on disk, so that a second run need not compute them again.
"""

import hashlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from openrouter_rerank.demo.embedding import VERSION, Matrix


def user_cache_folder() -> Path:
    """Return the folder for this package in the user's cache folder of this operating system."""
    home = Path.home()
    match sys.platform:
        case "win32":
            parent = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
        case "darwin":
            parent = home / "Library" / "Caches"
        case _:
            parent = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(parent) / "openrouter-rerank"


def cached_vectors(texts: Sequence[str], folder: Path, compute: Callable[[], Matrix]) -> Matrix:
    """
    Return the vectors of `texts` from `folder`, or compute and store them.

    If the folder cannot be read or written, the vectors are computed in each run.
    """
    digest = hashlib.sha256(VERSION.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    file = folder / f"{digest.hexdigest()[:32]}.npy"
    # A run that was killed may have left a file that is not an array, or has the wrong shape.
    with suppress(OSError, ValueError, EOFError):
        found: Matrix = np.load(file, allow_pickle=False)
        if found.shape[:1] == (len(texts),):
            return found
    vectors = compute()
    with suppress(OSError):
        _write(file, vectors)
    return vectors


def _write(file: Path, vectors: Matrix) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    # Two runs at the same time must not write to the same file.
    with NamedTemporaryFile(dir=file.parent, suffix=".npy", delete=False) as unfinished:
        np.save(unfinished, vectors)
    Path(unfinished.name).replace(file)
