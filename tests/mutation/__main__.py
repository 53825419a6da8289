"""
Measure whether the tests notice small changes of the code: `make mutants`.

It fails if the tests notice less than 95 % of the changes. Changes that have no effect are listed,
with the reason, in `equivalent.toml`; it also fails if an entry there is wrong.
"""

import argparse
import os
import sys
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from tests.mutation.measurement import OPTIONS, Measurement
from tests.mutation.mutants import Mutant, mutants

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
ENOUGH = 0.95


def identity(file: object, code: str, change: str) -> tuple[str, str, str]:
    """Return what identifies a mutant while other lines change."""
    return str(file), code, change


class Results:
    """What was found of each mutant."""

    def __init__(self, equivalent: list[dict[str, str]], root: Path) -> None:
        self._root = root
        self._equivalent = {identity(e["file"], e["code"], e["change"]) for e in equivalent}
        self._unused = set(self._equivalent)
        self._counts: dict[str, Counter[str]] = {}
        self.wrong: list[str] = []

    def add(self, mutant: Mutant, passed: bool) -> None:
        """Count a mutant, and print it if the tests passed."""
        file = str(mutant.file.relative_to(self._root))
        counts = self._counts.setdefault(file, Counter())
        key = identity(file, mutant.code, mutant.change)
        self._unused.discard(key)
        if not passed:
            counts["killed"] += 1
            if key in self._equivalent:
                self.wrong.append(f"{file}:{mutant.line} has an effect: {mutant.change}")
        elif key in self._equivalent:
            counts["equivalent"] += 1
        else:
            counts["survived"] += 1
            print(f"{file}:{mutant.line}  {mutant.change}", flush=True)

    def print_table(self) -> float:
        """Print a row for each module; return the rate of all."""
        total = Counter()
        print(f"\n{'':56} mutants  killed  survived  equivalent    rate")
        for file, counts in sorted(self._counts.items()):
            self._print_row(file.split("/src/")[-1], counts)
            total += counts
        return self._print_row("all", total)

    def _print_row(self, name: str, counts: Counter[str]) -> float:
        killed, survived, equivalent = (
            counts[each] for each in ("killed", "survived", "equivalent")
        )
        rate = killed / ((killed + survived) or 1)
        print(f"{name:56} {counts.total():7} {killed:7} {survived:9} {equivalent:11} {rate:7.1%}")
        return rate

    def unused(self) -> list[str]:
        """Return the entries of the list that match no mutant of these modules."""
        return [
            f"{file} has no mutant {change!r} in the line {code!r}"
            for file, code, change in sorted(self._unused)
            if file in self._counts
        ]


def pure_modules(root: Path) -> list[Path]:
    """Return the modules whose own tests must reach every branch."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["coverage"]["report"]["include"]
    return sorted(file for pattern in patterns for file in root.glob(pattern))


def main() -> int:
    """Measure, print, and return the exit status."""
    parser = argparse.ArgumentParser("python -m tests.mutation", description=__doc__)
    parser.add_argument("--tests", nargs="+", required=True, help="the tests of the modules")
    parser.add_argument("--modules", nargs="*", default=[], help="parts of the modules' paths")
    parser.add_argument("--every", type=int, default=1, help="measure each n-th mutant only")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--equivalent", type=Path, default=EQUIVALENT)
    arguments = parser.parse_args()
    root = Path.cwd()
    sys.dont_write_bytecode = False  # Tests that are imported again must not be compiled again
    chosen = [
        mutant
        for file in pure_modules(root)
        if not arguments.modules or any(part in str(file) for part in arguments.modules)
        for mutant in mutants(file)
    ][:: arguments.every]
    equivalent = tomllib.loads(arguments.equivalent.read_text(encoding="utf-8"))["mutants"]
    results = Results(equivalent, root)
    measurement = Measurement(chosen, arguments.jobs, results.add)
    status = pytest.main([*OPTIONS, *arguments.tests], plugins=[measurement])
    if measurement.problem or status != pytest.ExitCode.OK:
        print(measurement.problem or "pytest could not run the tests.")
        return 1
    enough = results.print_table() >= ENOUGH
    wrong = results.wrong + (results.unused() if arguments.every == 1 else [])
    for each in wrong:
        print(f"equivalent.toml: {each}")
    return 0 if enough and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
