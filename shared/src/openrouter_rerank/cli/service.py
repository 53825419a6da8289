"""The service that a command calls: its key, its list of models, what a key may spend."""

import os
import time

from openrouter_rerank._call.key_flow import key_flow
from openrouter_rerank._call.listing_flow import listing_flow
from openrouter_rerank._drive import outcome_of
from openrouter_rerank._transport.exchange import Exchange, Route, SentHeaders
from openrouter_rerank._transport.fair_semaphore import FairSemaphore
from openrouter_rerank._wire.endpoint import (
    BASE_VARIABLES,
    KEY_PATH,
    KEY_VARIABLE,
    MODELS_PATH,
    endpoint,
)
from openrouter_rerank._wire.key_details import KeyDetails
from openrouter_rerank.client_options import ClientKeywords, ClientOptions
from openrouter_rerank.models import ModelListing

from .failures import Failure

NO_KEY = (
    f"there is no API key: set {KEY_VARIABLE} (keys: openrouter.ai/keys). Without one, run "
    "`openrouter-rerank serve` and the `export` line that it prints"
)


def options_with_key(keywords: ClientKeywords) -> ClientOptions:
    """
    Return the options of a client that uses the key of the environment.

    Raises:
        Failure: If there is no key.
        ConfigurationError: If an option cannot be used.
    """
    check_key()
    return ClientOptions(**keywords)


def check_key() -> None:
    """Raise a `Failure` if there is no key in the environment."""
    if not os.environ.get(KEY_VARIABLE, "").strip():
        raise Failure(NO_KEY)


class Service:
    """
    Requests the list of models and the details of a key, over the connections of a client.

    Args:
        keywords: Keywords of a client.

    Raises:
        ConfigurationError: If an option cannot be used.
    """

    def __init__(self, keywords: ClientKeywords) -> None:
        options = ClientOptions(**keywords)
        self._timeout = options.timeout
        self._base_url = options.base_url
        self._headers = SentHeaders(options.request_headers())

    def models(self) -> ModelListing:
        """
        Return the list of models, for which no key is needed.

        Raises:
            ConfigurationError: If the base URL of the environment cannot be used.
        """
        flow = listing_flow(self._timeout, time.monotonic)
        return outcome_of(flow, self._exchange(MODELS_PATH, needs_key=False))

    def key(self) -> KeyDetails:
        """
        Return what the service says of the key of the environment.

        Raises:
            ConfigurationError: If there is no key that may be sent to the base URL.
        """
        flow = key_flow(self._timeout, time.monotonic)
        exchange = self._exchange(KEY_PATH, needs_key=True)
        return outcome_of(flow, exchange)

    def _exchange(self, path: str, *, needs_key: bool) -> Exchange:
        target = endpoint(None, self._base_url, os.environ, needs_key=needs_key).at(path)
        route = Route(endpoint=target, headers=self._headers, owner=self, slots=1)
        return Exchange(route, FairSemaphore(1), None)


def base_url_and_origin(given: str | None) -> tuple[str | None, str]:
    """Return the base URL that is used, `None` for the default, and where it is from."""
    if given is not None and given.strip():
        return given, "--base-url"
    for name in BASE_VARIABLES:
        if os.environ.get(name, "").strip():
            return os.environ[name], name
    return None, "the default"
