"""The sync and async clients, over their own and over injected connections, with one interface."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor

import httpx
import httpx2
import pytest
from openrouter_rerank import AsyncRerankClient, RerankClient

# Shared, because creating a context takes longer than a test. No test speaks TLS with it.
TLS = ssl.create_default_context()
CLIENT_KINDS = [(mode, library) for mode in ("sync", "async") for library in (None, httpx, httpx2)]
CLIENT_KIND_IDS = [
    f"{mode}-{'own' if library is None else library.__name__}" for mode, library in CLIENT_KINDS
]

OWN_CONNECTIONS = pytest.mark.parametrize(
    "client_kind", [CLIENT_KINDS[0], CLIENT_KINDS[3]], ids=["sync", "async"], indirect=True
)
"""Runs a test only over the clients' own connections, because the exchange does not matter."""


class Caller:
    """Calls a sync or async client from synchronous code."""

    def __init__(self, client, injected, runner):
        self.client = client
        self.injected = injected
        self._runner = runner

    def rerank(self, *args, **options):
        """Make one call."""
        if self._runner is None:
            return self.client.rerank(*args, **options)
        return self._runner.run(self.client.rerank(*args, **options))

    def models(self, **options):
        """List the models."""
        if self._runner is None:
            return self.client.models(**options)
        return self._runner.run(self.client.models(**options))

    def rerank_concurrently(self, count, *args, **options):
        """Make `count` identical calls in threads or tasks; return the rankings or raise."""
        if self._runner is None:
            with ThreadPoolExecutor(count) as pool:
                calls = [pool.submit(self.rerank, *args, **options) for _ in range(count)]
                return [call.result() for call in calls]

        async def gather():
            return await asyncio.gather(
                *(self.client.rerank(*args, **options) for _ in range(count))
            )

        return self._runner.run(gather())

    def concurrent_outcomes(self, count, *args, **options):
        """Make `count` identical calls in threads or tasks; return each ranking or error."""
        if self._runner is None:
            with ThreadPoolExecutor(count) as pool:
                calls = [pool.submit(self.rerank, *args, **options) for _ in range(count)]
            return [call.exception() or call.result() for call in calls]

        async def gather():
            calls = (self.client.rerank(*args, **options) for _ in range(count))
            return await asyncio.gather(*calls, return_exceptions=True)

        return self._runner.run(gather())

    def close(self):
        """Close the client."""
        if self._runner is None:
            self.client.close()
        else:
            self._runner.run(self.client.aclose())

    def rerank_in_context(self, *args, **options):
        """Make one call inside `with client` or `async with client`."""
        if self._runner is None:
            with self.client as client:
                return client.rerank(*args, **options)

        async def call():
            async with self.client as client:
                return await client.rerank(*args, **options)

        return self._runner.run(call())


class ClientKind:
    """Makes clients of one kind, and closes them when its `with` block ends."""

    def __init__(self, mode, library):
        self.has_own_connections = library is None
        self.is_async = mode == "async"
        self._library = library
        self._callers = []
        self._runner = asyncio.Runner() if self.is_async else None

    def client(self, *, http_options=None, **options):
        """Make a client with `options`; an injected HTTP client gets `http_options`."""
        injected = None
        if self._library is not None:
            kind = self._library.AsyncClient if self.is_async else self._library.Client
            injected = options["http_client"] = kind(**{"verify": TLS} | (http_options or {}))
        client = (AsyncRerankClient if self.is_async else RerankClient)(**options)
        caller = Caller(client, injected, self._runner)
        self._callers.append(caller)
        return caller

    def __enter__(self):
        """Return this object."""
        return self

    def __exit__(self, *_):
        """Close all clients, including the injected HTTP clients, and then the event loop."""
        for caller in self._callers:
            caller.close()
            if caller.injected is None:
                continue
            if self._runner is None:
                caller.injected.close()
            else:
                self._runner.run(caller.injected.aclose())
        if self._runner is not None:
            self._runner.close()
