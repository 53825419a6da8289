"""The variables that name a proxy, and the error if their value cannot be used."""

import base64

import pytest
from openrouter_rerank import APIConnectionError, ConfigurationError
from openrouter_rerank._transport.proxy import proxy_for
from openrouter_rerank.local.stage import Fault

from tests.clients import OWN_CONNECTIONS, ClientKind
from tests.secret_walker import secrets_in, secrets_in_frames, tracebacks

URL = "https://gateway.example/api/v1"


@pytest.fixture
def set_proxy(monkeypatch):
    """A function that sets one variable with a proxy, and no others."""

    def set_proxy(variable, value):
        for kind in ("http", "https", "all", "no"):
            monkeypatch.delenv(f"{kind}_proxy", raising=False)
            monkeypatch.delenv(f"{kind}_proxy".upper(), raising=False)
        monkeypatch.setenv(variable, value)

    return set_proxy


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "value",
    [
        "http://user:pA#sS@proxy:80",
        "http://user:pA/sS@proxy:80",
        "http://user:pA?sS@proxy:80",
        "http://user:12/sS@proxy:80",
        "http://user:12#sS@proxy:80",
        "user:pA#sS@proxy:80",
        "ftp://user:pAsS@proxy:80",
        "http://user:pAsS@proxy:port",
        "http://user:pAsS@proxy:99999999",
        "http://user:pAsS@proxy:0",
        "http://user:pAsS@",
        "http://user:pAsS@pro xy:80",
        "http://user:pAsS@[::1",
        "http://user:pAsS\n@proxy:80",
        f"socks5://user:pAsS{'x' * 255}@proxy:80",
        "://",
    ],
)
def test_a_proxy_that_cannot_be_used_is_an_error(set_proxy, mode, variable, value):
    """The error names the variable, says what to write, and shows no part of the value."""
    set_proxy(variable, value)

    with (
        ClientKind(mode, None) as client_kind,
        pytest.raises(ConfigurationError, match=f"^{variable} is not the URL of a proxy") as caught,
    ):
        client_kind.client(api_key="k", base_url=URL).rerank("q", ["a"])

    assert "write % as %25, # as %23" in str(caught.value)
    assert secrets_in_frames(caught.value, ("pA", "sS")) == []
    assert [
        each for each in tracebacks(caught.value) if secrets_in(str(each), "", ("pA", "sS"))
    ] == []


@pytest.mark.parametrize(
    ("value", "host", "port"),
    [
        (" http://user:password@proxy:81 ", "proxy", 81),
        ("\thttp://proxy:80/\n", "proxy", 80),
        ("proxy:3128", "proxy", 3128),
        ("http://user:pass%23word%2F@proxy", "proxy", 80),
        ("https://proxy", "proxy", 443),
        ("http://user:p@ss@proxy:80", "proxy", 80),
        ("http://[::1]:8080", "::1", 8080),
        ("socks5h://user:password@proxy", "proxy", 1080),
        ("SOCKS5H://user:password@proxy", "proxy", 1080),
        ("Http://user:password@proxy", "proxy", 80),
    ],
)
def test_a_proxy_that_can_be_used_is_accepted(set_proxy, value, host, port):
    """White space around the URL, escapes in the password, and a missing port are accepted."""
    set_proxy("HTTPS_PROXY", value)

    proxy = proxy_for(URL)

    assert (proxy.host, proxy.port) == (host, port)


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_a_blank_variable_names_no_proxy(set_proxy, value):
    """A variable with only white space names no proxy."""
    set_proxy("HTTPS_PROXY", value)

    assert proxy_for(URL) is None


@OWN_CONNECTIONS
@pytest.mark.parametrize("status", [403, 407])
def test_a_proxy_that_refuses_is_asked_once_and_its_echo_is_masked(
    client_kind, stage, monkeypatch, status
):
    """A proxy that refuses is not asked again, and what it echoes of the password is masked."""
    sent = base64.b64encode(b"user-name:pw-secret").decode()
    head = f"HTTP/1.1 {status} no entry for user-name with pw-secret ({sent})\r\n\r\n"
    stage.always(Fault.garbage(head.encode()))
    address = stage.base_url.removeprefix("http://").removesuffix("/api/v1")
    monkeypatch.setenv("HTTPS_PROXY", f"http://user-name:pw-secret@{address}")
    client = client_kind.client(base_url="https://openrouter.ai/api/v1", api_key="k")

    with pytest.raises(APIConnectionError) as caught:
        client.rerank("q", ["a"])

    assert caught.value.message.startswith(
        f"the proxy http://{address} refused to connect to openrouter.ai:443: "
        f"HTTP {status} no entry for *** with *** (***). Check "
    )
    assert (caught.value.retryable, caught.value.attempts, stage.connections) == (False, 1, 1)


@pytest.mark.parametrize("variable", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize(
    ("url", "is_direct"),
    [
        ("https://a.gateway.example/v1", True),
        ("https://gateway.example:8443/v1", False),
        ("https://10.1.2.3/v1", True),
        ("https://[2001:db8::1]/v1", True),
        ("https://other.example/v1", False),
    ],
)
def test_a_host_in_no_proxy_needs_no_proxy(set_proxy, monkeypatch, variable, url, is_direct):
    """`NO_PROXY` may have domains, ports, networks and IPv6 addresses."""
    set_proxy("HTTPS_PROXY", "http://proxy")
    monkeypatch.setenv(variable, "*.gateway.example:443, 10.0.0.0/8 [2001:db8::1]")

    assert (proxy_for(url) is None) == is_direct
