"""Measures, and writes docs/benchmarks.md: `make bench` and `make bench-full`."""

import sys

from .machine import machine
from .measure import measured
from .page import target_table, unmet, write


def main() -> None:
    """Measure, print and write."""
    results = measured(full="--full" in sys.argv)
    results.machine = machine()
    results.save()
    print("", target_table(results), "", sep="\n")
    write([("targets", f"{results.machine}.\n\n{target_table(results)}")])
    for each in unmet(results):
        print("not met:", each)


if __name__ == "__main__":
    main()
