"""
Selects who ranks: OpenRouter if there is an API key, otherwise the local scorer in this process.
"""

import os
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from openrouter_rerank.demo.pipeline import RerankerSettings
from openrouter_rerank.local.transport import LocalTransport
from openrouter_rerank.models import DEFAULT_MODEL

IMAGE_MODEL = "nvidia/nemotron-3.5-rerank-8b:free"
TEXT_MODEL = DEFAULT_MODEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    The options that select a service, and a description of it for the user.
    """

    description: str
    settings: RerankerSettings


def select_service() -> Service:
    """Return OpenRouter if `OPENROUTER_API_KEY` is set, otherwise the local scorer."""
    if os.environ.get("OPENROUTER_API_KEY", "").strip():
        base_url = os.environ.get("OPENROUTER_API_BASE", "").strip()
        at_base_url = f" at {base_url}" if base_url else ""
        return Service(
            description=(
                f"OpenRouter{at_base_url} answers, with the key in OPENROUTER_API_KEY. "
                f"{TEXT_MODEL} ranks text, and {IMAGE_MODEL} ranks pictures."
            ),
            settings={},
        )
    return Service(
        description=(
            "There is no OPENROUTER_API_KEY, so the local scorer answers, not OpenRouter. It "
            "compares the words and the embeddings of question and passage; the embeddings come "
            "from a small English model, which reads each text separately. A hosted model reads "
            "question and passage together. The local scorer knows the captions of the pictures, "
            "never what they show. Its order can be worse than the retriever's."
        ),
        settings={
            "api_key": SecretStr("local"),
            # Nothing is sent to this address, because the transport answers.
            "base_url": "http://localhost/api/v1",
            "http_client": httpx.Client(transport=LocalTransport()),
        },
    )
