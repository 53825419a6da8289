"""
The first lines of the demo: what it does, who ranks, and what that costs.
"""

import os
import platform
from collections.abc import Iterator

from openrouter_rerank.budget import shown_dollars
from openrouter_rerank.models import DEFAULT_MODEL, MODELS

CANDIDATES = 25
"""How many passages the retriever fetches for a question."""
PAID_QUESTIONS = 10
"""How many judged questions are asked if the answers cost something."""
BUDGET = 0.05
"""US dollars. Twice what the demo costs without questions of the user."""


def has_key() -> bool:
    """Return `True` if OpenRouter answers, and not the local scorer."""
    return bool(os.environ.get("OPENROUTER_API_KEY", "").strip())


def introduction(own_questions: int, frameworks: int) -> Iterator[str]:
    """
    Yield sentences for a newcomer.

    Args:
        own_questions: The number of questions of the user. 0: the judged ones are asked.
        frameworks: The number of frameworks that are installed.
    """
    yield (
        f"Questions to the documentation of Python {platform.python_version()}: the retriever "
        f"fetches {CANDIDATES} passages, and the reranker puts them in a new order."
    )
    if not has_key():
        yield (
            "The reranker is a small local model, which costs nothing. If OPENROUTER_API_KEY is "
            f"set, it is {DEFAULT_MODEL}."
        )
        return
    # Each framework answers what is shown. The other judged questions are asked once.
    shown = own_questions or 1
    requests = shown * max(1, frameworks) + (0 if own_questions else PAID_QUESTIONS - 1)
    base_url = os.environ.get("OPENROUTER_API_BASE", "").strip()
    yield (
        f"The reranker is {DEFAULT_MODEL}, from OpenRouter{f' at {base_url}' if base_url else ''}: "
        f"at most {requests} requests of one search unit each. Price: "
        f"{MODELS[DEFAULT_MODEL].price}. A budget of {shown_dollars(BUDGET)} ends the demo."
    )
