"""The proxy that the environment names for a host (HTTPS_PROXY, ALL_PROXY, NO_PROXY)."""

import base64
import os
import ssl
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openrouter_rerank._wire.endpoint import EncodedHeaders, Secrets, is_loopback
from openrouter_rerank.errors import ConfigurationError

from .bounds import Bounds
from .no_proxy import is_excluded
from .tunnel import Handshake, Login, http_tunnel, socks_tunnel

if TYPE_CHECKING:
    import httpx

_PORTS = {"http": 80, "https": 443, "socks5": 1080}


class Proxy:
    """
    A proxy, and how to connect to a host through it.

    Args:
        proxy: What its URL means.
    """

    def __init__(self, proxy: "httpx.Proxy") -> None:
        url, login = proxy.url, proxy.raw_auth
        self.host: str = url.raw_host.decode("ascii")
        self.port: int = url.port or _PORTS[url.scheme]
        self.is_http: bool = url.scheme != "socks5"
        self.uses_tls: bool = url.scheme == "https"
        self.context: ssl.SSLContext | None = None
        """Secures the connection to the proxy, if it `uses_tls`."""
        self.url = str(url)
        """Without the user name and the password."""
        self._login = None if login is None else Login(*login)
        # A proxy may echo the user name and the password, also as they were sent (RFC 7617).
        sent = () if login is None else (*login, base64.b64encode(b":".join(login)))
        self._secrets = Secrets(each.decode("latin-1") for each in sent)

    @property
    def has_login(self) -> bool:
        """`True` if the environment has a user name or a password for it."""
        return self._login is not None

    def tunnel(self, host: str, port: int) -> Handshake:
        """Return the handshake that opens a tunnel to a host."""
        return (http_tunnel if self.is_http else socks_tunnel)(host, port, self._login)

    def with_login(self, headers: EncodedHeaders) -> EncodedHeaders:
        """Return the headers of a request that the proxy forwards."""
        if self._login is None:
            return headers
        return EncodedHeaders((self._login.header(), *headers))

    def note(self, bounds: Bounds) -> None:
        """Note what the failure of an exchange contains about the proxy."""
        bounds.proxy = self.url
        bounds.mask_too(self._secrets)


def proxy_for(url: str) -> Proxy | None:
    """
    Return the proxy that the environment names for `url`.

    Raises:
        ConfigurationError: If it is not the URL of a proxy. The message names its variable, and
            does not show it, because it may contain a password.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    # Requests to this machine must not leave it.
    if is_loopback(host):
        return None
    proxies = urllib.request.getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    found = proxies.get(kind, "").strip()
    if not found:
        return None
    # urllib knows the settings of the system too, but less of what `NO_PROXY` may contain.
    port = parts.port or _PORTS[parts.scheme]
    if urllib.request.proxy_bypass(host) or is_excluded(host, port, proxies.get("no", "")):
        return None
    import httpx

    scheme, _, rest = (found if "://" in found else f"http://{found}").partition("://")
    # httpx 0.27 accepts only `socks5`. With either name, httpcore lets the proxy look hosts up.
    scheme = scheme.lower().replace("socks5h", "socks5")
    # This is not raised in an `except` block, because the error of httpx quotes a part of the URL.
    with suppress(httpx.InvalidURL, ValueError):
        # `httpx.Proxy` takes the credentials out of the URL.
        proxy = httpx.Proxy(f"{scheme}://{rest}")
        if _names_only_a_host(proxy.url) and _has_valid_credentials(proxy):
            return Proxy(proxy)
    raise ConfigurationError(
        f"{_variable(kind)} is not the URL of a proxy: use the form http://host:port or "
        "http://user:password@host:port (or https://, socks5://). In the user name and the "
        "password, write % as %25, # as %23, / as %2F, ? as %3F and @ as %40"
    )


def _names_only_a_host(proxy: "httpx.URL") -> bool:
    # A part of a password with `/`, `?` or `#` is read as a path, a query or a fragment.
    has_more = proxy.path.strip("/") or proxy.query or proxy.fragment
    is_port = proxy.port is None or 0 < proxy.port < 65_536
    # httpx escapes a space in the host.
    return bool(proxy.host) and "%" not in proxy.host and is_port and not has_more


def _has_valid_credentials(proxy: "httpx.Proxy") -> bool:
    # SOCKS 5 has one byte for the length of each (RFC 1929 section 2).
    return proxy.url.scheme != "socks5" or all(len(each) < 256 for each in proxy.raw_auth or ())


def _variable(kind: str) -> str:
    """Return the name of the environment variable that has the proxy for `kind` of URLs."""
    lower = f"{kind}_proxy"
    names = [lower, *(name for name in os.environ if name.lower() == lower)]
    # As in urllib: the name in lower case comes first.
    found = next((name for name in names if os.environ.get(name)), None)
    return found or "the proxy in the settings of this system"
