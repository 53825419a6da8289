"""
Names the options of the command line where messages of the client name those of Python.
"""

import re

PHRASES = {
    "base_url must": "--base-url must",
    "base_url has": "--base-url has",
    "base_url is not a URL": "--base-url is not a URL",
    "Check base_url": "Check the base URL",
    "instead of base_url": "instead of --base-url",
    "Check model and provider.": "Check --model.",
    "Check model:": "Check --model:",
    "RerankClient.models() lists": "`openrouter-rerank models` lists",
    "Check OPENROUTER_API_KEY or api_key": "Check OPENROUTER_API_KEY",
    "pass the key as api_key": "remove them, and set OPENROUTER_API_KEY",
    ": pass api_key, or set": ": set",
    " or pass api_key (": " (",
    "pass api_key='none'": "set OPENROUTER_API_KEY=none",
    "Raise max_concurrency or timeout": "Raise --timeout",
    "Raise timeout": "Raise --timeout",
    "one of max_concurrency=": "one of ",
    ", or set fallback_models": ", or choose another --model",
    "Set another model, or fallback_models": "Choose another --model",
    "Check default_headers and base_url": "Check the base URL",
    "Set long_documents='split' to rank its passages, or pass shorter documents": (
        "Rank its parts as documents"
    ),
    "Set fallback_models=": "Choose another --model: ",
    ", lower max_concurrency, or set rate_limiter": "",
    "Set max_documents_per_request, or shorten the documents": "Rank fewer or shorter documents",
    (
        ". If the network is yours, set allow_insecure_http=True to send the key and the documents "
        "unencrypted"
    ): "",
}
"""
Phrases of the client's messages, which name options that no command has, or has by another name.
"""

_PATTERN = re.compile("|".join(map(re.escape, PHRASES)))


def for_command_line(message: str) -> str:
    """Return a message of the client with the options of the command line in its advice."""
    return _PATTERN.sub(lambda found: PHRASES[found[0]], message)
