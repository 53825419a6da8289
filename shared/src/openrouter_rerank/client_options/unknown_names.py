"""The text for a name that is not an option: it names the option that was probably meant."""

from collections.abc import Iterable
from difflib import get_close_matches

from openrouter_rerank.errors import shown_value

from .keywords import RequestOptions

# The names that other rerank libraries and HTTP clients use.
_OTHER_NAMES = {
    "top_n": "k limit n num_results return_top_n similarity_top_k top top_k topk topn",
    "model": "engine model_id model_name model_name_or_path model_slug rerank_model",
    "api_key": "access_token api_token apikey auth_token cohere_api_key jina_api_key "
    "jinaai_api_key key nvidia_api_key openai_api_key openrouter_api_key token voyage_api_key",
    "base_url": "api_base api_url endpoint endpoint_url host openrouter_api_base server_url url",
    "default_headers": "custom_headers extra_headers headers http_headers",
    "extra_headers": "custom_headers default_headers headers http_headers",
    "max_retries": "attempts max_attempts num_retries retries retry",
    "timeout": "request_timeout timeout_ms timeout_s timeout_seconds",
    "max_concurrency": "concurrency max_connections max_workers",
    "max_documents_per_request": "batch_size max_batch_size max_documents",
    "score_threshold": "min_relevance_score min_score score_cutoff similarity_cutoff threshold",
    "fallback_models": "fallback fallbacks models",
    "long_documents": "max_length truncate truncation",
    "provider": "custom_llm_provider openrouter_provider provider_preferences providers routing",
    "extra_body": "additional_kwargs extra model_kwargs",
    "score_store": "cache score_cache store",
    "score_ttl": "cache_ttl ttl",
    "budget": "max_cost spending_limit",
    "allow_insecure_http": "allow_http insecure",
    "app_url": "http_referer referer site_url",
    "app_title": "app_name client_name site_name user_agent x_open_router_title x_title",
    "app_categories": "categories x_open_router_categories",
    "http_client": "client http httpx_client session",
    "http_async_client": "aclient async_client async_http_client http_client_async",
    "rank_fields": "metadata_fields rank_field",
    "image_key": "image_keys",
    "documents": "docs nodes passages texts",
    "query": "question search_query text",
}
# The keys are the other names. The same headers have one name for a client, and another for a call.
_MEANINGS: dict[str, list[str]] = {}
for _name, _others in _OTHER_NAMES.items():
    for _other in _others.split():
        _MEANINGS.setdefault(_other, []).append(_name)
_NOT_OF_OPENROUTER = frozenset(
    {"instruction", "max_chunks_per_doc", "max_tokens_per_doc", "priority", "return_documents"}
)
# The ratio of `difflib`: a typing error, and not another word.
_SIMILARITY = 0.78
# Longer lists of a class's options are left to `help`.
_MOST_LISTED = 12


def unknown_name(
    caller: str,
    name: str,
    known: Iterable[str],
    *,
    kind: str = "option",
    elsewhere: Iterable[str] = (),
    place: str = "",
) -> str:
    """
    Return the text of the error for the unknown option `name`. Its value is not shown.

    Args:
        caller: The class or function that has no such option.
        name: The name that was passed.
        known: The names of the options that it has.
        kind: What `caller` takes: options or arguments.
        elsewhere: Names that are taken in another place.
        place: What to do with those, such as "pass it to rerank()".
    """
    names, others = sorted(known), sorted(elsewhere)
    text = f"{caller} has no {kind} {shown_value(name)}"
    if name in others and not _meant(name, names):
        return f"{text}: {place}"
    if name in _NOT_OF_OPENROUTER:
        return f"{text}: OpenRouter has no such parameter, so leave it out"
    if meant := _closest(name, names):
        return f"{text}. Did you mean {meant!r}?"
    if meant := _closest(name, others):
        return f"{text}. Did you mean {meant!r}? If so, {place}"
    if kind == "argument" or len(names) <= _MOST_LISTED:
        return f"{text}: use one of {', '.join(names)}"
    return f"{text}: help({caller}) lists the {kind}s"


def unknown_client_option(caller: str, name: str, known: Iterable[str]) -> str:
    """Return the text of the error for an option that the client `caller` does not have."""
    arguments = {"model", "top_n", *RequestOptions.__annotations__}
    return unknown_name(caller, name, known, elsewhere=arguments, place="pass it to rerank()")


def _closest(name: str, names: list[str]) -> str | None:
    close = get_close_matches(_key(name), names, n=1, cutoff=_SIMILARITY)
    return _meant(name, names) or next(iter(close), None)


def _meant(name: str, names: list[str]) -> str | None:
    """Return the one of `names` that other libraries call `name`, or `None`."""
    return next((each for each in _MEANINGS.get(_key(name), ()) if each in names), None)


def _key(name: str) -> str:
    return name[:100].lower().replace("-", "_")
