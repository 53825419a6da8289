"""
Each test of a client runs for both clients, over own and injected connections.

What the tests measure stands below their dots.
"""

import statistics
from collections import defaultdict

import pytest


@pytest.fixture
def measured(request):
    """Notes a figure, of which the summary of the run tells the median and the largest."""

    def note(name, value):
        request.node.user_properties.append((f"measured {name}", value))

    return note


def pytest_terminal_summary(terminalreporter):
    """Tell what was measured."""
    figures = defaultdict(list)
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if report.when == "call" and name.startswith("measured "):
                figures[name.removeprefix("measured ")].append(value)
    for name, values in figures.items():
        terminalreporter.write_line(
            f"{name}: {len(values):,} times, median {statistics.median(values):,.1f}, "
            f"at most {max(values):,.1f}, in all {sum(values):,.1f}"
        )
