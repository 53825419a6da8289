"""
Measures clients and writes docs/explain/benchmarks.md: `make bench` and `make bench-full`.

    python -m benchmarks --client openrouter-rerank --case "sync, 10"

This measures the clients and cases whose names begin with these texts. It prints the figures and
writes no file. `--resume` continues an interrupted run. `--again` measures nothing and writes the
page from the figures of the last run.
"""

import argparse

from . import page
from .machine import machine
from .plans import measure_all_cases, measure_main_cases, measure_selected
from .plots import draw_cpu, draw_scaling
from .results import Results
from .target_table import target_table, unmet


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--full", action="store_true", help="measure every client in every case")
    parser.add_argument(
        "--again", action="store_true", help="write the page from the figures of the last run"
    )
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")
    parser.add_argument("--client", help="measure only clients whose names begin with this text")
    parser.add_argument("--case", help="measure only cases whose names begin with this text")
    options = parser.parse_args()
    if options.client is not None or options.case is not None:
        measure_selected(options.client or "", options.case or "")
        return
    results = Results.load() if options.again or options.resume else Results(machine=machine())
    if not options.again:
        measure = measure_all_cases if options.full else measure_main_cases
        measure(results)
    print("", target_table(results), "", page.tracing(results), "", sep="\n")
    for each in unmet(results):
        print("not met:", each)
    _write(results, full=options.full)


def _write(results: Results, *, full: bool) -> None:
    sections = {"summary": page.summary(results), "targets": page.targets(results)}
    draw_cpu(results)
    if full:
        draw_scaling(results)
        sections |= {"peers": page.peers(results), "scaling": page.scaling(results)}
    page.write(sections)


if __name__ == "__main__":
    main()
