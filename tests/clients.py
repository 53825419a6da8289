"""The two clients, each over its own connections and over injected ones, behind one face."""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor

import httpx
import httpx2
import pytest
from openrouter_rerank import AsyncRerankClient, RerankClient

# Making one takes longer than a test; nothing here speaks TLS.
TLS = ssl.create_default_context()
KINDS = [(mode, library) for mode in ("sync", "async") for library in (None, httpx, httpx2)]
NAMES = [f"{mode}-{'own' if library is None else library.__name__}" for mode, library in KINDS]

OWN = pytest.mark.parametrize(
    "client_kind", [KINDS[0], KINDS[3]], ids=["sync", "async"], indirect=True
)
"""For what happens before, or apart from, the exchange."""


class Caller:
    """A client of either mode, called from synchronous code."""

    def __init__(self, client, injected, runner):
        self.client = client
        self.injected = injected
        self._runner = runner

    def rerank(self, *args, **options):
        """Make one call."""
        if self._runner is None:
            return self.client.rerank(*args, **options)
        return self._runner.run(self.client.rerank(*args, **options))

    def together(self, times, *args, **options):
        """Make so many calls at once: in threads, or in tasks."""
        if self._runner is None:
            with ThreadPoolExecutor(times) as pool:
                calls = [pool.submit(self.rerank, *args, **options) for _ in range(times)]
                return [call.result() for call in calls]

        async def gather():
            return await asyncio.gather(
                *(self.client.rerank(*args, **options) for _ in range(times))
            )

        return self._runner.run(gather())

    def settled(self, times, *args, **options):
        """Make so many calls at once, and return the ranking or the error of each."""
        if self._runner is None:
            with ThreadPoolExecutor(times) as pool:
                calls = [pool.submit(self.rerank, *args, **options) for _ in range(times)]
            return [call.exception() or call.result() for call in calls]

        async def gather():
            calls = (self.client.rerank(*args, **options) for _ in range(times))
            return await asyncio.gather(*calls, return_exceptions=True)

        return self._runner.run(gather())

    def close(self):
        """Close the client."""
        if self._runner is None:
            self.client.close()
        else:
            self._runner.run(self.client.aclose())

    def used_as_context(self, *args, **options):
        """Make one call within the client's own `with`, or `async with`."""
        if self._runner is None:
            with self.client as client:
                return client.rerank(*args, **options)

        async def call():
            async with self.client as client:
                return await client.rerank(*args, **options)

        return self._runner.run(call())


class ClientKind:
    """Makes clients of one kind, and takes away what they leave."""

    def __init__(self, mode, library):
        self.is_own = library is None
        self.is_async = mode == "async"
        self._library = library
        self._callers = []
        self._runner = asyncio.Runner() if self.is_async else None

    def client(self, *, http_options=None, **options):
        """Make a client with these options; `http_options` are those of the injected one."""
        injected = None
        if self._library is not None:
            kind = self._library.AsyncClient if self.is_async else self._library.Client
            injected = options["http_client"] = kind(**{"verify": TLS} | (http_options or {}))
        client = (AsyncRerankClient if self.is_async else RerankClient)(**options)
        caller = Caller(client, injected, self._runner)
        self._callers.append(caller)
        return caller

    def __enter__(self):
        """Begin."""
        return self

    def __exit__(self, *_):
        """Close all clients, ours and the injected ones, and end the loop."""
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
