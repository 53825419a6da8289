"""
The rerank models of a service: requests the listing, reads it, and adds the built-in data.

The listing is text of a server, so nothing in it is trusted: a value of the wrong type counts as
missing, and names are escaped for logs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

from openrouter_rerank._attempt import Response
from openrouter_rerank.models import (
    MODELS,
    ModelListing,
    RerankModel,
    base_slug,
    known_model,
    model_for,
)

from .error_response import redirect_text, status_error
from .json_size import has_few_values
from .server_text import JSON, host_of, json_body, json_value, shown

_MOST_ENTRIES = 1_000
# Brackets and commas: OpenRouter's listing has about 70 for each of its models.
_MOST_MARKS = 70 * _MOST_ENTRIES
# Characters. A longer name is not a slug.
_LONGEST_SLUG = 200
# Slugs of one client. A program may take them from its users, so there may be any number.
_MOST_CHECKED = 1_000
# Tokens. No model has a longer context, so a larger number is a mistake of the server.
_LONGEST_CONTEXT = 1_000_000_000


def merged_listing(response: Response) -> ModelListing:
    """
    Return the models that the listing names, with the built-in data of each.

    What the listing says of context, images, expiry and replacement replaces the built-in data.
    Its prices are not read: they are "0" for paid rerank models. If the response is not a listing,
    the result is the built-in data, and `problem` says why.
    """
    if 300 <= response.status < 400:
        return built_in_listing(redirect_text(response, ""))
    if response.status != 200:
        has_few = has_few_values(response.body, _MOST_MARKS)
        error = status_error(response, json_body(response.body if has_few else b""), "")
        return built_in_listing(error.message if error else f"HTTP status {response.status}")
    models = {model.slug: model for model in _models(response)}
    if not models:
        return built_in_listing(
            f"the response is not a list of rerank models (HTTP 200 from {host_of(response.url)}). "
            "Check base_url."
        )
    return ModelListing(models=tuple(models.values()), is_live=True)


class ModelChanges:
    """Returns the announced new names and ends of models, once for each slug that is used."""

    def __init__(self) -> None:
        self.checked: dict[str, object] = {}
        """The slugs for which `text_once` needs no call."""
        self._announced: dict[str, object] = {}
        self._live_models: Mapping[str, RerankModel] = {}

    def remembered(self, listing: ModelListing) -> ModelListing:
        """Compare the slugs of later calls with `listing` if it is live, and return it."""
        if listing.is_live:
            self._live_models = {model.slug: model for model in listing}
            self.checked = dict(self._announced)
        return listing

    def text_once(self, slug: str) -> str | None:
        """Return what was announced of a model, if anything was, and if this is its first use."""
        if len(self.checked) >= _MOST_CHECKED:
            return None
        # Only one of the threads that do this together gets its own mark back.
        mark = object()
        if self.checked.setdefault(slug, mark) is not mark:
            return None
        text = announced_change(slug, self._live_models)
        is_first = text is not None and self._announced.setdefault(slug, mark) is mark
        return text if is_first else None


def announced_change(slug: str, live_models: Mapping[str, RerankModel]) -> str | None:
    """
    Return a text for the log if a model has a new name or will be removed, else `None`.

    Args:
        slug: Any string.
        live_models: The models of a live listing by their slug; empty if there is none.
    """
    name = base_slug(slug)
    built_in = known_model(slug)
    model = live_models.get(slug) or live_models.get(name) or built_in
    if model is None:
        return None
    new = model.replacement
    if new is None and built_in is not None and name in built_in.aliases:
        new = built_in.slug
    new_name = new or "none named"
    if model.expires is not None:
        return f"model will be removed: model={name} expires={model.expires} replacement={new_name}"
    # An alias such as `~cohere/rerank-latest` always names another model.
    if new is None or slug.startswith("~"):
        return None
    return f"model has a new name: model={name} replacement={new}"


def built_in_listing(problem: str) -> ModelListing:
    """Return the built-in models, with `problem` as the reason why there is no live list."""
    return ModelListing(models=tuple(MODELS.values()), is_live=False, problem=problem)


def _models(response: Response) -> Iterator[RerankModel]:
    if not has_few_values(response.body, _MOST_MARKS):
        return
    content = json_value(response.body)
    entries = content.get("data") if isinstance(content, dict) else None
    for entry in entries[:_MOST_ENTRIES] if isinstance(entries, list) else ():
        if (
            isinstance(entry, dict)
            and (slug := _slug(entry.get("id"), response))
            and _is_reranker(entry)
        ):
            yield _model(slug, entry, response)


def _is_reranker(entry: Mapping[str, JSON]) -> bool:
    outputs = _object(entry.get("architecture")).get("output_modalities")
    # A gateway may list models of all kinds. Without the field, the listing is what was asked for.
    return not isinstance(outputs, list) or "rerank" in outputs


def _model(slug: str, entry: Mapping[str, JSON], response: Response) -> RerankModel:
    target = entry.get("alias_target")
    replacement = _slug(target, response) or _slug(_object(target).get("slug"), response)
    # An alias such as `~cohere/rerank-latest` has the limits of the model that it means today.
    known = model_for(replacement or slug)
    other_name = _slug(entry.get("canonical_slug"), response)
    names = [name for name in (known.slug, *known.aliases, other_name) if name not in {slug, None}]
    inputs = _object(entry.get("architecture")).get("input_modalities")
    return replace(
        known,
        slug=slug,
        aliases=() if replacement else tuple(dict.fromkeys(filter(None, names))),
        context_length=_context(entry.get("context_length")) or known.context_length,
        takes_images="image" in inputs if isinstance(inputs, list) else known.takes_images,
        expires=_date(entry.get("expiration_date")) or known.expires,
        replacement=replacement or known.replacement,
    )


def _slug(value: JSON, response: Response) -> str | None:
    if not isinstance(value, str) or len(value) > _LONGEST_SLUG:
        return None
    return shown(value, response) or None


def _context(value: JSON) -> int | None:
    # `True` is an `int` too.
    if not isinstance(value, int) or value is True:
        return None
    return value if 0 < value <= _LONGEST_CONTEXT else None


def _date(value: JSON) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None


def _object(value: JSON) -> Mapping[str, JSON]:
    return value if isinstance(value, dict) else {}
