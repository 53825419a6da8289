"""The files that an evaluation writes."""

import csv
import errno
import json
import os
import stat
import sys

import pytest
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.evaluation.report.files import csv_text, write_file

from tests.evaluation.example_evaluations import CHECKED, FREE, MODELS, example_evaluation

HOSTILE = 'a "quoted", text;\r\nwith\tlines\r\n=1+1'
on_posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")


@pytest.fixture(scope="module")
def evaluation():
    """A small evaluation."""
    return example_evaluation(models=FREE, questions=8, two_step=False)


def read_csv(file):
    """Return the rows of a CSV file, as Python reads them."""
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_all_files_are_written(evaluation, tmp_path):
    """The folder has the report, JSON, two tables and the runs; the report's path is returned."""
    report = evaluation.write(tmp_path / "new" / "evaluation")

    folder = tmp_path / "new" / "evaluation"
    assert report == folder / "report.html"
    assert sorted(file.relative_to(folder).as_posix() for file in folder.rglob("*")) == [
        "evaluation.json",
        "plans.csv",
        "questions.csv",
        "report.html",
        "runs",
        "runs/first-stage.trec",
        "runs/local_lexical@100.trec",
        "runs/local_minilm@100.trec",
        "runs/recommended.trec",
    ]
    assert report.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads((folder / "evaluation.json").read_text(encoding="utf-8"))["plans"]
    assert len(read_csv(folder / "plans.csv")) == 1 + len(evaluation.plans)
    assert len(read_csv(folder / "questions.csv")) == 8


@on_posix
def test_only_the_user_can_read_the_files(evaluation, tmp_path):
    """Files have the mode 0600 and new folders 0700, with any umask."""
    before = os.umask(0)
    try:
        report = evaluation.write(tmp_path / "evaluation")
    finally:
        os.umask(before)

    for path in (report.parent, *report.parent.rglob("*")):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_a_second_evaluation_replaces_the_first(evaluation, tmp_path):
    """The files are replaced, other files stay, and no temporary file is left."""
    evaluation.write(tmp_path)
    (tmp_path / "matrix.sqlite").write_text("kept")
    (tmp_path / "report.html").write_text("old")
    before = sorted(tmp_path.rglob("*"))

    evaluation.write(str(tmp_path))

    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "matrix.sqlite").read_text() == "kept"
    assert (tmp_path / "report.html").read_text(encoding="utf-8") != "old"


def test_files_of_an_earlier_evaluation_are_deleted(tmp_path):
    """Runs of models that are left out, and grades of a judge, do not stay; other files do."""
    models = [*MODELS]
    example_evaluation(questions=8, judging=CHECKED).write(tmp_path)
    (tmp_path / "qrels.judge.txt").write_text("q0 0 d0 2\n")
    (tmp_path / "runs" / "mine.trec").write_text("kept")

    fewer = example_evaluation(
        models={models[0]: MODELS[models[0]]}, questions=8, kind="no", two_step=False
    )
    fewer.write(tmp_path)

    assert sorted(file.name for file in (tmp_path / "runs").iterdir()) == [
        "acme_rerank-lite@100.trec",
        "first-stage.trec",
        "mine.trec",
    ]
    assert not (tmp_path / "qrels.judge.txt").exists()
    assert json.loads((tmp_path / "evaluation.json").read_text())["runs"] == {
        "first-stage.trec": "first stage",
        "acme_rerank-lite@100.trec": "acme/rerank-lite @100",
    }


@pytest.mark.parametrize(
    "earlier",
    [
        {
            "runs": {
                "../outside.trec": "",
                "folder.trec": "",
                "mine.txt": "",
                "..": "",
                "\x00.trec": "",
                "": "",
            }
        },
        {"runs": ["mine.txt"], "judging": None},
        ["mine.txt"],
        "{",
    ],
)
def test_nothing_else_is_deleted(evaluation, tmp_path, earlier):
    """With any content of `evaluation.json`, only runs of the folder are deleted."""
    folder = tmp_path / "evaluation"
    (folder / "runs" / "folder.trec").mkdir(parents=True)
    kept = [tmp_path / "outside.trec", folder / "outside.trec", folder / "runs" / "mine.txt"]
    kept.append(folder / "qrels.judge.txt")
    for file in kept:
        file.write_text("mine")
    text = earlier if isinstance(earlier, str) else json.dumps(earlier)
    (folder / "evaluation.json").write_text(text)

    evaluation.write(folder)

    assert [file.read_text() for file in kept] == ["mine"] * 4
    assert (folder / "runs" / "folder.trec").is_dir()


