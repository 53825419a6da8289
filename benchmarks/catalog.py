"""The clients that are compared: ours, their peers, and what lies below both."""

from dataclasses import dataclass
from typing import Literal

Family = Literal["plain", "LangChain", "LlamaIndex", "HTTP"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """Says what a client is, and which functions of which environment call it."""

    name: str
    family: Family
    module: str
    """Below `benchmarks.clients`."""
    synchronous: str | None = None
    asynchronous: str | None = None
    environment: str = "bench"
    """The lock in `requirements/`, and the folder in `build/`, that it runs in."""
    packages: tuple[str, ...] = ()
    """Whose versions are reported."""
    takes_images: bool = False
    is_ours: bool = False


YARDSTICK = Client(
    name="httpx",
    family="HTTP",
    module="bare",
    synchronous="yardstick",
    asynchronous="yardstick_async",
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
    name="the LangChain class without its tracing",
    family="LangChain",
    module="ours",
    synchronous="langchain_untraced",
)
AIOHTTP = Client(
    name="aiohttp",
    family="HTTP",
    module="bare",
    asynchronous="aiohttp_async",
    packages=("aiohttp",),
)
RAW_SOCKET = Client(
    name="raw socket",
    family="HTTP",
    module="bare",
    synchronous="raw_socket",
    asynchronous="raw_socket_async",
    takes_images=True,
)
OURS = (CORE, LANGCHAIN, LLAMAINDEX)
HTTP = (
    AIOHTTP,
    RAW_SOCKET,
    Client(
        name="httpx2",
        family="HTTP",
        module="bare",
        synchronous="httpx2",
        asynchronous="httpx2_async",
        packages=("httpx2",),
        takes_images=True,
    ),
    Client(
        name="httpx on aiohttp",
        family="HTTP",
        environment="bench-transports",
        module="bare",
        asynchronous="httpx_aiohttp_async",
        packages=("httpx-aiohttp",),
    ),
    Client(
        name="httpx on pyreqwest (Rust)",
        family="HTTP",
        environment="bench-transports",
        module="bare",
        synchronous="pyreqwest",
        asynchronous="pyreqwest_async",
        packages=("pyreqwest",),
    ),
)
ON_OTHERS = (
    Client(
        name="openrouter-rerank on aiohttp",
        family="plain",
        environment="bench-transports",
        module="ours",
        asynchronous="core_aiohttp_async",
    ),
    Client(
        name="openrouter-rerank on pyreqwest (Rust)",
        family="plain",
        environment="bench-transports",
        module="ours",
        synchronous="core_rust",
        asynchronous="core_rust_async",
    ),
)
"""Our client, with an httpx client on another transport as its `http_client`."""
PEERS = (
    Client(
        name="openrouter (SDK)",
        family="plain",
        module="sdks",
        synchronous="openrouter",
        asynchronous="openrouter_async",
        environment="bench-sdks",
        packages=("openrouter",),
        takes_images=True,
    ),
    Client(
        name="cohere (SDK)",
        family="plain",
        module="sdks",
        synchronous="cohere",
        asynchronous="cohere_async",
        environment="bench-sdks",
        packages=("cohere",),
    ),
    Client(
        name="voyageai (SDK)",
        family="plain",
        module="sdks",
        synchronous="voyageai",
        asynchronous="voyageai_async",
        environment="bench-sdks",
        packages=("voyageai",),
    ),
    Client(
        name="litellm",
        family="plain",
        module="sdks",
        synchronous="litellm",
        asynchronous="litellm_async",
        environment="bench-sdks",
        packages=("litellm",),
    ),
    Client(
        name="langchain-cohere",
        family="LangChain",
        module="adapters",
        synchronous="langchain_cohere",
        asynchronous="langchain_cohere_async",
        environment="bench-adapters",
        packages=("langchain-cohere", "cohere"),
    ),
    Client(
        name="langchain-voyageai",
        family="LangChain",
        module="adapters",
        synchronous="langchain_voyageai",
        asynchronous="langchain_voyageai_async",
        environment="bench-sdks",
        packages=("langchain-voyageai",),
    ),
    Client(
        name="llama-index-postprocessor-cohere-rerank",
        family="LlamaIndex",
        module="adapters",
        synchronous="llamaindex_cohere",
        asynchronous="llamaindex_cohere_async",
        environment="bench-adapters",
        packages=("llama-index-postprocessor-cohere-rerank",),
    ),
    Client(
        name="llama-index-postprocessor-voyageai-rerank",
        family="LlamaIndex",
        module="adapters",
        synchronous="llamaindex_voyageai",
        asynchronous="llamaindex_voyageai_async",
        environment="bench-adapters",
        packages=("llama-index-postprocessor-voyageai-rerank", "voyageai"),
    ),
)
COMMON_PEERS = tuple(
    client
    for client in PEERS
    if client.name
    in {"openrouter (SDK)", "langchain-cohere", "llama-index-postprocessor-cohere-rerank"}
)
"""Of each family the one that most people use; measured in short runs, too."""
EVERYBODY = (YARDSTICK, *OURS, *ON_OTHERS, *PEERS, *HTTP)
