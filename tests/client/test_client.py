"""A client over many calls: budgets, callbacks, closing, concurrency and connections."""

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

from tests.gates import answered_in_turns
from tests.starvation import repeat_if_starved


def test_a_budget_ends_the_calls(make, stage):
    """When the budget is spent the next call is refused, and nothing is sent."""
    stage.always(scores(0.5, cost=0.3))
    caller = make(budget=0.5)

    caller.rerank("q", ["a"])
    caller.rerank("q", ["a"])
    with pytest.raises(BudgetExceededError):
        caller.rerank("q", ["a"])

    assert len(stage.requests) == 2


def test_a_budget_is_shared(make, stage):
    """Two clients spend from one `Budget`; a failed call costs nothing that is known."""
    stage.script(error(400, "bad"))
    stage.always(scores(0.5, cost=0.3))
    budget = Budget(0.5)
    first, second = make(budget=budget), make(budget=budget)

    with pytest.raises(OpenRouterRerankError):
        first.rerank("q", ["a"])
    first.rerank("q", ["a"])
    second.rerank("q", ["a"])

    assert budget.spent == pytest.approx(0.6)
    for caller in (first, second):
        with pytest.raises(BudgetExceededError):
            caller.rerank("q", ["a"])
        assert caller.rerank("q", []).results == ()


def test_on_response_hears_of_each_ranking(make, stage):
    """The callback is called with every ranking, and not for a failure."""
    heard = []
    caller = make(on_response=heard.append, max_retries=0)

    first = caller.rerank("q", ["a"])
    stage.script(error(503, "down"))
    with pytest.raises(ServiceUnavailableError):
        caller.rerank("q", ["a"])
    second = caller.rerank("q", ["a"])

    assert heard == [first, second]


def test_a_timeout_of_one_call(make, stage):
    """A call may have a timeout of its own."""
    stage.script(Fault.hang())

    with pytest.raises(DeadlineExceededError) as caught:
        make(timeout=60).rerank("q", ["a"], timeout=0.1)

    (note,) = caught.value.__notes__
    told = re.fullmatch(r"1 attempts in (\d+\.\d) s, timeout 0\.1 s", note)
    assert float(told[1]) >= 0.1


def test_timeouts_of_an_injected_client_do_not_matter(make, stage):
    """The deadline is that of the call, however impatient the HTTP client is by itself."""
    stage.script(Reply(body={"results": [{"index": 0, "relevance_score": 1}]}, delay=0.2))

    ranking = make(http_options={"timeout": 0.01}, max_retries=0).rerank("q", ["a"])

    assert len(ranking.results) == 1


@pytest.mark.parametrize("timeout", [1e9, 1e10, 1e300])
def test_a_timeout_of_centuries(make, timeout):
    """A timeout that is longer than any clock of the system counts as no limit."""
    assert make(timeout=timeout).rerank("q", ["a"]).attempts == 1


def test_close(make, stage):
    """A client is closed once or twice, and then says that it is."""
    caller = make()
    caller.rerank("q", ["a"])

    caller.close()
    caller.close()

    with pytest.raises(ConfigurationError, match="the client is closed: make a new one"):
        caller.rerank("q", ["a"])
    assert len(stage.requests) == 1


def test_a_client_is_a_context(make):
    """`with` closes the client at its end."""
    caller = make()

    assert caller.used_as_context("q", ["a"]).attempts == 1

    with pytest.raises(ConfigurationError, match="closed"):
        caller.rerank("q", ["a"])


def test_an_injected_client_is_not_closed(make):
    """What was injected belongs to the user: it stays open, after failures too."""
    caller = make()
    caller.rerank("q", ["a"])

    caller.close()

    assert caller.injected is None or not caller.injected.is_closed


def test_closing_the_last_client_closes_its_connections(make, stage, client_kind):
    """Connections of our own do not outlive the clients that used them."""
    first, second = make(), make()
    first.rerank("q", ["a"])
    second.rerank("q", ["a"])

    first.close()
    assert stage.open_connections >= 1
    second.close()

    if client_kind.is_own:
        stage.wait_until(lambda: stage.open_connections == 0)


def test_connections_are_used_again(make, stage):
    """Calls one after the other go over one connection."""
    caller = make()

    for _ in range(5):
        caller.rerank("q", ["a"])

    assert (len(stage.requests), stage.connections) == (5, 1)


def test_connections_are_used_again_after_an_error(make, stage):
    """An answer that is an error leaves its connection in good order."""
    stage.script(error(400, "bad"), error(503, "down"))
    caller = make(max_retries=0)

    for _ in range(2):
        with pytest.raises(OpenRouterRerankError):
            caller.rerank("q", ["a"])
    caller.rerank("q", ["a"])

    assert stage.connections == 1


def test_a_connection_that_failed_is_not_used_again(make, stage):
    """After a broken answer the next call has a connection of its own."""
    stage.script(Fault.truncated())
    caller = make()

    caller.rerank("q", ["a"])

    assert stage.connections == 2


