"""The proxy and the certificate file that the environment names."""

import httpx
import pytest

from tests.client.new_interpreter import run


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
