"""Measurements, which the summary of the test run prints, and what interrupted calls leave open."""

import gc
import statistics
import warnings
from collections import defaultdict

import pytest


@pytest.fixture
def record_measurement(request):
    """A function that records a value; the summary prints the median, maximum and sum per name."""

    def record(name, value):
        request.node.user_properties.append((f"measured {name}", value))

    return record


@pytest.fixture
def sockets_left_open():
    """Collect the sockets that an interrupted call has left open, without a warning."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


def pytest_terminal_summary(terminalreporter):
    """Print the recorded measurements."""
    measurements = defaultdict(list)
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            if report.when == "call" and name.startswith("measured "):
                measurements[name.removeprefix("measured ")].append(value)
    for name, values in measurements.items():
        terminalreporter.write_line(
            f"{name}: {len(values):,} times, median {statistics.median(values):,.1f}, "
            f"at most {max(values):,.1f}, in all {sum(values):,.1f}"
        )
