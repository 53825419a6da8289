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


def test_the_readme_quotes_the_measured_delay():
    """The README and the page about timeouts name the figures of the page about reliability."""
    texts = {
        name: " ".join((ROOT / name).read_text("utf-8").split())
        for name in ("README.md", "docs/production/timeouts-and-retries.md")
    }
    reliability = (ROOT / "docs/explain/reliability.md").read_text("utf-8")
    faults, late = re.findall(
        r"(\d+) faults . 6 kinds of clients: at most (\d+) ms late", reliability
    )[0]

    assert f"at most {late} ms later in [{faults} kinds of faults]" in texts["README.md"]
    assert (
        f"at most {late} ms after the deadline" in texts["docs/production/timeouts-and-retries.md"]
    )


def test_the_readme_quotes_the_benchmarks():
    """The README has the lowest and the highest part of the CPU of the peers that it names."""
    page = (ROOT / "docs/explain/benchmarks.md").read_text("utf-8")
    table = page.partition("CPU per call compared with the peers")[2].partition("HTTP only")[0]
    ours, parts = 0.0, []
    for name, cpu in re.findall(r"^ +\| ([^|*]+?) \| \**([\d.]+)\** \|", table, re.MULTILINE):
        if name in {
            "openrouter-rerank",
            "langchain-openrouter-rerank",
            "llamaindex-openrouter-rerank",
        }:
            ours = float(cpu)
        elif re.search("cohere|voyage|litellm", name):
            parts.append(ours / float(cpu))

    assert len(parts) == 7
    quoted = f"**{100 * min(parts):.0f} to {100 * max(parts):.0f} % of the CPU**"
    assert quoted in (ROOT / "README.md").read_text("utf-8")
