"""What the framework packages share: options, calls, and where each document ends up."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .options import RerankOptions
    from .placement import Content, LocalImageDocument, Placed, Placement, Unscorable
    from .reranker import Reranker

__all__ = [
    "Content",
    "LocalImageDocument",
    "Placed",
    "Placement",
    "RerankOptions",
    "Reranker",
    "Unscorable",
]

_MODULES = {
    "options": ("RerankOptions",),
    "placement": ("Content", "LocalImageDocument", "Placed", "Placement", "Unscorable"),
    "reranker": ("Reranker",),
}


def __getattr__(name: str) -> object:
    # Lazily: the classes of the framework packages need the options only, and importing the rest
    # would double the time that importing such a class takes.
    for module, names in _MODULES.items():
        if name in names:
            found: object = getattr(import_module(f".{module}", __name__), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
