"""
Measures, and writes docs/benchmarks.md: `make bench` and `make bench-full`.

    python -m benchmarks --client openrouter-rerank --case "sync, 10"

prints what it measures of the clients and the cases whose names begin so, and writes nothing;
`--again` writes the pages once more from what the last run has measured.
"""

import argparse

from . import cases, page
from .machine import machine
from .plans import all_cases, main_cases, some
from .plots import draw_peers, draw_scaling
from .results import Results
from .target_table import target_table, unmet


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--full", action="store_true", help="every client in every case")
    parser.add_argument("--again", action="store_true", help="write what the last run measured")
    parser.add_argument("--client", help="only those whose names begin so")
    parser.add_argument("--case", help="only those whose names begin so")
    options = parser.parse_args()
    if options.client is not None or options.case is not None:
        some(options.client or "", options.case or "")
        return
    results = Results.load() if options.again else _measured(full=options.full)
    print("", target_table(results), "", page.tracing(results), "", sep="\n")
    for each in unmet(results):
        print("not met:", each)
    _write(results, full=options.full)


def _measured(*, full: bool) -> Results:
    results = all_cases() if full else main_cases()
    results.machine = machine()
    results.save()
    return results


def _write(results: Results, *, full: bool) -> None:
    sections = {"targets": page.targets(results)}
    if full:
        draw_peers(results, [cases.TEN, cases.ALL_100, cases.ALL_1000])
        draw_scaling(results)
        sections |= {"peers": page.peers(results), "scaling": page.scaling(results)}
    page.write(sections)


if __name__ == "__main__":
    main()
