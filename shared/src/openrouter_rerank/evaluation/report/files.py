"""
Writes an evaluation into a folder: the report, and all numbers for other programs.

    report.html         the report
    evaluation.json     all numbers; its keys are described in `json_result`
    plans.csv           a line for the first stage and for each plan
    questions.csv       a line for each question, with the metric of each plan
    runs/NAME.trec      the orders: of the first stage, of each model at its largest depth, and of
                        the recommended plan; their ids are described in `trec_runs`
    qrels.judge.txt     what judges graded, written by `judge.qrels`

Each file is written under another name and then renamed, so that a reader never sees half of a
file. Files of an earlier evaluation in the same folder are deleted if its `evaluation.json` lists
them and the new one has no file of that name. All other files stay.

Only the user can read the files, because they contain questions and documents. If a file is a
symbolic link, the link is replaced, and the file that it points to stays as it is.
"""

import csv
import errno
import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from io import StringIO
from os import PathLike
from pathlib import Path

from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.collection.errors import shown_path

from .json_result import Json, json_text
from .page.page import report_html
from .rows import Row, plan_rows, question_rows
from .trec_runs import SUFFIX, must_be_encoded, run_file, run_lines, runs

JUDGE_QRELS = "qrels.judge.txt"
_JSON = "evaluation.json"
_RUNS = "runs"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write(
    findings: Findings,
    directory: str | PathLike[str],
    *,
    command: str | None = None,
    written: datetime | None = None,
) -> Path:
    """
    Write all files into `directory`, and return the path of the report.

    Args:
        findings: The evaluation.
        directory: The folder. It is created if it is missing, and then only the user can read it.
        command: The command line, which the report shows.
        written: The time in the report. By default now.

    Raises:
        ConfigurationError: If a file cannot be written. The message says why, and what to do.
    """
    written = written or datetime.now(UTC)
    folder = _folder(Path(directory))
    run_folder = _folder(folder / _RUNS, may_be_link=False)
    earlier = _earlier_files(folder)
    plans = runs(findings)
    encode = must_be_encoded(plans.values())
    for name, result in plans.items():
        file = run_folder / run_file(name)
        write_file(file, "".join(f"{line}\n" for line in run_lines(result, name, encode=encode)))
    # Some file systems treat names that differ only in upper and lower case as equal.
    names = {run_file(name).casefold() for name in plans}
    for file in earlier:
        if file.name.casefold() not in names:
            _delete(file)
    write_file(folder / "plans.csv", csv_text(plan_rows(findings)))
    write_file(folder / "questions.csv", csv_text(question_rows(findings)))
    write_file(folder / _JSON, json_text(findings, command=command, written=written))
    report = folder / "report.html"
    date = f"{written.day} {written:%B %Y}"
    write_file(report, report_html(findings, command=command or "", date=date))
    return report


def write_file(path: Path, content: str) -> None:
    """
    Replace the file at `path`, which only the user can read then.

    Raises:
        ConfigurationError: If that is not possible. The file is as it was before.
    """
    # JSON reads a backslash and its code as the half of a surrogate pair that UTF-8 cannot have.
    data = content.encode("utf-8", "backslashreplace")
    try:
        # Creates a new file with the mode 0600, and so follows no link.
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
            os.replace(temporary, path)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108
            raise
    except OSError as error:
        raise _not_written(path, error) from error


def _earlier_files(folder: Path) -> set[Path]:
    """Return the files of an earlier evaluation that a new one may have no file for."""
    try:
        found: Json = json.loads((folder / _JSON).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return set()
    if not isinstance(found, dict):
        return set()
    names = found.get("runs")
    files = {
        folder / _RUNS / name
        for name in (names if isinstance(names, dict) else ())
        # Only the runs of this folder are deleted, even if a user has changed the file.
        if name.endswith(SUFFIX) and name.isprintable() and Path(name).name == name
    }
    return files | {folder / JUDGE_QRELS} if found.get("judging") else files


def _delete(file: Path) -> None:
    if file.is_file() or file.is_symlink():
        try:
            file.unlink()
        except OSError as error:
            raise _not_written(file, error) from error


def csv_text(rows: Sequence[Row]) -> str:
    """Return rows as CSV with a heading, as RFC 4180 defines it. `None` is an empty field."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([row.get(column) for column in columns] for row in rows)
    return text.getvalue()


def _folder(path: Path, *, may_be_link: bool = True) -> Path:
    """Return the folder at `path`, which is created if it is missing."""
    if not may_be_link and path.is_symlink():
        raise ConfigurationError(
            f"{shown_path(path)} is a symbolic link: remove it, or choose another folder"
        )
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _not_written(path, error) from error
    return path


def _not_written(path: Path, error: OSError) -> ConfigurationError:
    where = shown_path(path)
    if isinstance(error, FileExistsError | NotADirectoryError):
        message = (
            f"{where} cannot be a folder, because a file is in its place: choose another folder"
        )
    elif isinstance(error, PermissionError):
        message = (
            f"no permission to write {where}: change its permissions, or choose another folder"
        )
    elif isinstance(error, IsADirectoryError):
        message = f"{where} is a folder, so no file can replace it: rename or remove it"
    elif error.errno in _FULL:
        message = f"no space left to write {where}: free some space, or choose another folder"
    else:
        message = f"{where} cannot be written ({error.strerror or error}): choose another folder"
    return ConfigurationError(message)
