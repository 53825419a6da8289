"""The CPU time of importing a client in a new process."""

import subprocess
from dataclasses import dataclass
from statistics import median

from .processes import ROOT, ClientFailedError, clean_environment, python_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """An import that users write."""

    client: str
    statement: str
    base: str = "pass"
    """The import of the framework's base class, which runs before `statement`."""
    environment: str = "clients"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCost:
    """The CPU time of an import, in milliseconds."""

    client: str
    total: float
    """The time of both imports, that of the framework's base class and that of the client."""
    beyond_base: float
    """The time of the client's import alone, after the base class."""
    loads_httpx: bool


# Our class is a Runnable, as retrievers and chains are, so an application that has one of those has
# already imported `RunnableSerializable`.
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
        environment="sdks",
    ),
    Import(client="cohere (SDK)", statement="from cohere import ClientV2", environment="sdks"),
    Import(client="voyageai (SDK)", statement="from voyageai import Client", environment="sdks"),
    Import(client="litellm", statement="from litellm import rerank", environment="sdks"),
    Import(
        client="langchain-cohere",
        statement="from langchain_cohere import CohereRerank",
        base=_LANGCHAIN,
        environment="adapters",
    ),
    Import(
        client="langchain-voyageai",
        statement="from langchain_voyageai import VoyageAIRerank",
        base=_LANGCHAIN,
        environment="sdks",
    ),
    Import(
        client="llama-index-postprocessor-cohere-rerank",
        statement="from llama_index.postprocessor.cohere_rerank import CohereRerank",
        base=_LLAMAINDEX,
        environment="adapters",
    ),
    Import(
        client="llama-index-postprocessor-voyageai-rerank",
        statement="from llama_index.postprocessor.voyageai_rerank import VoyageAIRerank",
        base=_LLAMAINDEX,
        environment="adapters",
    ),
)


def import_cost(wanted: Import, *, rounds: int) -> ImportCost:
    """Return the medians of `rounds` imports, each in a new process."""
    # The first import may compile, so it is not counted.
    _times(wanted)
    times = [_times(wanted) for _ in range(rounds)]
    return ImportCost(
        client=wanted.client,
        total=1000 * median(base + beyond for base, beyond, _ in times),
        beyond_base=1000 * median(beyond for _, beyond, _ in times),
        loads_httpx=any(loads_httpx for _, _, loads_httpx in times),
    )


def _times(wanted: Import) -> tuple[float, float, bool]:
    """Return the seconds of both imports, and `True` if httpx is loaded after them."""
    # One process runs both imports: the times of two processes also differ for other reasons.
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
