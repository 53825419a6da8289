"""The clients that are compared: our packages, their peers, and HTTP clients."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["plain", "LangChain", "LlamaIndex", "HTTP"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A client, the functions that call it, and the environment that they run in."""

    name: str
    family: Family
    module: str
    """A module of `benchmarks.clients`."""
    synchronous: str | None = None
    """The function of `module` that makes synchronous calls."""
    asynchronous: str | None = None
    """The function of `module` that makes asynchronous calls."""
    environment: str = "clients"
    """The lock file in `benchmarks/requirements/`, and the environment in `build/benchmarks/`."""
    packages: tuple[str, ...] = ()
    """The packages whose versions are reported."""
    takes_images: bool = False
    is_ours: bool = False


BASELINE = Client(
    name="httpx",
    family="HTTP",
    module="http_clients",
    synchronous="baseline",
    asynchronous="baseline_async",
    packages=("httpx", "httpcore", "h11", "orjson"),
    takes_images=True,
)
CORE = Client(
    name="openrouter-rerank",
    family="plain",
    module="ours",
    synchronous="core",
    asynchronous="core_async",
    packages=("openrouter-rerank", "pydantic"),
    takes_images=True,
    is_ours=True,
)
LANGCHAIN = Client(
    name="langchain-openrouter-rerank",
    family="LangChain",
    module="ours",
    synchronous="langchain",
    asynchronous="langchain_async",
    packages=("langchain-core",),
    takes_images=True,
    is_ours=True,
)
LLAMAINDEX = Client(
    name="llamaindex-openrouter-rerank",
    family="LlamaIndex",
    module="ours",
    synchronous="llamaindex",
    asynchronous="llamaindex_async",
    packages=("llama-index-core",),
    takes_images=True,
    is_ours=True,
)
UNTRACED = Client(
    name="langchain-openrouter-rerank without tracing",
    family="LangChain",
    module="ours",
    synchronous="langchain_untraced",
)
AIOHTTP = Client(
    name="aiohttp",
    family="HTTP",
    module="http_clients",
    asynchronous="aiohttp_async",
    packages=("aiohttp",),
)
RAW_SOCKET = Client(
    name="raw socket",
    family="HTTP",
    module="http_clients",
    synchronous="raw_socket",
    asynchronous="raw_socket_async",
    takes_images=True,
)
OURS = (CORE, LANGCHAIN, LLAMAINDEX)
HTTP_CLIENTS = (
    AIOHTTP,
    RAW_SOCKET,
    Client(
        name="httpx2",
        family="HTTP",
        module="http_clients",
        synchronous="httpx2",
        asynchronous="httpx2_async",
        packages=("httpx2",),
        takes_images=True,
    ),
    Client(
        name="httpx on aiohttp",
        family="HTTP",
        environment="transports",
        module="http_clients",
        asynchronous="httpx_aiohttp_async",
        packages=("httpx-aiohttp",),
    ),
    Client(
        name="httpx on pyreqwest (Rust)",
        family="HTTP",
        environment="transports",
        module="http_clients",
        synchronous="pyreqwest",
        asynchronous="pyreqwest_async",
        packages=("pyreqwest",),
    ),
)
ON_OTHER_TRANSPORTS = (
    Client(
        name="openrouter-rerank on aiohttp",
        family="plain",
        environment="transports",
        module="ours",
        asynchronous="core_aiohttp_async",
    ),
    Client(
        name="openrouter-rerank on pyreqwest (Rust)",
        family="plain",
        environment="transports",
        module="ours",
        synchronous="core_rust",
        asynchronous="core_rust_async",
    ),
)
"""Our client whose `http_client` is an httpx client with another transport."""
PEERS = (
    Client(
        name="openrouter (SDK)",
        family="plain",
        module="sdks",
        synchronous="openrouter",
        asynchronous="openrouter_async",
        environment="sdks",
        packages=("openrouter",),
        takes_images=True,
    ),
    Client(
        name="cohere (SDK)",
        family="plain",
        module="sdks",
        synchronous="cohere",
        asynchronous="cohere_async",
        environment="sdks",
        packages=("cohere",),
    ),
    Client(
        name="voyageai (SDK)",
        family="plain",
        module="sdks",
        synchronous="voyageai",
        asynchronous="voyageai_async",
        environment="sdks",
        packages=("voyageai",),
    ),
    Client(
        name="litellm",
        family="plain",
        module="sdks",
        synchronous="litellm",
        asynchronous="litellm_async",
        environment="sdks",
        packages=("litellm",),
    ),
    Client(
        name="langchain-cohere",
        family="LangChain",
        module="adapters",
        synchronous="langchain_cohere",
        asynchronous="langchain_cohere_async",
        environment="adapters",
        packages=("langchain-cohere", "cohere"),
    ),
    Client(
        name="langchain-voyageai",
        family="LangChain",
        module="adapters",
        synchronous="langchain_voyageai",
        asynchronous="langchain_voyageai_async",
        environment="sdks",
        packages=("langchain-voyageai",),
    ),
    Client(
        name="llama-index-postprocessor-cohere-rerank",
        family="LlamaIndex",
        module="adapters",
        synchronous="llamaindex_cohere",
        asynchronous="llamaindex_cohere_async",
        environment="adapters",
        packages=("llama-index-postprocessor-cohere-rerank",),
    ),
    Client(
        name="llama-index-postprocessor-voyageai-rerank",
        family="LlamaIndex",
        module="adapters",
        synchronous="llamaindex_voyageai",
        asynchronous="llamaindex_voyageai_async",
        environment="adapters",
        packages=("llama-index-postprocessor-voyageai-rerank", "voyageai"),
    ),
)
COMMON_PEERS = tuple(
    client
    for client in PEERS
    if client.name
    in {"openrouter (SDK)", "langchain-cohere", "llama-index-postprocessor-cohere-rerank"}
)
"""The most used peer of each family. Short runs measure these peers only."""
ALL_CLIENTS = (BASELINE, *OURS, *ON_OTHER_TRANSPORTS, *PEERS, *HTTP_CLIENTS)
