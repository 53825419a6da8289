"""
Fuzzes the function that decodes responses: `python -m tests.soak.fuzz --responses 1000000`.

Each damaged response must be decoded to a valid ranking or to a typed error. The program writes
each response for which this fails to a file, and `--replay` decodes that file.
"""

import argparse
import json
import math
import random
import sys
import time
from collections import Counter
from pathlib import Path

from openrouter_rerank import Ranking
from openrouter_rerank._wire.response import decode
from openrouter_rerank.errors import OpenRouterRerankError

from tests.soak.mutation import exchange, generated, hostile, mutated, recorded

CRASHES = Path("build/fuzz")


def flaw(outcome, request):
    """Return what is wrong with an outcome, or `None`."""
    if isinstance(outcome, Ranking):
        return _flaw_of_ranking(outcome, request)
    if not isinstance(outcome, OpenRouterRerankError):
        return f"neither a ranking nor a typed error: {type(outcome).__name__}"
    if not str(outcome).isprintable() or len(str(outcome)) > 1000:
        return "a message that is not safe for a log line"
    if outcome.retry_after is not None and not outcome.retry_after >= 0:
        return f"retry_after is {outcome.retry_after}"
    return None


def _flaw_of_ranking(ranking, request):
    indexes = [result.index for result in ranking.results]
    scores = [result.relevance_score for result in ranking.results]
    if len(indexes) != request.results:
        return f"{len(indexes)} results instead of {request.results}"
    if len(set(indexes)) != len(indexes) or not set(indexes) <= set(range(request.documents)):
        return f"{indexes} is no permutation of a subset of {request.documents} documents"
    if not all(type(score) is float and math.isfinite(score) for score in scores):
        return f"a score of {scores} is no finite number"
    if sorted(ranking.results, key=lambda row: (-row.relevance_score, row.index)) != [
        *ranking.results
    ]:
        return f"{scores} are not in order"
    cost = ranking.usage.cost
    return None if cost is None or 0 <= cost < math.inf else f"a cost of {cost}"


def outcome_of(case, decode=decode):
    """Decode a response. Return its outcome or the exception, and what is wrong with it."""
    try:
        outcome = decode(case.response, case.request)
    except Exception as escaped:  # noqa: BLE001 - the fuzzer looks for any exception
        return escaped, f"{type(escaped).__name__} escaped"
    return outcome, flaw(outcome, case.request)


def cases(seed, count):
    """Yield damaged responses, the same ones for the same seed."""
    rng = random.Random(seed)
    corpus = [*recorded(), *generated(rng, 100)]
    costly = [*hostile(rng, 50)]
    for _ in range(count):
        # These are long, so few of them keep the run fast.
        yield mutated(rng, rng.choice(costly if rng.random() < 0.001 else corpus))


def fuzz(seed, count, decode=decode):
    """Decode `count` responses. Return the number of each outcome, and the cases with a flaw."""
    outcomes, failures = Counter(), []
    for case in cases(seed, count):
        outcome, wrong = outcome_of(case, decode)
        outcomes[type(outcome).__name__] += 1
        if wrong is not None:
            failures.append((wrong, case))
    return outcomes, failures


def saved(wrong, case, number, folder=CRASHES):
    """Write a case to a file that `loaded` reads, and return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"case-{number}.json"
    content = {
        "wrong": wrong,
        "documents": case.request.documents,
        "results": case.request.results,
        "status": case.response.status,
        "headers": dict(case.response.headers),
        "body": case.response.body.decode("latin-1"),
    }
    file.write_text(json.dumps(content, indent=1))
    return file


def loaded(file):
    """Read a case from a file of `saved`."""
    content = json.loads(file.read_text())
    return exchange(
        content["body"].encode("latin-1"),
        documents=content["documents"],
        results=content["results"],
        status=content["status"],
        headers=content["headers"],
    )


def main():
    """Fuzz, print the figures, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--responses", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--replay", type=Path, help="decode a file that an earlier run has written")
    options = parser.parse_args()
    if options.replay:
        print(*outcome_of(loaded(options.replay)), sep="\n")
        return 0

    started = time.perf_counter()
    outcomes, failures = fuzz(options.seed, options.responses)
    taken = time.perf_counter() - started

    print(f"seed {options.seed}: {options.responses:,} responses in {taken:.1f} s,", end=" ")
    print(f"{options.responses / taken:,.0f} per second")
    for name, count in outcomes.most_common():
        print(f"  {name:26} {count:>10,}  {count / options.responses:7.2%}")
    print(f"  {'wrong':26} {len(failures):>10,}")
    for number, (wrong, case) in enumerate(failures[:20]):
        print(f"{wrong}: python -m tests.soak.fuzz --replay {saved(wrong, case, number)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
