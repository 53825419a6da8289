"""
The demo from the corpus to the bill.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.text import Text

from openrouter_rerank.demo.embedding import StaticEmbedding
from openrouter_rerank.demo.frameworks import PACKAGES, installed_frameworks
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pictures import pictures
from openrouter_rerank.demo.pipeline import Embed, Framework, Pipeline
from openrouter_rerank.demo.service import IMAGE_MODEL, TEXT_MODEL, Service, service
from openrouter_rerank.demo.terminal import answered_by, bill, comparison
from openrouter_rerank.demo.vector_cache import cached, user_cache
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.ranking import Ranking

# As a Python programmer may ask, in words that the documentation does not use. They were written
# before their answers were seen, and the local scorer does not do well on all of them.
QUESTIONS = (
    "Why does my function remember the list from the last call?",
    "How can I throw away a folder with everything in it?",
    "How do I wait for several coroutines at once?",
)
MIXED_QUESTION = "Which method wins if a class has two parents that share an ancestor?"
CANDIDATES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """What stays the same for all questions."""

    console: Console
    passages: Mapping[str, Passage]
    pipelines: Mapping[str, Pipeline]
    service: Service
    rankings: list[Ranking] = field(default_factory=list)


def run(
    console: Console,
    passages: Sequence[Passage],
    questions: Sequence[str] = (),
    *,
    frameworks: Mapping[str, Framework] | None = None,
    cache: Path | None = None,
) -> None:
    """
    Answer `questions` in every installed framework, and show how reranking changed the order.

    Args:
        console: Where it is shown.
        passages: What is searched; the pictures come on top.
        questions: The prepared ones by default, the last of them over text and pictures.
        frameworks: Those that are installed by default.
        cache: Where vectors are kept; the user's folder for it by default.

    Raises:
        ConfigurationError: No framework package is installed; the message names them.
        OpenRouterRerankError: The service failed.
    """
    answering = service()
    console.print(answering.description)
    taking_part = installed_frameworks() if frameworks is None else frameworks
    _tell_missing(console, taking_part.keys())

    searched = [*passages, *pictures()]
    embed = _embedded(console, searched, user_cache() if cache is None else cache)
    stage = _Stage(
        console=console,
        passages={passage.id: passage for passage in searched},
        pipelines={name: fill(searched, embed) for name, fill in taking_part.items()},
        service=answering,
    )
    console.print(
        f"{len(searched)} passages of Python's documentation, pictures included; the retriever "
        f"fetches {CANDIDATES} for each question, and reranking orders them anew."
    )
    asked = [(question, TEXT_MODEL) for question in questions or QUESTIONS]
    if not questions:
        asked.append((MIXED_QUESTION, IMAGE_MODEL))
    seconds = sum(_ask(stage, question, model) for question, model in asked)
    console.print()
    console.print(bill(stage.rankings, seconds=seconds), style="bold")


def _tell_missing(console: Console, installed: Collection[str]) -> None:
    missing = {name: package for name, package in PACKAGES.items() if name not in installed}
    if not installed:
        message = f"no framework is installed: pip install {' or '.join(missing.values())}"
        raise ConfigurationError(message)
    for name, package in missing.items():
        console.print(f"{name} takes no part, its package is missing: pip install {package}")


def _embedded(console: Console, passages: Sequence[Passage], cache: Path) -> Embed:
    """Embed all passages, and make what embeds questions too."""
    embedding = StaticEmbedding()
    texts = [passage.text for passage in passages]
    watched = partial(
        track,
        description="Embedding, once",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    vectors = cached(texts, cache, lambda: embedding.vectors(texts, watched))
    known = dict(zip(texts, vectors, strict=True))

    def embed(text: str) -> list[float]:
        vector = known[text] if text in known else embedding.vectors([text])[0]
        return [float(part) for part in vector]

    return embed


def _ask(stage: _Stage, question: str, model: str) -> float:
    """Show one question in all frameworks, and tell the seconds that it took."""
    stage.console.print()
    stage.console.print(Text(question, style="bold"))
    taken = 0.0
    for name, pipeline in stage.pipelines.items():
        answers: list[Ranking] = []
        settings = stage.service.settings | {"model": model, "on_response": answers.append}
        began = time.perf_counter()
        outcome = pipeline(question, k=CANDIDATES, settings=settings)
        taken += time.perf_counter() - began
        stage.console.print(
            comparison(
                f"{name}, by {answered_by(answers)}",
                outcome,
                stage.passages,
                width=stage.console.width,
            )
        )
        stage.rankings.extend(answers)
    return taken
