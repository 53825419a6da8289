"""
The frameworks that are installed: one draws the example, and the others are compared with it.
"""

from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

from openrouter_rerank.errors import ConfigurationError

# The first line is printed before the slow imports.
if TYPE_CHECKING:
    from openrouter_rerank.demo.pipeline import PipelineFactory

_GROUP = "openrouter_rerank.demo"
"""The group of the entry points. The name of an entry point is the name of the framework."""

PACKAGES: Mapping[str, str] = {
    "LangChain": "langchain-openrouter-rerank",
    "LlamaIndex": "llamaindex-openrouter-rerank",
}
"""The package to install for each framework."""

PLAIN = "plain Python"


def installed_frameworks() -> list[str]:
    """Return the names of the installed frameworks, in alphabetical order."""
    return sorted(entry_points(group=_GROUP).names)


def load(name: str) -> "PipelineFactory":
    """Import a framework, which takes seconds, and return what makes its pipeline."""
    (found,) = entry_points(group=_GROUP, name=name)
    factory: PipelineFactory = found.load()
    return factory


def drawing_first(framework: str | None, installed: Sequence[str]) -> list[str]:
    """
    Return the installed frameworks, beginning with the one that draws.

    Args:
        framework: The one that draws, in any case. By default, the first one.
        installed: The names of the installed frameworks.

    Raises:
        ConfigurationError: If `framework` is not installed; the message names its package.
    """
    if framework is None:
        return [*installed]
    wanted = next(name for name in PACKAGES if name.casefold() == framework.casefold())
    if wanted not in installed:
        raise ConfigurationError(f"{wanted} is not installed: pip install {PACKAGES[wanted]}")
    return [wanted, *(name for name in installed if name != wanted)]
