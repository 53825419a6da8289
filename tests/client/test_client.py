"""A client over several calls: budget, callback, closing, concurrency and connections."""

import os
import re
import subprocess
import sys
import textwrap

import httpx
import pytest
from openrouter_rerank import Budget
from openrouter_rerank.errors import (
    BudgetExceededError,
    ConfigurationError,
    DeadlineExceededError,
    OpenRouterRerankError,
    ServiceUnavailableError,
)
from openrouter_rerank.local.stage import Fault, Reply, error, scores

from tests.held_replies import released_in_batches
from tests.starvation import repeat_if_starved


def test_a_call_is_refused_when_the_budget_is_spent(make_client, stage):
    """When the budget is spent, the next call raises `BudgetExceededError` and sends nothing."""
    stage.always(scores(0.5, cost=0.3))
    caller = make_client(budget=0.5)

    caller.rerank("q", ["a"])
    caller.rerank("q", ["a"])
    with pytest.raises(BudgetExceededError):
        caller.rerank("q", ["a"])

    assert len(stage.requests) == 2


def test_clients_share_a_budget(make_client, stage):
    """Two clients spend from one `Budget`; a failed call without a cost adds nothing."""
    stage.script(error(400, "bad"))
    stage.always(scores(0.5, cost=0.3))
    budget = Budget(0.5)
    first, second = make_client(budget=budget), make_client(budget=budget)

    with pytest.raises(OpenRouterRerankError):
        first.rerank("q", ["a"])
    first.rerank("q", ["a"])
    second.rerank("q", ["a"])

    assert budget.spent == pytest.approx(0.6)
    for caller in (first, second):
        with pytest.raises(BudgetExceededError):
            caller.rerank("q", ["a"])
        assert caller.rerank("q", []).results == ()


def test_on_response_is_called_with_each_ranking(make_client, stage):
    """`on_response` is called with each ranking, and not called for a failed call."""
    rankings = []
    caller = make_client(on_response=rankings.append, max_retries=0)

    first = caller.rerank("q", ["a"])
    stage.script(error(503, "down"))
    with pytest.raises(ServiceUnavailableError):
        caller.rerank("q", ["a"])
    second = caller.rerank("q", ["a"])

    assert rankings == [first, second]


@repeat_if_starved
def test_a_timeout_of_one_call(make_client, stage):
    """The `timeout` of a call replaces the client's timeout, and the error names it."""
    stage.script(Fault.hang())

    with pytest.raises(DeadlineExceededError) as caught:
        make_client(timeout=60).rerank("q", ["a"], timeout=0.1)

    (note,) = caught.value.__notes__
    seconds = re.fullmatch(r"1 attempts in (\d+\.\d) s, timeout 0\.1 s", note)
    assert float(seconds[1]) >= 0.1


def test_the_timeout_of_an_injected_client_is_ignored(make_client, stage):
    """The call waits until its own deadline, even if the HTTP client has a shorter timeout."""
    stage.script(Reply(body={"results": [{"index": 0, "relevance_score": 1}]}, delay=0.2))

    ranking = make_client(http_options={"timeout": 0.01}, max_retries=0).rerank("q", ["a"])

    assert len(ranking.results) == 1


@pytest.mark.filterwarnings("ignore:timeout=")
@pytest.mark.parametrize("timeout", [1e9, 1e10, 1e300])
def test_a_very_long_timeout(make_client, timeout):
    """A timeout that is longer than the system's functions accept works as no limit."""
    assert make_client(timeout=timeout).rerank("q", ["a"]).attempts == 1


def test_a_client_can_be_closed_twice(make_client, stage):
    """`close` can be called twice; a call of a closed client is a `ConfigurationError`."""
    caller = make_client()
    caller.rerank("q", ["a"])

    caller.close()
    caller.close()

    with pytest.raises(ConfigurationError, match="the client is closed: make a new one"):
        caller.rerank("q", ["a"])
    assert len(stage.requests) == 1


def test_a_client_is_a_context_manager(make_client):
    """The client is closed when its `with` block ends."""
    caller = make_client()

    assert caller.rerank_in_context("q", ["a"]).attempts == 1

    with pytest.raises(ConfigurationError, match="closed"):
        caller.rerank("q", ["a"])


def test_an_injected_client_is_not_closed(make_client):
    """`close` leaves an injected HTTP client open, because it belongs to the user."""
    caller = make_client()
    caller.rerank("q", ["a"])

    caller.close()

    assert caller.injected is None or not caller.injected.is_closed


def test_closing_the_last_client_closes_its_connections(make_client, stage, client_kind):
    """Clients share their own connections, which are closed when the last client is closed."""
    first, second = make_client(), make_client()
    first.rerank("q", ["a"])
    second.rerank("q", ["a"])

    first.close()
    assert stage.open_connections >= 1
    second.close()

    if client_kind.has_own_connections:
        stage.wait_until(lambda: stage.open_connections == 0)


def test_a_connection_is_reused(make_client, stage):
    """Consecutive calls use one connection."""
    caller = make_client()

    for _ in range(5):
        caller.rerank("q", ["a"])

    assert (len(stage.requests), stage.connections) == (5, 1)


def test_a_connection_is_reused_after_an_error(make_client, stage):
    """After an error response, the next call uses the connection again."""
    stage.script(error(400, "bad"), error(503, "down"))
    caller = make_client(max_retries=0)

    for _ in range(2):
        with pytest.raises(OpenRouterRerankError):
            caller.rerank("q", ["a"])
    caller.rerank("q", ["a"])

    assert stage.connections == 1


