"""The number of files that a reader has to follow stays within limits."""

import re
import subprocess
import sys
from pathlib import Path

from tests.architecture.figures import AS_RETRIEVER, FIGURES, FOLDERS, files_of
from tests.architecture.import_graph import cycle, import_graph

ROOT = Path(__file__).parents[2]


def test_no_figure_is_above_its_limit():
    """The packages have no more files, levels and cycles than the limits allow."""
    # In its own process: spans and the like, which other tests switch on, run more files.
    finished = subprocess.run(
        [sys.executable, "-m", "tests.architecture.figures", "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    figures = re.findall(r"^ *(\d+) \(at most +(\d+)\) (.+)$", finished.stdout, re.MULTILINE)

    assert [name for _, _, name in figures] == [figure.name for figure in FIGURES]
    assert [name for count, limit, name in figures if int(count) > int(limit)] == []
    # Nothing counted would mean that nothing was measured.
    assert all(int(count) for count, limit, _ in figures if int(limit))


def test_the_import_of_as_retriever_makes_a_cycle():
    """The import that the figures leave out makes a cycle of two modules, so it is left out."""
    assert {*cycle(import_graph(FOLDERS))} == {*AS_RETRIEVER}


def test_only_the_second_call_is_recorded():
    """The first call is not recorded, and a call without our code has no files."""
    calls = []

    assert files_of(lambda: calls.append("call")) == []
    assert len(calls) == 2
