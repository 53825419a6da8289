"""
Compares the built-in models with a live listing: `python -m scripts.compare_models [URL or file]`.

It prints one line for each difference. The exit status is 0 if there is none, 1 if there are some,
and 2 if there is no listing. A release runs it, so that the built-in models are those of the day.
"""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import httpx
from openrouter_rerank.models import MODELS, RerankModel, known_model

JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

URL = "https://openrouter.ai/api/v1/models?output_modalities=rerank"
# Seconds.
_TIMEOUT = 30.0


def listed(source: str) -> Sequence[Mapping[str, JSON]]:
    """
    Return the entries of the listing at a URL or in a file.

    Raises:
        OSError: If the file cannot be read.
        httpx.HTTPError: If there is no successful response.
        ValueError: If it is not a listing.
    """
    if source.startswith(("http://", "https://")):
        text = httpx.get(source, timeout=_TIMEOUT).raise_for_status().text
    else:
        text = Path(source).read_text("utf-8")
    content: JSON = json.loads(text)
    entries = content.get("data") if isinstance(content, dict) else None
    found = (
        [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    )
    if not found:
        raise ValueError("it has no models")
    return found


def differences(entries: Sequence[Mapping[str, JSON]]) -> Iterator[str]:
    """Yield one line for each difference between the built-in models and the entries."""
    found: set[str] = set()
    for entry in entries:
        slug = str(entry.get("id"))
        # `~author/family-latest` is a name of another entry.
        if slug.startswith("~"):
            continue
        model = known_model(slug)
        if model is None:
            yield f"new model: {slug}"
        else:
            found.add(model.slug)
            yield from _changes(slug, model, entry)
    yield from (f"vanished model: {slug}" for slug in MODELS if slug not in found)


def _changes(slug: str, model: RerankModel, entry: Mapping[str, JSON]) -> Iterator[str]:
    context = entry.get("context_length")
    if context != model.context_length:
        yield f"context changed: {slug}: {model.context_length} -> {context}"
    architecture = entry.get("architecture")
    inputs = architecture.get("input_modalities") if isinstance(architecture, dict) else None
    known = ["image", "text"] if model.takes_images else ["text"]
    if not isinstance(inputs, list) or sorted(map(str, inputs)) != known:
        yield f"modalities changed: {slug}: {known} -> {inputs}"
    expiry = entry.get("expiration_date")
    if expiry != (None if model.expires is None else model.expires.isoformat()):
        yield f"expiry announced: {slug}: {expiry}"


def main(arguments: Sequence[str]) -> int:
    """Print the differences, and return the exit status."""
    source = arguments[0] if arguments else URL
    try:
        lines = [*differences(listed(source))]
    except (OSError, httpx.HTTPError, ValueError) as error:
        print(f"no list of models from {source}: {error}", file=sys.stderr)
        return 2
    for line in lines:
        # The text of a server may have control characters.
        print(line.encode("unicode_escape").decode())
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
