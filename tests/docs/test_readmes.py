"""The READMEs are short, and lead to what exists."""

import re
from pathlib import Path

import pytest
from openrouter_rerank import MODELS

ROOT = Path(__file__).parents[2]
PACKAGES = (
    "shared",
    "packages/langchain_openrouter_rerank",
    "packages/llamaindex_openrouter_rerank",
)
LENGTHS = {"README.md": 110} | {f"{folder}/README.md": 50 for folder in PACKAGES}
LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")


@pytest.mark.parametrize(("path", "lines"), LENGTHS.items())
def test_a_readme_is_short(path, lines):
    """The README of the repository has at most 110 lines, and that of a package at most 50."""
    assert len((ROOT / path).read_text("utf-8").splitlines()) <= lines


@pytest.mark.parametrize("path", LENGTHS)
def test_the_links_of_a_readme_lead_to_files(path):
    """Each relative link leads to a file of the repository."""
    file = ROOT / path
    targets = LINK.findall(file.read_text("utf-8"))

    assert targets
    assert [target for target in targets if not (file.parent / target).exists()] == []


def test_the_readme_counts_the_models():
    """The README names the number of the models that are built in."""
    assert f"**One key for {len(MODELS)} models**" in (ROOT / "README.md").read_text("utf-8")
