"""Where requests are sent, and which key may be sent there."""

from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openrouter_rerank._wire.endpoint import (
    MODELS_PATH,
    ApiKey,
    checked_key,
    destination,
    endpoint,
    is_loopback,
)
from openrouter_rerank.errors import ConfigurationError

OPENROUTER = "https://openrouter.ai/api/v1/rerank"
ENVIRONMENT = {"OPENROUTER_API_KEY": "sk-ambient"}
OTHER_HOST = "https://gateway.example/v1"


def url_and_authorization(base_url=None, environment=ENVIRONMENT, key=None):
    """Return the URL and the `Authorization` header of a client with these options."""
    target = endpoint(None if key is None else ApiKey(key), base_url, environment)
    return target.url, target.api_key.authorization()


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        pytest.param(None, OPENROUTER, id="none"),
        pytest.param("", OPENROUTER, id="empty"),
        pytest.param("  ", OPENROUTER, id="blank"),
        pytest.param("https://openrouter.ai/api/v1", OPENROUTER, id="plain"),
        pytest.param("https://openrouter.ai/api/v1/", OPENROUTER, id="slash"),
        pytest.param("https://openrouter.ai/api/v1//", OPENROUTER, id="slashes"),
        pytest.param("https://openrouter.ai/api/v1/rerank", OPENROUTER, id="full"),
        pytest.param("https://openrouter.ai/api/v1//rerank", OPENROUTER, id="slashes within"),
        pytest.param("https://openrouter.ai/api/v1/rerank/", OPENROUTER, id="full, slash"),
        pytest.param(" https://openrouter.ai/api/v1\n", OPENROUTER, id="surrounding blanks"),
        pytest.param(
            "HTTPS://OpenRouter.AI/api/v1", "https://OpenRouter.AI/api/v1/rerank", id="case"
        ),
        pytest.param(OTHER_HOST, "https://gateway.example/v1/rerank", id="other host"),
        pytest.param("https://host", "https://host/rerank", id="no path"),
        pytest.param("https://host/", "https://host/rerank", id="root"),
        pytest.param("https://host/rerank", "https://host/rerank", id="only rerank"),
        pytest.param("https://host/myrerank", "https://host/myrerank/rerank", id="part of a name"),
        pytest.param("https://host:8443/v1", "https://host:8443/v1/rerank", id="port"),
        pytest.param("https://10.0.0.1/v1", "https://10.0.0.1/v1/rerank", id="IPv4 address"),
        pytest.param("https://[2001:db8::1]", "https://[2001:db8::1]/rerank", id="IPv6 address"),
        pytest.param("https://a-1.b_2/v1", "https://a-1.b_2/v1/rerank", id="all valid characters"),
        pytest.param("https://host./v1", "https://host./v1/rerank", id="trailing dot"),
        pytest.param("https://xn--a/v1", "https://xn--a/v1/rerank", id="international name"),
        pytest.param(f"https://{'a' * 63}.b", f"https://{'a' * 63}.b/rerank", id="longest label"),
        pytest.param("http://localhost:1234/v1", "http://localhost:1234/v1/rerank", id="localhost"),
        pytest.param("http://127.0.0.1/v1", "http://127.0.0.1/v1/rerank", id="loopback"),
        pytest.param("http://127.9.9.9/v1", "http://127.9.9.9/v1/rerank", id="loopback network"),
        pytest.param("http://[::1]:80/v1", "http://[::1]:80/v1/rerank", id="IPv6 loopback"),
    ],
)
def test_accepted_forms_of_a_base_url(base_url, url):
    """A base URL is accepted with or without a trailing slash and `/rerank`."""
    assert url_and_authorization(base_url, key="sk-given") == (url, "Bearer sk-given")


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        pytest.param("http://gateway.example/v1", "must begin with https://", id="http"),
        pytest.param(
            "http://openrouter.ai/api/v1", "must begin with https://", id="http for OpenRouter"
        ),
        pytest.param(
            "http://127.0.0.1.evil.example",
            "must begin with https://",
            id="loopback address as a subdomain",
        ),
        pytest.param(
            "http://localhost.evil.example",
            "must begin with https://",
            id="localhost as a subdomain",
        ),
        pytest.param("http://10.0.0.1/v1", "must begin with https://", id="private network"),
        pytest.param("http://0.0.0.0/v1", "must begin with https://", id="any address"),
        pytest.param("ftp://host/v1", "must begin with https://.*got ftp://host$", id="ftp"),
        pytest.param("ftp://localhost/v1", "must begin with https://", id="ftp on loopback"),
        pytest.param("ws://127.0.0.1/v1", "must begin with https://", id="ws on loopback"),
        pytest.param("file:///etc/passwd", "must have the form", id="file"),
        pytest.param("host/v1", "must have the form", id="no scheme"),
        pytest.param("//host/v1", "must begin with https://", id="no scheme, slashes"),
        pytest.param("https:///v1", "must have the form", id="no host"),
        pytest.param("https://host/v1?key=1", "must have the form", id="query"),
        pytest.param("https://host/v1#top", "must have the form", id="fragment"),
        pytest.param("https://a..b/v1", "must have a host name", id="empty label"),
        pytest.param("https://.a/v1", "must have a host name", id="empty first label"),
        pytest.param(f"https://{'a' * 64}.b/v1", "must have a host name", id="label too long"),
        pytest.param("https://xn--.b/v1", "must have a host name", id="empty international label"),
        pytest.param("https://a~b/v1", "must have a host name", id="punctuation"),
        pytest.param("https://_/v1", "must have a host name", id="underscore alone"),
        pytest.param("https://host/\u00e9", "is not a URL", id="not ASCII"),
        pytest.param("https://host/a b", "is not a URL", id="space"),
        pytest.param("https://host/a\x00b", "is not a URL", id="control character"),
        pytest.param("https://-/v1", "must have a host name", id="hyphen alone"),
        pytest.param("https://a.1/v1", "must have a host name", id="number as last label"),
        pytest.param("https://1.2.3/v1", "must have a host name", id="three parts of an address"),
        pytest.param("https://[v1.a]/v1", "must have a host name", id="future IP version"),
        pytest.param("https://host:0/v1", "must have the form", id="port 0"),
        pytest.param("https://host:99999/v1", "is not a URL", id="port too high"),
        pytest.param("https://host:https/v1", "is not a URL", id="port is a word"),
        pytest.param("https://[::1/v1", "is not a URL", id="missing bracket"),
        pytest.param("https://me:secret@host/v1", "user name or password", id="password"),
        pytest.param("https://secret@host/v1", "user name or password", id="user name"),
        pytest.param("https://:secret@host/v1", "user name or password", id="password only"),
        pytest.param("https://openrouter.ai:secret@evil.example", "user name", id="host as user"),
    ],
)
@pytest.mark.parametrize("source", ["option", "OPENROUTER_API_BASE", "OPENROUTER_BASE_URL"])
def test_an_invalid_base_url_is_refused(base_url, message, source):
    """An invalid base URL is refused with the reason, and a password in it is not shown."""
    option = base_url if source == "option" else None
    environment = ENVIRONMENT if option else ENVIRONMENT | {source: base_url}
    named = "base_url" if source == "option" else source

    with pytest.raises(ConfigurationError, match=f"{named}.*{message}") as caught:
        endpoint(ApiKey("sk-given"), option, environment)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://host", "ftp://localhost"])
