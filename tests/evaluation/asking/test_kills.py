"""Promise: an answered call is kept, even if SIGKILL ends the process at any moment."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from openrouter_rerank import AsyncRerankClient
from openrouter_rerank.evaluation.asking.caller import Caller
from openrouter_rerank.evaluation.asking.matrix import Matrix
from openrouter_rerank.evaluation.judge.grades import Grades
from openrouter_rerank.evaluation.judge.judging import judge

from tests.evaluation.chat_replies import judging
from tests.evaluation.small_collection import asked, scores_of, settings, small_collection
from tests.repetitions import repetitions

KILLS = repetitions(local=20, ci=50)
QUESTIONS = 6 * KILLS
CONCURRENCY = 4

ROOT = Path(__file__).parents[3]
# Imports take longer than the asking. So one process asks once, and then each of its forks asks.
FORKS = """
    import os, sys
    from pathlib import Path
    from types import SimpleNamespace
    sys.path.insert(0, sys.argv[1])
    from tests.evaluation.small_collection import asked, settings, small_collection
    from tests.evaluation.asking.test_kills import JUDGES, judged

    work, url, key, folder, questions, concurrency = sys.argv[2:]
    work = {"asked": asked, "judged": judged}[work]
    stage = SimpleNamespace(base_url=url, api_key=key)
    asked(stage, Path(folder) / "first", small_collection(1), settings())
    print("ready", flush=True)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            chosen = settings(concurrency=int(concurrency), probes=3, judge=JUDGES)
            work(stage, Path(folder), small_collection(int(questions)), chosen)
            os._exit(0)
        print(child, flush=True)
        # It is not reaped before the next line, so that no other process can have its number.
        print(os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT).si_status, flush=True)
        sys.stdin.readline()
        os.waitpid(child, 0)
"""


JUDGES = ("maker/judge", "other/second")
ANSWER = judging(lambda _, passage, __: int(passage[-1]) % 4)


def judged(stage, path, collection, chosen):
    """Ask judges for the grades of all candidates; return the grades and the cost."""

    async def run():
        client = AsyncRerankClient(base_url=stage.base_url, api_key=stage.api_key, max_retries=0)
        async with client, Caller(client, concurrency=chosen.concurrency) as caller:
            with Matrix(path / "matrix.sqlite") as matrix:
                found = await judge(
                    collection,
                    collection.candidates,
                    chosen,
                    caller=caller,
                    grades=Grades(matrix),
                    stop=asyncio.Event(),
                )
        return found.grades, pytest.approx(found.cost)

    return asyncio.run(run())


def result_of_asking(*arguments):
    """Ask the models; return the scores without times."""
    return scores_of(asked(*arguments))


WORK = {"asked": result_of_asking, "judged": judged}


class Killer:
    """Replies to requests, and kills a process a moment after some of them."""

    def __init__(self, answer):
        self.requests = 0
        self._answer = answer
        self._random = random.Random(5)
        self._left = None
        self._timer = None
        self._process = None

    def kill_soon(self, process):
        """Kill `process` after one of its next requests."""
        self._process, self._left = process, self._random.randint(1, 8)

    def reply(self, request):
        """Reply to a request."""
        self.requests += 1
        if self._left is not None:
            self._left -= 1
            if self._left == 0:
                moment = self._random.uniform(0, 0.01)
                self._timer = threading.Timer(moment, os.kill, (self._process, signal.SIGKILL))
                self._timer.start()
        return self._answer(request)

    def has_ended(self):
        """Let no kill be left."""
        self._left = None
        if self._timer is not None:
            self._timer.join()
            self._timer = None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize("work", WORK)
def test_a_killed_process_asks_at_most_its_calls_in_flight_again(stage, tmp_path, work):
    """Each kill costs at most `concurrency` requests, and the result is that without kills."""
    chosen = settings(concurrency=CONCURRENCY, probes=3, judge=JUDGES)
    collection = small_collection(QUESTIONS)
    stage.always(ANSWER)
    undisturbed = WORK[work](stage, tmp_path / "undisturbed", collection, chosen)
    needed = len(stage.requests)
    killer = Killer(ANSWER)
    arguments = (
        ROOT,
        work,
        stage.base_url,
        stage.api_key,
        tmp_path / "killed",
        QUESTIONS,
        CONCURRENCY,
    )
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(FORKS), *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as forks:

        def say():
            forks.stdin.write("\n")
            forks.stdin.flush()

        assert forks.stdout.readline() == "ready\n"
        stage.always(killer.reply)
        kills = 0
        for _ in range(KILLS):
            say()
            killer.kill_soon(int(forks.stdout.readline()))
            kills += int(forks.stdout.readline()) == signal.SIGKILL
            killer.has_ended()
            say()
        say()
        forks.stdout.readline()
        assert forks.stdout.readline() == "0\n"
        forks.stdin.close()
    found = WORK[work](stage, tmp_path / "killed", collection, chosen)

    assert kills > KILLS / 2
    assert needed <= killer.requests <= needed + kills * CONCURRENCY
    assert found == undisturbed
