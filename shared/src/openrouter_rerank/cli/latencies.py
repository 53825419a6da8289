"""
How fast models answer, which the list of a service does not say.

Source: OpenRouter's pages of the models, as of `openrouter_rerank.models.CATALOGUE_DATE`.
"""

from collections.abc import Mapping
from types import MappingProxyType

LATENCIES: Mapping[str, str] = MappingProxyType(
    {
        "mongodb/rerank-2.5-lite": "0.14 s",
        "mongodb/rerank-3-lite": "0.23 s",
        "mongodb/rerank-3": "0.20 s",
        "cohere/rerank-5-fast": "0.39 s",
        "cohere/rerank-v3.5": "0.33 to 0.40 s",
    }
)
"""The median response time of a model, as text to read. Models whose page has none are missing."""
