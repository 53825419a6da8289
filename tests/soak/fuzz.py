"""
Fuzzes the reader of answers: `python -m tests.soak.fuzz --responses 1000000`.

Each damaged answer must be read as a valid ranking or as a typed error. One that is not is written
to a file, which `--replay` reads.
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

from tests.soak.mutation import exchange, generated, mutated, recorded

CRASHES = Path("build/fuzz")


def flaw(outcome, request):
    """What is wrong with an outcome, or `None`."""
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


def outcome_of(case, read=decode):
    """Read one answer: its outcome, or the exception that escaped; and what is wrong with it."""
    try:
        outcome = read(case.response, case.request)
    except Exception as escaped:  # noqa: BLE001 Finding any is the purpose
        return escaped, f"{type(escaped).__name__} escaped"
    return outcome, flaw(outcome, case.request)


def cases(seed, count):
    """Damaged answers, the same for the same seed."""
    chance = random.Random(seed)
    corpus = [*recorded(), *generated(chance, 100)]
    for _ in range(count):
        yield mutated(chance, chance.choice(corpus))


def fuzz(seed, count, read=decode):
    """Read so many answers; return how often each outcome was met, and the cases with a flaw."""
    outcomes, failures = Counter(), []
    for case in cases(seed, count):
        outcome, wrong = outcome_of(case, read)
        outcomes[type(outcome).__name__] += 1
        if wrong is not None:
            failures.append((wrong, case))
    return outcomes, failures


def saved(wrong, case, number, folder=CRASHES):
    """Write a case to a file that `loaded` reads."""
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
    """Read a case that was written to a file."""
    content = json.loads(file.read_text())
    return exchange(
        content["body"].encode("latin-1"),
        documents=content["documents"],
        results=content["results"],
        status=content["status"],
        headers=content["headers"],
    )


def main():
    """Fuzz, print figures, and tell whether anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--responses", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.randrange(10**9))
    parser.add_argument("--replay", type=Path, help="a file that an earlier run has written")
    options = parser.parse_args()
    if options.replay:
        print(*outcome_of(loaded(options.replay)), sep="\n")
        return 0

    started = time.perf_counter()
    outcomes, failures = fuzz(options.seed, options.responses)
    taken = time.perf_counter() - started

    print(f"seed {options.seed}: {options.responses:,} answers in {taken:.1f} s,", end=" ")
    print(f"{options.responses / taken:,.0f} a second")
    for name, count in outcomes.most_common():
        print(f"  {name:26} {count:>10,}  {count / options.responses:7.2%}")
    print(f"  {'wrong':26} {len(failures):>10,}")
    for number, (wrong, case) in enumerate(failures[:20]):
        print(f"{wrong}: python -m tests.soak.fuzz --replay {saved(wrong, case, number)}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
