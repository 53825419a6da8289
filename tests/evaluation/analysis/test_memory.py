"""How much memory the computation needs."""

import subprocess
import sys

import pytest

pytest.importorskip("ir_measures", reason="the extra `evaluate` is not installed")

PROGRAM = """
import resource
from openrouter_rerank.evaluation.analysis.analysis import analyse
from openrouter_rerank.evaluation.settings import Settings
from tests.evaluation.constructed import random_evaluation

models, depths = {"a/small": 1.0, "b/large": 2.0}, (10, 20, 50, 100)
collection, scores = random_evaluation(
    questions=1190, candidates=100, models=models, depths=depths
)
found = analyse(collection, scores, Settings(models=(*models,), depths=depths))
print(len(found.questions), len(found.plans), found.verdict.kind)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
# On Linux, the memory of a process is at least that of the process that has started it. That is
# this one with all its tests, unless a small process starts the program.
START = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"


@pytest.mark.skipif(sys.platform == "win32", reason="needs getrusage")
def test_many_questions_need_little_memory():
    """1,190 questions with 100 documents and two models need less than 300 MB in all."""
    unit = 1 if sys.platform == "darwin" else 1024

    finished = subprocess.run(
        [sys.executable, "-c", START, PROGRAM], capture_output=True, text=True, check=True
    )

    result, peak = finished.stdout.splitlines()
    assert result == "1190 8 yes"
    assert int(peak) * unit < 300e6
