"""The page about observability lists log lines that the code writes."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/production/observability.md").read_text("utf-8")
LOG_LINES = PAGE.partition("## Log lines")[2].partition("## OpenTelemetry")[0]
LISTED = re.findall(r"^\|(?: `[A-Z`a-z ]+` \|)? `([^`]+?) ?` \|", LOG_LINES, re.MULTILINE)
SOURCES = [*ROOT.glob("shared/src/**/*.py"), *ROOT.glob("packages/*/src/**/*.py")]


@pytest.fixture(scope="module")
def texts():
    """Return all string literals of the packages."""
    trees = (ast.parse(source.read_text("utf-8")) for source in SOURCES)
    return [
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.mark.parametrize("line", LISTED)
def test_a_listed_log_line_is_one_of_the_code(line, texts):
    """A string of the code begins with the constant text of a log line."""
    assert [text for text in texts if text.startswith(line)]


def test_the_page_lists_log_lines():
    """The tables have the lines of failures and those of lasting situations."""
    assert len(LISTED) > 12
