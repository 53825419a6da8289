"""What it costs to import a client, in a process that has just begun."""

import os
import subprocess
from dataclasses import dataclass
from statistics import median

from .children import ROOT, ClientFailedError, clean_environment, python_of


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


# Ours are Runnables too, and so are retrievers and chains: whoever has one has imported this.
_LANGCHAIN = (
    "from langchain_core.documents import BaseDocumentCompressor; "
    "from langchain_core.runnables import RunnableSerializable"
)
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

PEERS = (
    Import(
        client="openrouter (SDK)",
        statement="from openrouter import OpenRouter",
        environment="bench-sdks",
    ),
    Import(
        client="cohere (SDK)", statement="from cohere import ClientV2", environment="bench-sdks"
    ),
    Import(
        client="voyageai (SDK)", statement="from voyageai import Client", environment="bench-sdks"
    ),
    Import(client="litellm", statement="from litellm import rerank", environment="bench-sdks"),
    Import(
        client="langchain-cohere",
        statement="from langchain_cohere import CohereRerank",
        base=_LANGCHAIN,
        environment="bench-adapters",
    ),
    Import(
        client="langchain-voyageai",
        statement="from langchain_voyageai import VoyageAIRerank",
        base=_LANGCHAIN,
        environment="bench-sdks",
    ),
    Import(
        client="llama-index-postprocessor-cohere-rerank",
        statement="from llama_index.postprocessor.cohere_rerank import CohereRerank",
        base=_LLAMAINDEX,
        environment="bench-adapters",
    ),
    Import(
        client="llama-index-postprocessor-voyageai-rerank",
        statement="from llama_index.postprocessor.voyageai_rerank import VoyageAIRerank",
        base=_LLAMAINDEX,
        environment="bench-adapters",
    ),
)


def import_cost(wanted: Import, *, rounds: int) -> ImportCost:
    """Import `rounds` times, each after the base alone; a first one, which may compile, is left."""
    python = python_of(wanted.environment)
    if _run(python, wanted.statement)[0]:
        raise ClientFailedError(f"{wanted.client}: {wanted.statement!r} fails")
    totals: list[float] = []
    differences: list[float] = []
    for _ in range(rounds):
        nothing, base, cost = (
            _run(python, code)[1] for code in ("pass", wanted.base, wanted.statement)
        )
        totals.append(cost - nothing)
        differences.append(cost - base)
    check = f"{wanted.statement}\nimport sys\nsys.exit('httpx' in sys.modules)"
    return ImportCost(
        client=wanted.client,
        total=1000 * median(totals),
        beyond_base=1000 * median(differences),
        loads_httpx=bool(_run(python, check)[0]),
    )


def _run(python: str, code: str) -> tuple[int, float]:
    child = subprocess.Popen(
        [python, "-c", code],
        cwd=ROOT / "build",
        env=clean_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, usage.ru_utime + usage.ru_stime
