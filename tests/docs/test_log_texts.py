"""The pages list log lines, and reasons in them, that the code writes."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("shared/src/**/*.py"), *ROOT.glob("packages/*/src/**/*.py")]


def section(page, heading):
    """Return the text of one section of a page."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


LINES = re.findall(
    r"^\|(?: `[A-Z`a-z ]+` \|)? `([^`]+?) ?` \|",
    section("production/observability.md", "Log lines"),
    re.MULTILINE,
)
ROWS = re.findall(
    r"^\| ((?:the|…) .+?) \|",
    section("guides/images.md", "Why an image was not sent"),
    re.MULTILINE,
)


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


@pytest.mark.parametrize("line", LINES)
def test_a_listed_log_line_is_one_of_the_code(line, texts):
    """A string of the code begins with the constant text of a log line."""
    assert [text for text in texts if text.startswith(line)]


@pytest.mark.parametrize("row", ROWS)
def test_a_listed_reason_is_one_of_the_code(row, texts):
    """Each constant part of the reason why an image was not sent is in a string of the code."""
    # The code puts "the image" before many reasons, and values between their parts.
    parts = re.split(r"…|;|the image |image/svg\+xml \(or image/tiff\)", row.replace("`", ""))

    for part in filter(str.strip, parts):
        assert [text for text in texts if part.strip() in text], part


def test_both_pages_have_a_list():
    """The lists were found."""
    assert len(LINES) > 12
    assert len(ROWS) > 10
