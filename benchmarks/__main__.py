"""
Measures, and writes docs/benchmarks.md: `make bench` and `make bench-full`.

    python -m benchmarks --client openrouter-rerank --case "sync, 10"

prints what it measures of the clients and the cases whose names begin so, and writes nothing;
`--resume` goes on where the last run ended, and `--again` only writes what it has measured.
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
    parser.add_argument("--resume", action="store_true", help="go on where the last run ended")
    parser.add_argument("--client", help="only those whose names begin so")
    parser.add_argument("--case", help="only those whose names begin so")
    options = parser.parse_args()
    if options.client is not None or options.case is not None:
        some(options.client or "", options.case or "")
        return
    results = Results.load() if options.again or options.resume else Results(machine=machine())
    if not options.again:
        plan = all_cases if options.full else main_cases
        plan(results)
    print("", target_table(results), "", page.tracing(results), "", sep="\n")
    for each in unmet(results):
        print("not met:", each)
    _write(results, full=options.full)


def _write(results: Results, *, full: bool) -> None:
    sections = {"targets": page.targets(results)}
    if full:
        draw_peers(results, [cases.TEN, cases.ALL_100, cases.ALL_1000])
        draw_scaling(results)
        sections |= {"peers": page.peers(results), "scaling": page.scaling(results)}
    page.write(sections)


if __name__ == "__main__":
    main()