def test_a_destination_is_secure_unless_the_user_allows_another(url):
    """Without further options, a URL that is not secure is refused as `base_url`."""
    with pytest.raises(ConfigurationError, match=r"^base_url must begin with https://"):
        destination(url)


def test_the_longest_url():
    """A base URL has at most 2048 characters."""
    longest = "https://host/" + "a" * 2035

    assert destination(longest).url == f"{longest}/rerank"
    with pytest.raises(ConfigurationError, match=r"^base_url is not a URL"):
        destination(longest + "a")


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({}, OPENROUTER),
        ({"OPENROUTER_API_BASE": "", "OPENROUTER_BASE_URL": " "}, OPENROUTER),
        ({"OPENROUTER_API_BASE": "https://a/v1"}, "https://a/v1/rerank"),
        ({"OPENROUTER_BASE_URL": "https://b/v1"}, "https://b/v1/rerank"),
        (
            {"OPENROUTER_API_BASE": "https://a/v1", "OPENROUTER_BASE_URL": "https://b/v1"},
            "https://a/v1/rerank",
        ),
        (
            {"OPENROUTER_API_BASE": " ", "OPENROUTER_BASE_URL": "https://b/v1"},
            "https://b/v1/rerank",
        ),
    ],
)
def test_the_base_url_is_read_from_the_environment(environment, url):
    """`OPENROUTER_API_BASE` has priority over `OPENROUTER_BASE_URL`; blank values are ignored."""
    assert url_and_authorization(None, ENVIRONMENT | environment)[0] == url
    assert (
        url_and_authorization("https://given/v1", environment, key="k")[0]
        == "https://given/v1/rerank"
    )