@on_posix
def test_a_symbolic_link_is_replaced_and_not_followed(evaluation, tmp_path):
    """If a file is a link, the file that it points to does not change."""
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    folder = tmp_path / "evaluation"
    folder.mkdir()
    (folder / "report.html").symlink_to(outside)

    evaluation.write(folder)

    assert outside.read_text() == "mine"
    assert not (folder / "report.html").is_symlink()


@on_posix
def test_a_folder_of_runs_that_is_a_link_is_refused(evaluation, tmp_path):
    """If `runs` leads out of the folder, nothing is written, and the error says what to do."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "runs").symlink_to(outside)

    with pytest.raises(ConfigurationError, match="runs is a symbolic link"):
        evaluation.write(tmp_path)

    assert [*outside.iterdir()] == []
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_file_in_place_of_the_folder_is_named(evaluation, tmp_path, inside):
    """If the folder is a file, or below a file, one line says so."""
    file = tmp_path / "evaluation"
    file.write_text("mine")

    with pytest.raises(ConfigurationError, match="a file is in its place") as error:
        evaluation.write(file / inside)

    assert "\n" not in str(error.value)
    assert file.read_text() == "mine"


def test_a_folder_in_place_of_a_file_is_named(evaluation, tmp_path):
    """If `report.html` is a folder, one line says so, and no temporary file is left."""
    (tmp_path / "report.html" / "inside").mkdir(parents=True)

    with pytest.raises(ConfigurationError, match=r"report\.html"):
        evaluation.write(tmp_path)

    assert not [file for file in tmp_path.iterdir() if file.name.startswith(".")]


@on_posix
def test_a_missing_permission_is_named(evaluation, tmp_path):
    """If the user cannot write into the folder, one line says so."""
    user = os.geteuid()
    tmp_path.chmod(0o500)
    if user == 0:  # Root may write everywhere, so the test becomes another user
        os.seteuid(65534)
    try:
        with pytest.raises(ConfigurationError, match="no permission to write"):
            evaluation.write(tmp_path)
    finally:
        os.seteuid(user)
        tmp_path.chmod(0o700)


@on_posix
def test_a_full_disk_is_named(tmp_path):
    """If there is no space left, one line says so, and the file is as it was before."""
    import resource
    import signal

    # A limit of the size of files is a disk that is full, for this process.
    file = tmp_path / "report.html"
    file.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]))
    try:
        with pytest.raises(ConfigurationError, match="no space left to write") as error:
            write_file(file, "x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)

    assert isinstance(error.value.__cause__, OSError)
    assert error.value.__cause__.errno == errno.EFBIG
    assert [file.read_text() for file in tmp_path.iterdir()] == ["old"]


@on_posix
def test_an_error_is_one_line_whatever_the_folder_is_called(evaluation, tmp_path):
    """A line break and an escape sequence in the name of a folder are escaped."""
    file = tmp_path / "a\nb\x1b[31m"
    file.write_text("mine")

    with pytest.raises(ConfigurationError) as error:
        evaluation.write(file)

    assert r"a\nb\x1b[31m" in str(error.value)


def test_texts_of_a_table_do_not_change(tmp_path):
    """Quotes, commas, line breaks and formulas are read as they were written."""
    rows = [{"plan": HOSTILE, "p": None}, {"plan": "\rx", "p": 0.1 + 0.2}, {"plan": "=A1", "p": 1}]
    write_file(tmp_path / "a.csv", csv_text(rows))

    found = read_csv(tmp_path / "a.csv")

    assert [row["plan"] for row in found] == [row["plan"] for row in rows]
    assert [row["p"] for row in found] == ["", "0.30000000000000004", "1"]


def test_half_of_a_surrogate_pair_does_not_stop_the_files(tmp_path):
    """Texts with half of a surrogate pair are written, and JSON reads them as they were."""
    models = {f"{model}\ud800": each for model, each in FREE.items()}
    evaluation = example_evaluation(models=models, questions=4, two_step=False)

    report = evaluation.write(tmp_path)

    found = json.loads((tmp_path / "evaluation.json").read_text(encoding="utf-8"))
    assert found["plans"][0]["steps"][0]["model"] == "local/lexical\ud800"
    assert report.read_text(encoding="utf-8")
