"""
The listing of rerank models, in the shape of OpenRouter's.
"""

from collections.abc import Iterable
from urllib.parse import parse_qs

from openrouter_rerank.models import MODELS


def listing(query: str, local: Iterable[str]) -> dict[str, object]:
    """
    List the models that the service answers to.

    Args:
        query: The query string. As at OpenRouter rerank models show only when asked for.
        local: The slugs of the scorers that are installed.
    """
    asked = ",".join(parse_qs(query).get("output_modalities", ["text"])).split(",")
    shown = {"rerank", "all"}.intersection(asked)
    entries = [_entry(slug, None, ["text"]) for slug in local] + [
        _entry(model.slug, model.context_length, ["text", "image"][: 1 + model.takes_images])
        for model in MODELS.values()
    ]
    found = entries if shown else []
    return {"data": found, "total_count": len(found), "links": {"next": None}}


def _entry(slug: str, context_length: int | None, modalities: list[str]) -> dict[str, object]:
    return {
        "id": slug,
        "canonical_slug": slug,
        "name": slug,
        "created": 0,
        "description": "Answered by the local scorer, not by OpenRouter.",
        "context_length": context_length,
        "architecture": {
            "modality": f"{'+'.join(modalities)}->rerank",
            "input_modalities": modalities,
            "output_modalities": ["rerank"],
            "tokenizer": "Other",
            "instruct_type": None,
        },
        "pricing": {"prompt": "0", "completion": "0"},
        "top_provider": {
            "context_length": context_length,
            "max_completion_tokens": None,
            "is_moderated": False,
        },
        "per_request_limits": None,
        "supported_parameters": [],
        "default_parameters": None,
        "supported_voices": None,
        "links": {"details": f"/api/v1/models/{slug}/endpoints"},
    }
