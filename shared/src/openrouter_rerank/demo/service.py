"""
Who answers: OpenRouter if there is a key, else the local scorer in this process.
"""

import os
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from openrouter_rerank.demo.pipeline import RerankerSettings
from openrouter_rerank.local.transport import LocalTransport
from openrouter_rerank.models import DEFAULT_MODEL

IMAGE_MODEL = "nvidia/llama-nemotron-rerank-vl-1b-v2:free"
TEXT_MODEL = DEFAULT_MODEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """
    Where the requests go, and what to tell the reader about it.
    """

    description: str
    settings: RerankerSettings


def service() -> Service:
    """Find out who answers, by the key in the environment."""
    if os.environ.get("OPENROUTER_API_KEY", "").strip():
        where = os.environ.get("OPENROUTER_API_BASE", "").strip()
        at = f" at {where}" if where else ""
        return Service(
            description=(
                f"OpenRouter{at} answers, with the key in OPENROUTER_API_KEY: text by "
                f"{TEXT_MODEL}, pictures by {IMAGE_MODEL}."
            ),
            settings={},
        )
    return Service(
        description=(
            "There is no OPENROUTER_API_KEY, so the local scorer answers, not OpenRouter. It "
            "compares words, and what a small English model takes texts to mean, each on its own; "
            "a hosted model reads question and passage together. Of a picture it knows the "
            "caption, never what the picture shows. Its order can be worse than the retriever's."
        ),
        settings={
            "api_key": SecretStr("local"),
            # Nothing is sent there: the transport answers.
            "base_url": "http://localhost/api/v1",
            "http_client": httpx.Client(transport=LocalTransport()),
        },
    )
