"""The measurement of `make mutants`, on a small module."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.mutation.__main__ import EQUIVALENT, identity
from tests.mutation.mutants import mutants

ROOT = Path(__file__).parents[2]

MODULE = '''
"""A docstring."""
LIMIT = 10

def is_small(number: int) -> bool:
    return number < LIMIT

def first(numbers):
    for number in numbers:
        if number > 0 or number == 5:
            return number
'''
TESTS = """
import example

def test_small():
    assert example.is_small(9)
    assert not example.is_small(11)

def test_first():
    assert example.first([-1, 0, 1, 2]) == 1
    assert example.first([0]) is None
"""
PROJECT = """
[tool.coverage.report]
include = ["example.py"]
[tool.pytest]
pythonpath = ["."]
"""
NO_EFFECT = """
[[mutants]]
file = "example.py"
code = "if number > 0 or number == 5:"
change = {change!r}
reason = "5 is more than 0."
"""


@pytest.fixture
def measured(tmp_path):
    """A function that measures the small module, with these changes listed as without effect."""

    def run(*without_effect, tests=TESTS):
        (tmp_path / "example.py").write_text(MODULE)
        (tmp_path / "test_example.py").write_text(tests)
        (tmp_path / "pyproject.toml").write_text(PROJECT)
        entries = "".join(NO_EFFECT.format(change=change) for change in without_effect)
        (tmp_path / "equivalent.toml").write_text(entries or "mutants = []")
        command = [sys.executable, "-m", "tests.mutation", "--equivalent", "equivalent.toml"]
        return subprocess.run(
            [*command, "--tests", "test_example.py"],
            capture_output=True,
            check=False,
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            text=True,
        )

    return run


def test_each_change_that_no_test_notices_is_printed(measured):
    """The command prints what no test notices, and wrong entries of the list, and then fails."""
    line = "if number > 0 or number == 5:"
    effect, no_change = "number > 0 -> number >= 0", "number > 0 -> number > 1"

    result = measured("number > 0 or number == 5 -> number > 0", "5 -> 6", effect, no_change)

    *found, table, wrong, unused = result.stdout.replace("..", "").splitlines()
    assert sorted(line for line in found if line.startswith("example.py:")) == [
        "example.py:3  10 -> 11",
        "example.py:6  number < LIMIT -> number <= LIMIT",
    ]
    assert table.split() == ["all", "13", "9", "2", "2", "81.8%"]
    assert wrong == f"equivalent.toml: example.py:10 has an effect: {effect}"
    assert unused == (
        f"equivalent.toml: example.py has no mutant {no_change!r} in the line {line!r}"
    )
    assert result.returncode == 1


def test_enough_tests_pass(measured):
    """The command succeeds if the tests notice every change that has an effect."""
    thorough = TESTS.replace("(11)", "(10)")

    result = measured("number > 0 or number == 5 -> number > 0", "5 -> 6", tests=thorough)

    assert result.stdout.splitlines()[-1].split() == ["all", "13", "11", "0", "2", "100.0%"]
    assert result.returncode == 0


def test_tests_that_fail_without_a_change_are_refused(measured):
    """Nothing is measured if a test fails without any change."""
    result = measured(tests=TESTS.replace("== 1", "== 2"))

    assert "The tests fail without any change." in result.stdout
    assert result.returncode == 1


def test_each_entry_of_the_list_names_a_mutant_and_a_reason():
    """Each entry of the list names a change of the code as it is, and says why it has no effect."""
    entries = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutants"]
    existing = {
        identity(name, mutant.code, mutant.change)
        for name in {entry["file"] for entry in entries}
        for mutant in mutants(ROOT / name)
    }

    for entry in entries:
        assert identity(entry["file"], entry["code"], entry["change"]) in existing
        assert entry["reason"]
