"""What both clients are made with, and what each of their calls takes from that."""

import os
import random
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar

from pydantic import SecretStr

from ._call.arguments import Arguments, checked_seconds
from ._call.flow import Limits
from ._retry_budget import TokenBucket
from ._score_cache.cache import Question
from ._settings import checked_count, checked_recall, given_or_found, is_present
from ._transport.exchange import Route
from ._wire.endpoint import destination, endpoint, wrapped
from ._wire.headers import HeaderFields, request_headers
from .budget import Budget
from .client_options import DEFAULT_TIMEOUT
from .errors import ConfigurationError
from .ranking import Ranking
from .rate_limiter import RateLimiter, checked_limiter
from .score_store import ScoreStore

HTTP = TypeVar("HTTP")


class ConfiguredClient(ABC, Generic[HTTP]):
    """
    What both clients have.

    A client may be shared by threads and event loops. Connections are made when they are needed,
    kept for a minute, and shared by all clients of the process.

    Args:
        api_key: By default `OPENROUTER_API_KEY` of the environment, looked up at each call.
        base_url: By default `OPENROUTER_API_BASE` of the environment, else OpenRouter. With or
            without `/rerank`; https only, http for this machine.
        app_url: Your app's URL, the `HTTP-Referer`; by default `OPENROUTER_APP_URL`.
        app_title: Your app's name on openrouter.ai; by default `OPENROUTER_APP_TITLE`.
        app_categories: At most 2 marketplace categories.
        default_headers: Further headers; they win over ours.
        timeout: Seconds that a whole call may take: attempts, waits, body, fallback models.
        max_retries: Attempts after the first. What may have been billed is repeated once at most.
        max_concurrency: Requests in flight at a time; for the asynchronous client, in each loop.
        budget: US dollars after which no call is made, or a `Budget` shared with other clients.
        score_store: Where scores are kept, so that none is paid for twice: anything with the verbs
            of LangChain's `BaseStore`.
        score_ttl: Seconds after which a kept score is asked for again; never by default.
        rate_limiter: Asked before each request: anything with the verbs of LangChain's
            `BaseRateLimiter`, such as a `WindowRateLimiter`.
        http_client: An httpx or httpx2 client to use as it is; it is never closed here. On a
            connection that a synchronous one has kept, only the single reads are bounded, so a
            server that drips its answer can hold a call up for longer than `timeout`.
        on_response: Called with each ranking, to count cost and usage.

    Raises:
        ConfigurationError: Naming the option that cannot be used.
    """

    def __init__(
        self,
        *,
        api_key: str | SecretStr | None = None,
        base_url: str | None = None,
        app_url: str | None = None,
        app_title: str | None = None,
        app_categories: Sequence[str] = (),
        default_headers: Mapping[str, str] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_retries: int = 2,
        max_concurrency: int = 8,
        budget: Budget | float | None = None,
        score_store: ScoreStore | None = None,
        score_ttl: float | None = None,
        rate_limiter: RateLimiter | None = None,
        http_client: HTTP | None = None,
        on_response: Callable[[Ranking], object] | None = None,
    ) -> None:
        key, own_headers = wrapped(api_key), HeaderFields(default_headers or {})
        # From here on errors are raised, and their tracebacks must not hold the key or a header.
        del api_key, default_headers
        if isinstance(key, ConfigurationError):
            raise key
        self._api_key = key
        if base_url is not None and is_present(base_url):
            destination(base_url)
        self._base_url = base_url
        self._headers = request_headers(
            app_url=given_or_found(app_url, "OPENROUTER_APP_URL"),
            app_title=given_or_found(app_title, "OPENROUTER_APP_TITLE"),
            app_categories=app_categories,
            default_headers=own_headers,
        )
        self._encoded_headers = self._headers.encoded()
        self._key_in_headers = any(name.lower() == "authorization" for name in self._headers)
        self._timeout = checked_seconds("timeout", timeout)
        self._max_retries = checked_count("max_retries", max_retries, least=0)
        self._max_concurrency = checked_count("max_concurrency", max_concurrency, least=1)
        self._budget = budget if isinstance(budget, Budget | None) else Budget(budget)
        self._recall = checked_recall(score_store, score_ttl)
        self._rate_limiter = checked_limiter(rate_limiter)
        self._http_client = http_client
        self._on_response = on_response
        self._retry_budget = TokenBucket()
        self._is_closed = False
        self._open()

    @abstractmethod
    def _open(self) -> None:
        """Make what counts the requests in flight."""

    def _question(self, arguments: Arguments, route: Route) -> Question:
        started = time.monotonic()
        limits = Limits(
            timeout=self._timeout if arguments.timeout is None else arguments.timeout,
            max_retries=self._max_retries,
            clock=time.monotonic,
            jitter=random.random,
            retry_budget=self._retry_budget,
            budget=self._budget,
            started=started,
        )
        return Question(
            call=arguments.call,
            models=arguments.models,
            service=route.endpoint.url,
            limits=limits,
            deadline=started + limits.timeout,
        )

    def _route(self, session_id: str | None) -> Route:
        if self._is_closed:
            raise ConfigurationError("the client is closed: make a new one")
        headers = self._encoded_headers
        if session_id is not None:
            headers = self._headers.with_session(session_id).encoded()
        target = endpoint(
            self._api_key, self._base_url, os.environ, key_in_headers=self._key_in_headers
        )
        return Route(endpoint=target, headers=headers, user=self)

    def _noted(self, ranking: Ranking) -> Ranking:
        if self._on_response is not None:
            self._on_response(ranking)
        return ranking
