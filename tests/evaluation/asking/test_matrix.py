"""The file with the answers: kept, found again, and refused if it cannot be used."""

import sqlite3
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.asking.matrix import Asked, KeptCall, Matrix, digest, list_digest

ASKED = Asked(service="https://a/rerank", model="m", options="{}", question="q")


def call(*texts, kind="score", **values):
    """Return a call in which each text has a score."""
    digests = [digest(text) for text in texts]
    return KeptCall(
        **{
            "documents": list_digest(digests),
            "kind": kind,
            "depth": len(texts),
            "cost": 0.001,
            "seconds": 0.25,
            "attempts": 1,
            "served_model": "rerank",
            "provider": "Stage",
            "scores": {each: number / 10 for number, each in enumerate(digests)},
        }
        | values
    )


@pytest.fixture
def file(tmp_path):
    """Return the path of a file that does not exist yet, in a folder that does not either."""
    return tmp_path / "new" / "matrix.sqlite"


def test_a_kept_call_is_found_again_after_closing(file):
    """A call comes back with all its values, and calls of one question come oldest first."""
    first, second = call("a", "b", cost=None, served_model=None), call("b", kind="probe")
    with Matrix(file) as matrix:
        matrix.add(ASKED, first)
        matrix.add(ASKED, second)

    with Matrix(file) as matrix:
        assert matrix.calls(ASKED) == [first, second]


@pytest.mark.parametrize("name", ["service", "model", "options", "question"])
def test_another_call_is_not_found(file, name):
    """A call of another service, model, question or with other options has no scores."""
    other = {each: getattr(ASKED, each) for each in ("service", "model", "options", "question")} | {
        name: "other"
    }
    with Matrix(file) as matrix:
        matrix.add(ASKED, call("a"))

        assert matrix.calls(Asked(**other)) == []


def test_a_failed_transaction_keeps_nothing(file):
    """If one score of a call cannot be kept, the call is not kept either."""
    with Matrix(file) as matrix:
        with pytest.raises(ConfigurationError, match=r"matrix\.sqlite cannot be read or written"):
            matrix.add(ASKED, call("a", scores={digest("a"): 0.5, digest("b"): None}))

        assert matrix.calls(ASKED) == []
        matrix.add(ASKED, call("a"))
        assert len(matrix.calls(ASKED)) == 1


def test_the_file_has_no_text(file):
    """No question and no document is in the file, because it has only their hashes."""
    asked = Asked(service="s", model="m", options="{}", question="a secret question")
    with Matrix(file) as matrix:
        matrix.add(asked, call("a secret document"))

    assert b"secret" not in file.read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_only_the_user_may_read_the_file(file):
    """The folder and the file are for the user only, even if the file was for all."""
    Matrix(file).close()
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    Matrix(file).close()

    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def _foreign(file):
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE other (id)")
    connection.close()


def _newer(file):
    Matrix(file).close()
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 2")
    connection.close()


def _damaged(file):
    with Matrix(file) as matrix:
        for number in range(50):
            matrix.add(ASKED, call(*(f"{number} {each}" for each in range(100))))
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xa5" * len(content[4096:])
    file.write_bytes(content)


def _without_tables(file):
    Matrix(file).close()
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE call")
    connection.close()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda file: file.write_text("not a database, but a long text" * 100),
            (
                "{file} is damaged, or not a file of openrouter-rerank (file is not a database): "
                "move it, or choose another folder"
            ),
        ),
        (
            _foreign,
            "{file} is a database of another program: move it, or choose another folder",
        ),
        (
            _newer,
            (
                "{file} was written by a newer version of openrouter-rerank: upgrade it, or choose "
                "another folder"
            ),
        ),
        (
            _damaged,
            (
                "{file} is damaged, or not a file of openrouter-rerank (database disk image is "
                "malformed): move it, or choose another folder"
            ),
        ),
        (
            _without_tables,
            (
                "{file} is damaged, or not a file of openrouter-rerank (no such table: call): move "
                "it, or choose another folder"
            ),
        ),
        (Path.mkdir, "{file} cannot be opened (Is a directory): choose another folder"),
    ],
    ids=["text", "foreign", "newer", "damaged", "without tables", "folder"],
)
def test_a_file_that_cannot_be_used_is_refused(tmp_path, make, message):
    """The error is one line that names the file, says what is wrong, and what to do."""
    file = tmp_path / "matrix.sqlite"
    make(file)

    with pytest.raises(ConfigurationError) as refused, Matrix(file) as matrix:
        matrix.calls(ASKED)

    assert refused.value.message == message.format(file=file)


def test_a_file_that_another_process_keeps_locked_is_refused(file, monkeypatch):
    """If another process does not end its transaction, the error says that it uses the file."""
    monkeypatch.setattr("openrouter_rerank.evaluation.asking.matrix._LONGEST_WAIT", 0.0)
    with (
        Matrix(file) as matrix,
        Matrix(file) as other,
        other.transaction(),
        pytest.raises(ConfigurationError) as refused,
    ):
        matrix.add(ASKED, call("a"))

    assert refused.value.message == (
        f"{file} is in use by another process (database is locked): wait until it has ended, or "
        "choose another folder"
    )


WRITER = """
    import sys
    from pathlib import Path
    from openrouter_rerank.evaluation.asking.matrix import Asked, KeptCall, Matrix, digest

    file, name = sys.argv[1:]
    sys.stdin.readline()
    with Matrix(Path(file)) as matrix:
        for number in range(40):
            matrix.add(
                Asked(service="s", model=name, options="{}", question="q"),
                KeptCall(documents=b"", kind="score", depth=1, cost=None, seconds=0.1, attempts=1,
                         served_model=None, provider=None, scores={digest(str(number)): 0.5}),
            )
"""


def test_processes_share_a_file(file):
    """Processes that create and fill one file together keep all their calls."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(WRITER), file, name],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in ("a", "b", "c")
    ]
    for writer in writers:
        writer.stdin.write(b"\n")
        writer.stdin.flush()
    errors = [writer.communicate()[1] for writer in writers]

    assert errors == [b"", b"", b""]
    with Matrix(file) as matrix:
        for name in ("a", "b", "c"):
            asked = Asked(service="s", model=name, options="{}", question="q")
            assert len(matrix.calls(asked)) == 40
        with matrix.transaction() as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