@pytest.mark.parametrize(
    ("base_url", "environment"),
    [
        pytest.param(None, {}, id="no base URL"),
        pytest.param("https://openrouter.ai/api/v1", {}, id="OpenRouter"),
        pytest.param("https://eu.openrouter.ai/api/v1", {}, id="region"),
        pytest.param("https://OPENROUTER.AI/api/v1", {}, id="OpenRouter in capitals"),
        pytest.param("http://localhost:1234/v1", {}, id="localhost"),
        pytest.param("http://127.0.0.1:1234/v1", {}, id="loopback"),
        pytest.param("https://[::1]/v1", {}, id="IPv6 loopback"),
        pytest.param(None, {"OPENROUTER_API_BASE": OTHER_HOST}, id="environment"),
        pytest.param(None, {"OPENROUTER_BASE_URL": OTHER_HOST}, id="environment, fallback"),
        pytest.param(" ", {"OPENROUTER_API_BASE": OTHER_HOST}, id="blank option"),
        pytest.param(
            OTHER_HOST, {"OPENROUTER_API_BASE": OTHER_HOST}, id="option equals environment"
        ),
    ],
)
def test_hosts_that_get_the_environment_key(base_url, environment):
    """The environment's key is sent to OpenRouter, to loopback, and to the environment's URL."""
    assert url_and_authorization(base_url, ENVIRONMENT | environment)[1] == "Bearer sk-ambient"


@pytest.mark.parametrize(
    ("base_url", "environment"),
    [
        pytest.param(OTHER_HOST, {}, id="other host"),
        pytest.param("https://openrouter.ai.evil.example/v1", {}, id="OpenRouter as a subdomain"),
        pytest.param("https://evilopenrouter.ai/v1", {}, id="OpenRouter as an ending"),
        pytest.param("https://openrouter.ai@evil.example/v1", {}, id="OpenRouter as a user name"),
        pytest.param("https://evil.example/openrouter.ai", {}, id="OpenRouter as a path"),
        pytest.param("https://localhost.evil.example/v1", {}, id="localhost as a subdomain"),
        pytest.param("https://127.0.0.1.evil.example/v1", {}, id="loopback as a subdomain"),
        pytest.param("https://10.0.0.1/v1", {}, id="private network"),
        pytest.param(
            "https://evil.example/v1",
            {"OPENROUTER_API_BASE": OTHER_HOST},
            id="not the environment's",
        ),
        pytest.param(
            "https://evil.example/v1",
            {"OPENROUTER_API_BASE": OTHER_HOST, "OPENROUTER_BASE_URL": "https://evil.example/v1"},
            id="environment variable that is not used",
        ),
    ],
)
def test_other_hosts_do_not_get_the_environment_key(base_url, environment):
    """The environment's key is sent to no other host; the error says what to do."""
    with pytest.raises(ConfigurationError) as caught:
        endpoint(None, base_url, ENVIRONMENT | environment)

    assert "sk-ambient" not in str(caught.value)
    assert "api_key" in str(caught.value)
    assert (
        endpoint(ApiKey("k"), "https://evil.example", ENVIRONMENT).api_key.authorization()
        == "Bearer k"
    )


def test_the_error_says_how_to_allow_another_host():
    """The error says how to send the environment's key to another host."""
    with pytest.raises(ConfigurationError, match="set OPENROUTER_API_BASE instead of base_url"):
        endpoint(None, OTHER_HOST, ENVIRONMENT)


@pytest.mark.parametrize(
    ("key", "base_url", "environment", "authorization"),
    [
        ("sk-given", OTHER_HOST, ENVIRONMENT, "Bearer sk-given"),
        (None, None, ENVIRONMENT, "Bearer sk-ambient"),
        (None, OTHER_HOST, ENVIRONMENT, None),
        (None, None, {}, None),
    ],
)
def test_a_list_of_models_needs_no_key(key, base_url, environment, authorization):
    """Where no key is needed, one that is missing or may not be sent there is left out."""
    target = endpoint(
        None if key is None else ApiKey(key), base_url, environment, needs_key=False
    ).at(MODELS_PATH)

    assert target.url == (
        f"{base_url or 'https://openrouter.ai/api/v1'}/models?output_modalities=rerank"
    )
    sent = None if target.api_key is None else target.api_key.authorization()
    assert sent == authorization


