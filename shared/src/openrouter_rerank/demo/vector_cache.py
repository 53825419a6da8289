"""
Vectors on disk, so that a second run need not work them out again.
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


def user_cache() -> Path:
    """Tell the folder in which this system keeps what can be made again."""
    home = Path.home()
    match sys.platform:
        case "win32":
            place = os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local"
        case "darwin":
            place = home / "Library" / "Caches"
        case _:
            place = os.environ.get("XDG_CACHE_HOME") or home / ".cache"
    return Path(place) / "openrouter-rerank"


def cached(texts: Sequence[str], folder: Path, compute: Callable[[], Matrix]) -> Matrix:
    """
    Return the vectors of `texts` from `folder`, or compute and keep them.

    A cache that cannot be read or written only costs time.
    """
    digest = hashlib.sha256(VERSION.encode())
    for text in texts:
        digest.update(hashlib.sha256(text.encode()).digest())
    file = folder / f"{digest.hexdigest()[:32]}.npy"
    # What a run that was killed has left behind is no array, or one of another shape.
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
    # Two runs at once must not write into one file.
    with NamedTemporaryFile(dir=file.parent, suffix=".npy", delete=False) as unfinished:
        np.save(unfinished, vectors)
    Path(unfinished.name).replace(file)
