"""A small collection, and runs of `ask` on it."""

import asyncio

from openrouter_rerank import AsyncRerankClient
from openrouter_rerank.budget import Budget
from openrouter_rerank.evaluation.asking.asking import ask
from openrouter_rerank.evaluation.asking.caller import Caller
from openrouter_rerank.evaluation.asking.matrix import Matrix
from openrouter_rerank.evaluation.asking.schedule import sample
from openrouter_rerank.evaluation.collection.collection import Collection
from openrouter_rerank.evaluation.settings import Settings

MODELS = ("cohere/rerank-v3.5", "mongodb/rerank-3-lite")


def small_collection(questions=8, candidates=6):
    """Return a collection; the only relevant document of question 3 is its third candidate."""
    documents = {
        f"d{question}-{rank}": f"text of {question} {'word ' * rank}{rank}"
        for question in range(questions)
        for rank in range(candidates)
    }
    return Collection(
        name="small",
        questions={f"q{each}": f"text {each} word" for each in range(questions)},
        documents=documents,
        judgements={f"q{each}": {f"d{each}-{each % candidates}": 1} for each in range(questions)},
        candidates={
            f"q{each}": tuple(f"d{each}-{rank}" for rank in range(candidates))
            for each in range(questions)
        },
    )


def settings(**options):
    """Return settings for two models, without probes."""
    return Settings(**{"models": MODELS, "depths": (2, 6), "probes": 0} | options)


def asked(stage, path, collection, chosen, *, limit=None, progress=None, stop=None, **options):
    """Ask in a new event loop, with the file at `path`; return the scores."""
    collection = sample(collection, chosen)

    async def run():
        client = AsyncRerankClient(
            base_url=stage.base_url,
            api_key=stage.api_key,
            budget=None if limit is None else Budget(limit),
            max_retries=0,
        )
        async with client, Caller(client, concurrency=chosen.concurrency, **options) as caller:
            with Matrix(path / "matrix.sqlite") as matrix:
                return await ask(
                    collection,
                    chosen,
                    caller=caller,
                    matrix=matrix,
                    progress=progress or (lambda _: None),
                    stop=stop,
                )

    return asyncio.run(run())


def scores_of(scores):
    """Return the scores without times, which differ from run to run."""
    return {
        (call.model, call.question, call.depth, call.kind): (dict(call.scores), call.cost)
        for call in scores.calls
    }
