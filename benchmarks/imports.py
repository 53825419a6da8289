"""What it costs to import a client, in a process that has just begun."""

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
    """With the framework's own base class."""
    beyond_base: float
    """Without it."""
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
    """Import `rounds` times, the base first; an import before, which may compile, is left out."""
    _times(wanted)
    times = [_times(wanted) for _ in range(rounds)]
    return ImportCost(
        client=wanted.client,
        total=1000 * median(base + beyond for base, beyond, _ in times),
        beyond_base=1000 * median(beyond for _, beyond, _ in times),
        loads_httpx=any(loads_httpx for _, _, loads_httpx in times),
    )


def _times(wanted: Import) -> tuple[float, float, bool]:
    """Return the seconds of the base and of what comes on top of it, and if that loads httpx."""
    # In one process: two take more or less by other things than what they import.
    code = f"""
import sys, time
began = time.process_time()
{wanted.base}
between = time.process_time()
{wanted.statement}
ended = time.process_time()
print()
print(between - began, ended - between, int("httpx" in sys.modules))
"""
    done = subprocess.run(
        [python_of(wanted.environment), "-c", code],
        cwd=ROOT / "build",
        env=clean_environment(),
        capture_output=True,
        check=False,
        text=True,
    )
    if done.returncode:
        raise ClientFailedError(f"{wanted.client}: {wanted.statement!r} fails")
    base, beyond, loads_httpx = done.stdout.splitlines()[-1].split()
    return float(base), float(beyond), loads_httpx == "1"