def test_a_key_option_replaces_the_environment_key():
    """The option `api_key` is used instead of the environment's key."""
    assert url_and_authorization(None, ENVIRONMENT, key="sk-given") == (
        OPENROUTER,
        "Bearer sk-given",
    )


@pytest.mark.parametrize("value", [None, "", "  "])
def test_the_error_for_a_missing_key_names_the_variable(value):
    """Without a key, the error names the variable and the option."""
    environment = {} if value is None else {"OPENROUTER_API_KEY": value}

    with pytest.raises(ConfigurationError, match=r"set OPENROUTER_API_KEY or pass api_key"):
        endpoint(None, None, environment)


def test_an_authorization_header_replaces_the_key():
    """If the user sets an `Authorization` header, no key is needed and none is sent."""
    target = endpoint(None, OTHER_HOST, {}, key_in_headers=True)

    assert (target.url, target.api_key) == ("https://gateway.example/v1/rerank", None)
    assert endpoint(ApiKey("k"), None, ENVIRONMENT, key_in_headers=True).api_key is None


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.255.0.1", "::1"])
def test_loopback_hosts_are_recognized(host):
    """`localhost` and the loopback addresses are loopback hosts."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "localhost.", "local", "0.0.0.1", "10.0.0.1", "::", "127.1", "127.0.0.1.a"]
)
def test_other_hosts_are_not_loopback(host):
    """Names and addresses that may belong to another machine are not loopback hosts."""
    assert not is_loopback(host)


HOSTS = st.text(
    st.sampled_from("a1.-_:@[]\\%/*~\x01\x7f\u00e4\u200b\u3002\u00ad") | st.characters(),
    max_size=12,
)


@given(HOSTS)
@example("a..b")
@example("a\\.openrouter.ai")
@example("\x01")
@example("h\u200b")
@example("xn--")
@example("[v1.a]")
@example("h/\x01")
def test_the_http_library_reaches_the_checked_host(host):
    """For each accepted base URL, the HTTP library connects to the host that was checked."""
    try:
        url = endpoint(ApiKey("k"), f"https://{host}", {}).url
    except ConfigurationError:
        return

    checked = urlsplit(url).hostname
    reached = httpx.URL(url)

    assert reached.scheme == "https"
    assert not reached.userinfo
    assert checked.isascii() is False or reached.raw_host.decode().strip("[]") == checked


GOOD_KEY = "sk-or-v1-0123456789abcdef"


@pytest.mark.parametrize(
    "value",
    [
        "sk secret",
        "sk-secret\n",
        "\nsk-secret",
        "sk-secret\r\nX: y",
        "sk-secr\u00e9t",
        "sk-secret\x00",
        "sk-\tsecret",
        "sk-secret\u200b",
    ],
    ids=repr,
)
def test_an_invalid_key_is_refused_and_not_shown(value):
    """A key with spaces, line breaks or non-ASCII characters is refused and not quoted."""
    refusal = checked_key(value)

    assert isinstance(refusal, ConfigurationError)
    assert "the API key has characters that cannot be sent" in str(refusal)
    assert "secr" not in str(refusal)


@pytest.mark.parametrize("value", [None, "", " ", "\n"], ids=repr)
def test_a_blank_key_is_no_key(value):
    """`None` and blank strings count as no key."""
    assert checked_key(value) is None


@given(st.text())
def test_an_authorization_header_is_printable_ascii(value):
    """Every accepted key makes an `Authorization` header of printable ASCII without spaces."""
    key = checked_key(value)
    if not isinstance(key, ApiKey):
        return

    assert key.authorization() == f"Bearer {value}"
    assert all("!" <= character <= "~" for character in value)


def test_an_invalid_environment_key_is_refused():
    """An invalid key in the environment is refused, and the error does not show it."""
    with pytest.raises(ConfigurationError, match="characters that cannot be sent") as caught:
        endpoint(None, None, {"OPENROUTER_API_KEY": f"{GOOD_KEY}\nx"})

    assert GOOD_KEY not in str(caught.value)
