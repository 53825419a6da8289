"""
The whole demo: embeds the passages, asks the questions in each framework, and prints the results.
"""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import track
from rich.text import Text

from openrouter_rerank.cli.output import progress
from openrouter_rerank.demo.embedding import StaticEmbedding
from openrouter_rerank.demo.frameworks import PACKAGES, installed_frameworks
from openrouter_rerank.demo.passage import Passage
from openrouter_rerank.demo.pictures import pictures
from openrouter_rerank.demo.pipeline import Embed, Outcome, Pipeline, PipelineFactory
from openrouter_rerank.demo.service import IMAGE_MODEL, TEXT_MODEL, Service, select_service
from openrouter_rerank.demo.terminal import comparison_table, models_and_providers, totals
from openrouter_rerank.demo.vector_cache import cached_vectors, user_cache_folder
from openrouter_rerank.errors import ConfigurationError
from openrouter_rerank.ranking import Ranking

# Questions of a Python programmer, in words that the documentation does not use. They were written
# before the results were known, and the local scorer does not answer all of them well.
QUESTIONS = (
    "Why does my function remember the list from the last call?",
    "How can I throw away a folder with everything in it?",
    "How do I wait for several coroutines at once?",
)
MIXED_QUESTION = "Which method wins if a class has two parents that share an ancestor?"
CANDIDATES = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one framework has answered to one question."""

    question: str
    framework: str
    outcome: Outcome
    rankings: Sequence[Ranking]
    """One, or none if no request was sent."""
    seconds: float
    """How long retrieving and reranking took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Setup:
    """What all questions use."""

    console: Console
    passages: Mapping[str, Passage]
    pipelines: Mapping[str, Pipeline]
    service: Service


def run(
    console: Console,
    passages: Sequence[Passage],
    questions: Sequence[str] = (),
    *,
    frameworks: Mapping[str, PipelineFactory] | None = None,
    cache: Path | None = None,
) -> list[Answer]:
    """
    Answer `questions` in every installed framework, and show how reranking changed the order.

    The answers are also returned.

    Args:
        console: Where the results are printed.
        passages: The passages to search, in addition to the pictures.
        questions: By default, the prepared questions, of which the last is about text and pictures.
        frameworks: By default, the installed frameworks.
        cache: The folder for the vectors. By default, the user's cache folder.

    Raises:
        ConfigurationError: If no framework package is installed; the message names the packages.
        OpenRouterRerankError: If a call failed.
    """
    service = select_service()
    console.print(service.description)
    with progress("loading the frameworks"):
        factories = installed_frameworks() if frameworks is None else frameworks
    _print_missing(console, factories.keys())

    searched = [*passages, *pictures()]
    embed = _embed(console, searched, user_cache_folder() if cache is None else cache)
    with progress("filling the vector stores"):
        pipelines = {name: factory(searched, embed) for name, factory in factories.items()}
    setup = _Setup(
        console=console,
        passages={passage.id: passage for passage in searched},
        pipelines=pipelines,
        service=service,
    )
    console.print(
        f"Searching {len(searched)} passages of Python's documentation, pictures included. For "
        f"each question, the retriever fetches {CANDIDATES} passages, and the reranker reorders "
        "them."
    )
    models = [(question, TEXT_MODEL) for question in questions or QUESTIONS]
    if not questions:
        models.append((MIXED_QUESTION, IMAGE_MODEL))
    answers = [answer for question, model in models for answer in _ask(setup, question, model)]
    rankings = [ranking for answer in answers for ranking in answer.rankings]
    seconds = sum(answer.seconds for answer in answers)
    console.print()
    console.print(totals(rankings, seconds=seconds), style="bold")
    return answers


def _print_missing(console: Console, installed: Collection[str]) -> None:
    missing = {name: package for name, package in PACKAGES.items() if name not in installed}
    if not installed:
        message = f"no framework is installed: pip install {' or '.join(missing.values())}"
        raise ConfigurationError(message)
    for name, package in missing.items():
        console.print(f"Skipping {name} (not installed): pip install {package}")


def _embed(console: Console, passages: Sequence[Passage], cache: Path) -> Embed:
    """Embed all passages, and return a function that embeds passages and questions."""
    embedding = StaticEmbedding()
    texts = [passage.text for passage in passages]
    track_progress = partial(
        track,
        description="Embedding (first run only)",
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    vectors = cached_vectors(texts, cache, lambda: embedding.vectors(texts, track_progress))
    precomputed = dict(zip(texts, vectors, strict=True))

    def embed(text: str) -> list[float]:
        vector = precomputed[text] if text in precomputed else embedding.vectors([text])[0]
        return [float(part) for part in vector]

    return embed


def _ask(setup: _Setup, question: str, model: str) -> Iterator[Answer]:
    """Print and yield the answer of each framework to one question."""
    setup.console.print()
    setup.console.print(Text(question, style="bold"))
    for name, pipeline in setup.pipelines.items():
        rankings: list[Ranking] = []
        settings = setup.service.settings | {"model": model, "on_response": rankings.append}
        start = time.perf_counter()
        with progress(f"{name}: retrieving and reranking"):
            outcome = pipeline(question, k=CANDIDATES, settings=settings)
        seconds = time.perf_counter() - start
        setup.console.print(
            comparison_table(
                f"{name}, by {models_and_providers(rankings)}",
                outcome,
                setup.passages,
                width=setup.console.width,
            )
        )
        yield Answer(
            question=question,
            framework=name,
            outcome=outcome,
            rankings=rankings,
            seconds=seconds,
        )
