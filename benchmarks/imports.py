"""What it costs to import a client, in a process that has just begun."""

import os
import subprocess
import sys
from dataclasses import dataclass
from statistics import median

from .pairing import ROOT, environment, python_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """A statement that users write, and the one of their framework that it comes on top of."""

    client: str
    statement: str
    base: str = "pass"
    environment: str = "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCost:
    """Milliseconds of CPU."""

    client: str
    total: float
    """More than an interpreter takes that imports nothing."""
    beyond_base: float
    """More than the framework's own base class takes."""
    loads_httpx: bool


_LANGCHAIN = "from langchain_core.documents import BaseDocumentCompressor"
_LLAMAINDEX = "from llama_index.core.postprocessor.types import BaseNodePostprocessor"

OURS = (
    Import(client="openrouter-rerank", statement="from openrouter_rerank import RerankClient"),
    Import(
        client="langchain-openrouter-rerank",
        statement="from langchain_openrouter_rerank import OpenRouterRerank",
        base=_LANGCHAIN,
    ),
    Import(
        client="llamaindex-openrouter-rerank",
        statement="from llamaindex_openrouter_rerank import OpenRouterRerank",
        base=_LLAMAINDEX,
    ),
)


def import_cost(wanted: Import, *, rounds: int) -> ImportCost:
    """Import `rounds` times, each after the base alone; the first, which may compile, is left."""
    python, totals, differences = python_of(wanted.environment), [], []
    for _ in range(rounds + 1):
        nothing, base = _cpu(python, "pass"), _cpu(python, wanted.base)
        cost = _cpu(python, wanted.statement)
        totals.append(cost - nothing)
        differences.append(cost - base)
    check = f"{wanted.statement}\nimport sys\nsys.exit('httpx' in sys.modules)"
    return ImportCost(
        client=wanted.client,
        total=1000 * median(totals[1:]),
        beyond_base=1000 * median(differences[1:]),
        loads_httpx=bool(_run(python, check)[0]),
    )


def _cpu(python: str, statement: str) -> float:
    status, seconds = _run(python, statement)
    if status:
        raise ImportError(statement)
    return seconds


def _run(python: str, code: str) -> tuple[int, float]:
    child = subprocess.Popen(
        [python, "-c", code],
        cwd=ROOT / "build",
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    sys.exit(print(*(import_cost(each, rounds=5) for each in OURS), sep="\n"))
