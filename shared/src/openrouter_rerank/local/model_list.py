"""
The list of rerank models, in the format of OpenRouter's.
"""

from collections.abc import Iterable
from urllib.parse import parse_qs

from openrouter_rerank.models import MODELS


def model_list(query: str, local_slugs: Iterable[str]) -> dict[str, object]:
    """
    Return the list of the models that the local service accepts.

    Args:
        query: The query string of the request. If it has `output_modalities`, the models are listed
            only if that contains `rerank` or `all`. Unlike OpenRouter, the local service lists them
            without it too, because it has no other models.
        local_slugs: The slugs of the installed scorers.
    """
    modalities = ",".join(parse_qs(query).get("output_modalities", ["rerank"])).split(",")
    entries = [_entry(slug, None, ["text"]) for slug in local_slugs] + [
        _entry(model.slug, model.context_length, ["text", "image"][: 1 + model.takes_images])
        for model in MODELS.values()
    ]
    listed = entries if {"rerank", "all"}.intersection(modalities) else []
    return {"data": listed, "total_count": len(listed), "links": {"next": None}}


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
        "expiration_date": None,
        "supported_voices": None,
        "links": {"details": f"/api/v1/models/{slug}/endpoints"},
    }
