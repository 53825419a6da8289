"""
The file that keeps what the models have answered: SQLite, one transaction for each answered call.

Texts are in it as hashes only. A later run finds its answers by the texts of its collection.
"""

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.collection.errors import shown_path

from .scores import CallKind

_APPLICATION = 0x4F525231
"""Marks the file as one of this package, in the header of SQLite."""
_VERSION = 1
# Seconds that a process waits while another one writes.
_LONGEST_WAIT = 10.0
_DIGEST_BYTES = 16

_TABLES = """
CREATE TABLE call (
    id INTEGER PRIMARY KEY,
    service TEXT NOT NULL,
    model TEXT NOT NULL,
    options TEXT NOT NULL,
    question BLOB NOT NULL,
    documents BLOB NOT NULL,
    kind TEXT NOT NULL,
    depth INTEGER NOT NULL,
    cost REAL,
    seconds REAL NOT NULL,
    attempts INTEGER NOT NULL,
    served_model TEXT,
    provider TEXT
);
CREATE INDEX call_of_question ON call (question, model, service, options);
CREATE TABLE score (
    call INTEGER NOT NULL REFERENCES call,
    document BLOB NOT NULL,
    score REAL NOT NULL,
    PRIMARY KEY (call, document)
) WITHOUT ROWID;
"""
# The lower byte of SQLite's codes is the kind of error.
_PRIMARY_CODE = 0xFF
_COLUMNS = "kind, depth, cost, seconds, attempts, served_model, provider"
_Row: TypeAlias = tuple[int, bytes, CallKind, int, float | None, float, int, str | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What identifies a call: equal calls would get equal scores."""

    service: str
    """The URL that requests go to. The same slug at another URL is another model."""
    model: str
    options: str
    """The provider preferences and other fields of the request, as JSON with sorted keys."""
    question: str
    """The text of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptCall:
    """One answered call. Documents are identified by the digests of their texts."""

    documents: bytes
    """The digest of the list of documents, in their order."""
    kind: CallKind
    depth: int
    """The number of documents."""
    cost: float | None
    seconds: float
    attempts: int
    served_model: str | None
    provider: str | None
    scores: Mapping[bytes, float]


class Matrix:
    """
    The kept answers. The file is created if it does not exist, and only its user may read it.

    Several processes may use one file. Use a matrix in the thread that opened it.

    Raises:
        ConfigurationError: If the file cannot be opened, read or written. The message says why.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._translated():
            _create(path)
            # Transactions are written out below. Python's own would begin before each statement.
            self._connection = sqlite3.connect(path, timeout=_LONGEST_WAIT, isolation_level=None)
        try:
            with self._translated():
                self._prepare()
                self._write_quickly()
        except BaseException:
            self._connection.close()
            raise

    def add(self, asked: Asked, call: KeptCall) -> None:
        """Keep one answered call, in one transaction."""
        key = (asked.service, asked.model, asked.options, digest(asked.question), call.documents)
        values = (call.kind, call.depth, call.cost, call.seconds, call.attempts)
        with self.transaction() as connection:
            number = connection.execute(
                f"INSERT INTO call (service, model, options, question, documents, {_COLUMNS}) "  # noqa: S608 - a constant
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*key, *values, call.served_model, call.provider),
            ).lastrowid
            connection.executemany(
                "INSERT INTO score VALUES (?, ?, ?)",
                [(number, document, score) for document, score in call.scores.items()],
            )

    def calls(self, asked: Asked) -> list[KeptCall]:
        """Return the kept calls, oldest first."""
        key = (digest(asked.question), asked.model, asked.service, asked.options)
        with self._translated():
            rows = self._connection.execute(
                f"SELECT id, documents, {_COLUMNS} FROM call "  # noqa: S608 - a constant
                "WHERE question = ? AND model = ? AND service = ? AND options = ? ORDER BY id",
                key,
            ).fetchall()
            return [_kept(row, self._scores(row[0])) for row in rows]

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """
        Run statements in one transaction: all of them are kept, or none.

        Other modules that keep something in this file create their own tables in it.
        """
        with self._translated():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _scores(self, number: int) -> dict[bytes, float]:
        return dict(
            self._connection.execute("SELECT document, score FROM score WHERE call = ?", (number,))
        )

    def _prepare(self) -> None:
        where = shown_path(self.path)
        application, version = self._number("application_id"), self._number("user_version")
        if application == _APPLICATION and version == _VERSION:
            return
        if application == _APPLICATION and version > _VERSION:
            raise ConfigurationError(
                f"{where} was written by a newer version of openrouter-rerank: upgrade it, or "
                "choose another folder"
            )
        with self.transaction() as connection:
            # Another process may have created the tables since.
            if self._number("application_id") == _APPLICATION:
                return
            if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raise ConfigurationError(
                    f"{where} is a database of another program: move it, or choose another folder"
                )
            for statement in _TABLES.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")

    def _write_quickly(self) -> None:
        # An answer is safe from the end of this process when it is written to the log, and waiting
        # for the disk can take 50 ms. Without a log, which needs a lock that another process may
        # have, the file is only slower.
        with contextlib.suppress(sqlite3.OperationalError):
            self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")

    def _number(self, pragma: str) -> int:
        found: int = self._connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        return found

    @contextmanager
    def _translated(self) -> Generator[None]:
        """Raise the errors of SQLite and of the file system as a `ConfigurationError`."""
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise ConfigurationError(_problem(self.path, error)) from error


def digest(text: str) -> bytes:
    """Return the hash by which the file knows a text."""
    # Texts of files may have lone surrogates.
    encoded = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(encoded, digest_size=_DIGEST_BYTES).digest()


def list_digest(documents: Iterable[bytes]) -> bytes:
    """Return the hash of a list of documents, given their digests."""
    return hashlib.blake2b(b"".join(documents), digest_size=_DIGEST_BYTES).digest()


def _create(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # SQLite gives its journal the permissions of the file.
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    path.chmod(0o600)


def _kept(row: _Row, scores: Mapping[bytes, float]) -> KeptCall:
    _, documents, kind, depth, cost, seconds, attempts, served_model, provider = row
    return KeptCall(
        documents=documents,
        kind=kind,
        depth=depth,
        cost=cost,
        seconds=seconds,
        attempts=attempts,
        served_model=served_model,
        provider=provider,
        scores=scores,
    )


def _problem(path: Path, error: sqlite3.Error | OSError) -> str:
    where = shown_path(path)
    if isinstance(error, OSError):
        return f"{where} cannot be opened ({error.strerror}): choose another folder"
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & _PRIMARY_CODE
    if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return (
            f"{where} is in use by another process ({error}): wait until it has ended, or choose "
            "another folder"
        )
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}:
        return (
            f"{where} is damaged, or not a file of openrouter-rerank ({error}): move it, or choose "
            "another folder"
        )
    return f"{where} cannot be read or written ({error}): free some space, or choose another folder"
