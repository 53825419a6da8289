"""
A cache of vectors on disk, so that a later run need not compute them again.
"""

import hashlib
import os
import sys
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from openrouter_rerank.demo.embedding import SIZE, Vector

_DIGEST_SIZE = 16
_ROW = np.dtype([("text", f"V{_DIGEST_SIZE}"), ("vector", np.float32, (SIZE,))])


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


class VectorCache:
    """
    The vectors of texts, by the digest of the text, in one file for each version of the vectors.

    A damaged file is replaced. If the folder cannot be read or written, each run computes the
    vectors again. Several threads may share one cache.

    Args:
        folder: Where the file is. It is created if necessary.
        version: Vectors of different versions are not comparable.
    """

    def __init__(self, folder: Path, version: str) -> None:
        name = hashlib.sha256(version.encode()).hexdigest()[:32]
        self._file = folder / f"{name}.npy"
        self._vectors: dict[bytes, Vector] = {}
        # A run that was killed may have left a file that is damaged.
        with suppress(OSError, ValueError, EOFError, MemoryError):
            rows = np.load(self._file, allow_pickle=False)
            if rows.dtype == _ROW and _are_vectors(rows["vector"]):
                self._vectors.update(zip(rows["text"].tolist(), rows["vector"], strict=True))
        self._stored = len(self._vectors)

    def __contains__(self, text: str) -> bool:
        return _digest(text) in self._vectors

    def __getitem__(self, text: str) -> Vector:
        return self._vectors[_digest(text)]

    def add(self, text: str, vector: Vector) -> None:
        """Remember the vector of `text`."""
        self._vectors[_digest(text)] = vector

    def save(self) -> None:
        """Write the vectors to the file, if there are new ones."""
        if len(self._vectors) == self._stored:
            return
        rows = np.array([*self._vectors.items()], dtype=_ROW)
        with suppress(OSError):
            self._write(rows)
            self._stored = len(rows)

    def _write(self, rows: np.ndarray) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        # Two runs at the same time must not write to the same file.
        with TemporaryDirectory(dir=self._file.parent) as folder:
            unfinished = Path(folder, self._file.name)
            np.save(unfinished, rows)
            unfinished.replace(self._file)


def _are_vectors(found: np.ndarray) -> bool:
    """Return `True` if all rows have the length 1, or 0 as the vector of a blank text has."""
    lengths = np.linalg.norm(found, axis=1)
    return bool(np.all((abs(lengths - 1) < 1e-3) | (lengths == 0)))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:_DIGEST_SIZE]
