"""
The frameworks whose packages are installed; each of them takes part in the demo.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points

from openrouter_rerank.demo.pipeline import GROUP, PipelineFactory

PACKAGES: Mapping[str, str] = {
    "LangChain": "langchain-openrouter-rerank",
    "LlamaIndex": "llamaindex-openrouter-rerank",
}
"""The package to install for each framework."""


def installed_frameworks() -> dict[str, PipelineFactory]:
    """Return the pipeline factories of the installed frameworks, by name, in alphabetical order."""
    found = sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name)
    return {entry_point.name: entry_point.load() for entry_point in found}
