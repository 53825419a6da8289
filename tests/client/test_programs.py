"""Programs that use clients: what they import, what their clients share, and how they end."""

import pytest

from tests.client.new_interpreter import run


def test_creating_a_client_imports_no_http_library(stage):
    """The package `httpcore` is imported by the first call that needs it."""
    script = """
        import sys
        import openrouter_rerank
        client = openrouter_rerank.RerankClient()
        print({"h11", "httpcore", "httpx", "httpx2"} & {*sys.modules})
        import httpx2
        with httpx2.Client() as http:
            openrouter_rerank.RerankClient(http_client=http).rerank("q", ["a"])
        print("httpcore" in sys.modules)
        client.rerank("q", ["a"])
        print("httpcore" in sys.modules)
        client.close()
    """

    assert run(script, stage).splitlines() == ["set()", "False", "True"]


def test_the_first_call_imports_nothing_on_the_event_loop(stage):
    """The first async call imports in a thread, because the imports take tenths of a second."""
    script = """
        import asyncio, sys, threading
        from openrouter_rerank import AsyncRerankClient

        imported_on_loop = {}

        class ImportRecorder:
            def find_spec(self, name, path=None, target=None):
                imported_on_loop[name] = threading.current_thread() is threading.main_thread()

        sys.meta_path.insert(0, ImportRecorder())

        async def main():
            async with AsyncRerankClient() as client:
                await client.rerank("q", ["a"])
                on_loop = [name for name, on_loop in imported_on_loop.items() if on_loop]
                print("httpcore" in imported_on_loop, on_loop)

        asyncio.run(main())
    """

    assert run(script, stage) == "True []"


def test_a_hundred_clients_share_one_ssl_context(stage):
    """All clients and threads of a process share one `SSLContext`, created by the first call."""
    script = """
        import asyncio, contextlib, gc, os, ssl, threading
        from concurrent.futures import ThreadPoolExecutor
        from openrouter_rerank import AsyncRerankClient, OpenRouterRerankError, RerankClient

        # The stage does not speak TLS, so each call fails after it has created its context.
        url = os.environ["OPENROUTER_API_BASE"].replace("http:", "https:")
        settings = {"base_url": url, "max_retries": 0}
        clients = [RerankClient(**settings) for _ in range(100)]
        print(sum(isinstance(item, ssl.SSLContext) for item in gc.get_objects()))
        all_started = threading.Barrier(10)

        def call(client):
            all_started.wait()
            with contextlib.suppress(OpenRouterRerankError):
                client.rerank("q", ["a"])

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(call, clients))

        async def main():
            for _ in range(100):
                with contextlib.suppress(OpenRouterRerankError):
                    await AsyncRerankClient(**settings).rerank("q", ["a"])

        asyncio.run(main())
        print(sum(isinstance(item, ssl.SSLContext) for item in gc.get_objects()))
    """

    assert run(script, stage).splitlines() == ["0", "1"]
    assert stage.connections == 200


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "left open"])
def test_no_resource_leaks_at_exit(stage, closes):
    """A program ends without `ResourceWarning` or open connection, with or without `close`."""
    script = f"""
        import asyncio
        from openrouter_rerank import AsyncRerankClient, RerankClient

        client = RerankClient()
        client.rerank("q", ["a"])

        async def main():
            client = AsyncRerankClient()
            await asyncio.gather(*(client.rerank("q", ["a"]) for _ in range(3)))
            if {closes}:
                await client.aclose()

        asyncio.run(main())
        if {closes}:
            client.close()
    """

    assert run(script, stage, "-W", "error") == ""
    stage.wait_until(lambda: stage.open_connections == 0)