def test_a_broken_connection_is_not_reused(make_client, stage):
    """After a truncated response, the next attempt uses a new connection."""
    stage.script(Fault.truncated())
    caller = make_client()

    caller.rerank("q", ["a"])

    assert stage.connections == 2


@pytest.mark.parametrize("limit", [1, 3])
def test_max_concurrency_limits_the_requests_in_flight(make_client, stage, limit):
    """Concurrent calls never have more than `max_concurrency` requests in flight."""
    with released_in_batches(stage, *[limit] * (6 // limit)):
        rankings = make_client(max_concurrency=limit).rerank_concurrently(6, "q", ["a"])

    assert [len(ranking.results) for ranking in rankings] == [1] * 6
    assert stage.in_flight_peak == limit


@repeat_if_starved
def test_the_wait_for_a_request_slot_counts_towards_the_timeout(make_client, stage):
    """A call that waits for a slot longer than its timeout raises `DeadlineExceededError`."""
    stage.always(Reply(body={"results": [{"index": 0, "relevance_score": 1}]}, delay=0.2))
    caller = make_client(max_concurrency=1, timeout=0.3, max_retries=0)

    with pytest.raises(DeadlineExceededError):
        caller.rerank_concurrently(3, "q", ["a"])

    assert stage.in_flight_peak == 1


def run(script, stage, *flags, **environment):
    """Run `script` in a new interpreter, and return what it prints."""
    code = textwrap.dedent(script)
    finished = subprocess.run(
        [sys.executable, *flags, "-c", code],
        env=os.environ
        | {"OPENROUTER_API_BASE": stage.base_url, "OPENROUTER_API_KEY": stage.api_key}
        | environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (finished.returncode, finished.stderr) == (0, ""), finished.stderr
    return finished.stdout.strip()


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


@pytest.mark.parametrize(
    "proxy",
    [
        pytest.param("http://{}", id="URL"),
        pytest.param("{}", id="host and port"),
    ],
)
@pytest.mark.parametrize("variable", ["https_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_environment_is_used(stage, proxy, variable):
    """The client's own connections use the proxy that the environment names."""
    script = """
        from openrouter_rerank import OpenRouterRerankError, RerankClient
        try:
            RerankClient(api_key="k", base_url="https://gateway.example/v1").rerank("q", ["a"])
        except OpenRouterRerankError as error:
            print(type(error).__name__)
    """
    address = stage.base_url.split("/")[2]

    printed = run(script, stage, no_proxy="", NO_PROXY="", **{variable: proxy.format(address)})

    assert printed == "APIConnectionError"
    assert (stage.requests[0].method, stage.requests[0].path) == ("CONNECT", "gateway.example:443")


def test_loopback_is_reached_without_the_proxy(stage):
    """A loopback URL never uses a proxy, which would see the key in plain HTTP."""
    script = """
        from openrouter_rerank import RerankClient
        with RerankClient() as client:
            print(len(client.rerank("q", ["a"]).results))
    """

    assert run(script, stage, http_proxy="http://192.0.2.1:9", no_proxy="", NO_PROXY="") == "1"


@pytest.mark.parametrize(
    "settings",
    [
        {"https_proxy": "ftp://host"},
        pytest.param(
            {"SSL_CERT_FILE": "/nowhere/certificates.pem"},
            marks=pytest.mark.skipif(
                httpx.__version__.startswith("0.27."),
                reason="httpx 0.27 uses its own certificates if the file is missing",
            ),
        ),
    ],
    ids=str,
)
def test_an_unusable_proxy_or_certificate_file_is_an_error(stage, settings):
    """An unusable proxy URL or certificate file is a `ConfigurationError`."""
    script = """
        from openrouter_rerank import OpenRouterRerankError, RerankClient
        try:
            RerankClient(api_key="k", base_url="https://gateway.example/v1").rerank("q", ["a"])
        except OpenRouterRerankError as error:
            print(type(error).__name__, error)
    """

    printed = run(script, stage, **{"no_proxy": "", "NO_PROXY": ""} | settings)

    assert printed.startswith("ConfigurationError ")
    assert next(iter(settings)) in printed


@pytest.mark.parametrize(
    "script",
    [
        "RerankClient(**options).rerank('q', ['a'])",
        "asyncio.run(AsyncRerankClient(**options).rerank('q', ['a']))",
    ],
    ids=["sync", "async"],
)
def test_a_host_in_no_proxy_is_reached_without_the_proxy(stage, script):
    """Only a host in `NO_PROXY` is resolved locally; the proxy resolves the other host."""
    code = f"""
        import asyncio, socket
        from openrouter_rerank import AsyncRerankClient, OpenRouterRerankError, RerankClient

        looked_up = []
        real = socket.getaddrinfo

        def getaddrinfo(host, *rest, **options):
            name = host.decode() if isinstance(host, bytes) else host
            if name == "127.0.0.1":
                return real(host, *rest, **options)
            looked_up.append(name)
            raise socket.gaierror("no network")

        socket.getaddrinfo = getaddrinfo
        for host in ("excluded.example", "other.example"):
            options = dict(api_key="k", base_url=f"https://{{host}}/v1", max_retries=0)
            try:
                {script}
            except OpenRouterRerankError:
                pass
        print(*looked_up)
    """

    printed = run(
        code,
        stage,
        https_proxy=stage.base_url.removesuffix("/api/v1"),
        no_proxy="excluded.example",
        NO_PROXY="excluded.example",
    )

    assert printed == "excluded.example"
    assert [request.path for request in stage.requests] == ["other.example:443"]
