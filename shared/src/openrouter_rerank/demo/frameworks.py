"""
Which frameworks take part: those whose package is installed here.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points

from openrouter_rerank.demo.pipeline import GROUP, Framework

PACKAGES: Mapping[str, str] = {
    "LangChain": "langchain-openrouter-rerank",
    "LlamaIndex": "llamaindex-openrouter-rerank",
}
"""What to install for each framework."""


def installed_frameworks() -> dict[str, Framework]:
    """Load the frameworks that take part, by name in the order of the alphabet."""
    found = sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name)
    return {entry_point.name: entry_point.load() for entry_point in found}
