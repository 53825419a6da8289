"""
Is reranking worth it on my data: with which model, at which depth, at which price?

Each model is asked once for each question, at the largest depth. All smaller depths, thresholds and
plans of two steps are computed from these scores.

It needs the extra `openrouter-rerank[evaluate]`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .asking.asking import Progress
    from .asking.estimate import Estimate
    from .collection.collection import Collection
    from .collection.errors import CollectionError
    from .evaluating import aevaluate, evaluate
    from .evaluation import Evaluation
    from .result import (
        Agreement,
        HeldOut,
        Judging,
        ModelUse,
        Plan,
        PlanResult,
        Share,
        Step,
        Threshold,
        Verdict,
    )
    from .settings import Settings, SettingsKeywords

__all__ = [
    "Agreement",
    "Collection",
    "CollectionError",
    "Estimate",
    "Evaluation",
    "HeldOut",
    "Judging",
    "ModelUse",
    "Plan",
    "PlanResult",
    "Progress",
    "Settings",
    "SettingsKeywords",
    "Share",
    "Step",
    "Threshold",
    "Verdict",
    "aevaluate",
    "evaluate",
]

_MODULES = {
    "asking.asking": ("Progress",),
    "collection.collection": ("Collection",),
    "collection.errors": ("CollectionError",),
    "asking.estimate": ("Estimate",),
    "evaluating": ("aevaluate", "evaluate"),
    "evaluation": ("Evaluation",),
    "result": (
        "Agreement",
        "HeldOut",
        "Judging",
        "ModelUse",
        "Plan",
        "PlanResult",
        "Share",
        "Step",
        "Threshold",
        "Verdict",
    ),
    "settings": ("Settings", "SettingsKeywords"),
}


def __getattr__(name: str) -> object:
    # Lazily: the collection can be used without the libraries that compute the result.
    for module, names in _MODULES.items():
        if name in names:
            found: object = getattr(import_module(f".{module}", __name__), name)
            globals()[name] = found
            return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*__all__]