def test_a_kept_connection_that_was_closed_costs_no_retry(make, stage, client_kind):
    """When the server has hung up on an idle connection, the call goes over another at once."""
    caller = make(max_retries=0)
    caller.rerank("q", ["a"])
    stage.script(Fault.reset_before())

    if client_kind.is_own:
        assert len(caller.rerank("q", ["a"]).results) == 1
    else:
        with pytest.raises(OpenRouterRerankError):
            caller.rerank("q", ["a"])


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_requests_than_allowed_are_in_flight(make, stage, limit):
    """However many calls are made at once, the server sees no more than `max_concurrency`."""
    with answered_in_turns(stage, *[limit] * (6 // limit)):
        rankings = make(max_concurrency=limit).together(6, "q", ["a"])

    assert [len(ranking.results) for ranking in rankings] == [1] * 6
    assert stage.in_flight_peak == limit


@repeat_if_starved
def test_waiting_for_a_slot_is_part_of_the_deadline(make, stage):
    """A call that waits for others longer than its timeout ends as one that heard nothing."""
    stage.always(Reply(body={"results": [{"index": 0, "relevance_score": 1}]}, delay=0.2))
    caller = make(max_concurrency=1, timeout=0.3, max_retries=0)

    with pytest.raises(DeadlineExceededError):
        caller.together(3, "q", ["a"])

    assert stage.in_flight_peak == 1


def run(script, stage, *flags, **environment):
    """Run `script` in an interpreter of its own, and return what it prints."""
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


def test_importing_and_making_a_client_imports_no_http_library(stage):
    """Importing httpcore waits for the first call that needs it, if any does."""
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


def test_the_loop_does_not_wait_for_imports(stage):
    """The first call imports nothing on the loop: what speaks HTTP takes tenths of a second."""
    script = """
        import asyncio, sys, threading
        from openrouter_rerank import AsyncRerankClient

        places = {}

        class Watch:
            def find_spec(self, name, path=None, target=None):
                places[name] = threading.current_thread() is threading.main_thread()

        sys.meta_path.insert(0, Watch())

        async def main():
            async with AsyncRerankClient() as client:
                await client.rerank("q", ["a"])
                print("httpcore" in places, [name for name, on_loop in places.items() if on_loop])

        asyncio.run(main())
    """

    assert run(script, stage) == "True []"


def test_a_hundred_clients_share_one_ssl_context(stage):
    """The certificates of the machine are read once, by however many clients and threads."""
    script = """
        import asyncio, contextlib, gc, os, ssl, threading
        from concurrent.futures import ThreadPoolExecutor
        from openrouter_rerank import AsyncRerankClient, OpenRouterRerankError, RerankClient

        # What is asked does not speak TLS.
        url = os.environ["OPENROUTER_API_BASE"].replace("http:", "https:")
        settings = {"base_url": url, "max_retries": 0}
        clients = [RerankClient(**settings) for _ in range(100)]
        print(sum(isinstance(each, ssl.SSLContext) for each in gc.get_objects()))
        together = threading.Barrier(10)

        def call(client):
            together.wait()
            with contextlib.suppress(OpenRouterRerankError):
                client.rerank("q", ["a"])

        with ThreadPoolExecutor(10) as pool:
            list(pool.map(call, clients))

        async def main():
            for _ in range(100):
                with contextlib.suppress(OpenRouterRerankError):
                    await AsyncRerankClient(**settings).rerank("q", ["a"])

        asyncio.run(main())
        print(sum(isinstance(each, ssl.SSLContext) for each in gc.get_objects()))
    """

    assert run(script, stage).splitlines() == ["0", "1"]
    assert stage.connections == 200


@pytest.mark.parametrize("closes", [True, False], ids=["closed", "left open"])
def test_no_resource_is_left(stage, closes):
    """A program that ends leaves nothing unclosed behind, closed clients or not."""
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
    """Our own connections go through the proxy that the environment names."""
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


def test_what_is_meant_for_this_machine_does_not_leave_it(stage):
    """A loopback address is reached directly: a proxy would see the key in plain HTTP."""
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
                reason="httpx 0.27 takes its own certificates where the named ones are missing",
            ),
        ),
    ],
    ids=str,
)
def test_an_environment_that_cannot_be_used(stage, settings):
    """A proxy or certificates that cannot be used are a clear error."""
    script = """
        from openrouter_rerank import OpenRouterRerankError, RerankClient
        try:
            RerankClient(api_key="k", base_url="https://gateway.example/v1").rerank("q", ["a"])
        except OpenRouterRerankError as error:
            print(type(error).__name__, "HTTPS_PROXY" in str(error))
    """

    printed = run(script, stage, **{"no_proxy": "", "NO_PROXY": ""} | settings)

    assert printed == "ConfigurationError True"


@pytest.mark.parametrize(
    "script",
    [
        "RerankClient(**options).rerank('q', ['a'])",
        "asyncio.run(AsyncRerankClient(**options).rerank('q', ['a']))",
    ],
    ids=["sync", "async"],
)
def test_a_host_that_the_environment_excludes_is_reached_directly(stage, script):
    """`NO_PROXY` is respected: its host is looked up here, the other one by the proxy alone."""
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
