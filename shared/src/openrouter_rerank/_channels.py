"""
Makes connections: channels of httpcore, through the proxy that the environment names.

httpx speaks HTTP through httpcore as well. What it adds for its own users, the pool, cookies,
redirects, and objects around requests and answers, is a third of what a call costs.
"""

import functools
import importlib
import ssl
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from ._endpoint import is_loopback
from .errors import ConfigurationError

if TYPE_CHECKING:
    import httpcore
    import httpx

    from ._sockets import Sockets

# A proxy is a pool of httpcore's, here of one connection.
Channel: TypeAlias = "httpcore.HTTPConnection | httpcore.ConnectionPool"
AsyncChannel: TypeAlias = "httpcore.AsyncHTTPConnection | httpcore.AsyncConnectionPool"

# Seconds. Longer than httpx's 5, after which a caller who asks every ten seconds pays for a TCP and
# a TLS handshake each time.
KEEP_ALIVE = 60.0


def new_channel(url: str) -> "tuple[Channel, Sockets]":
    """Return a channel to the host of `url`, which connects when it is used, and its sockets."""
    import httpcore

    from ._sockets import Sockets

    sockets = Sockets()

    with _settings_of_the_environment():
        context, proxy = _context(url), _proxy(url)
        if proxy is None:
            return httpcore.HTTPConnection(
                httpcore.URL(url).origin,
                ssl_context=context,
                keepalive_expiry=KEEP_ALIVE,
                network_backend=sockets,
            ), sockets
        kind = httpcore.SOCKSProxy if proxy.url.scheme.startswith("socks") else httpcore.HTTPProxy
        return kind(
            str(proxy.url),
            proxy_auth=proxy.raw_auth,
            ssl_context=context,
            max_connections=1,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=sockets,
        ), sockets


def new_async_channel(url: str) -> AsyncChannel:
    """Return a channel to the host of `url`, which connects when it is used."""
    import httpcore

    from ._asockets import AsyncSockets

    with _settings_of_the_environment():
        context, proxy = _context(url), _proxy(url)
        if proxy is None:
            return httpcore.AsyncHTTPConnection(
                httpcore.URL(url).origin,
                ssl_context=context,
                keepalive_expiry=KEEP_ALIVE,
                network_backend=AsyncSockets(),
            )
        kind = (
            httpcore.AsyncSOCKSProxy
            if proxy.url.scheme.startswith("socks")
            else httpcore.AsyncHTTPProxy
        )
        return kind(
            str(proxy.url),
            proxy_auth=proxy.raw_auth,
            ssl_context=context,
            max_connections=1,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=AsyncSockets(),
        )


def is_alive(channel: "Channel | AsyncChannel") -> bool:
    """Tell whether an idle channel can be used again, as far as this side knows."""
    import httpcore

    if isinstance(channel, httpcore.ConnectionPool | httpcore.AsyncConnectionPool):
        return all(each.is_idle() and not each.has_expired() for each in channel.connections)
    return channel.is_idle() and not channel.has_expired()


def is_prepared(url: str) -> bool:
    """Tell whether a channel to the host of `url` can be made and used without delay."""
    needs_context = urlsplit(url).scheme == "https"
    return _is_imported() and (not needs_context or _ssl_context.cache_info().currsize > 0)


def prepare(url: str) -> None:
    """Do once what takes tenths of a second; for asynchronous calls, in a thread."""
    with _settings_of_the_environment():
        _import()
        _context(url)


def _is_imported() -> bool:
    return _import.cache_info().currsize > 0


@functools.cache
def _import() -> None:
    for name in ("_sockets", "_asockets"):
        importlib.import_module(f"{__package__}.{name}")
    import anyio

    # httpcore takes its locks from anyio, which imports what it needs for asyncio when it runs.
    anyio.run(anyio.sleep, 0)


def _context(url: str) -> ssl.SSLContext | None:
    return _ssl_context() if urlsplit(url).scheme == "https" else None


@functools.cache
def _ssl_context() -> ssl.SSLContext:
    import httpx

    # Made from the certificates of this machine, which takes tens of milliseconds.
    return httpx.create_ssl_context()


@contextmanager
def _settings_of_the_environment() -> Generator[None]:
    try:
        yield
    # A RuntimeError is the way in which httpcore says that it needs a package for SOCKS.
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise ConfigurationError(
            "the proxy or the certificates that the environment names cannot be used "
            f"(HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE, SSL_CERT_DIR): {type(error).__name__}"
        ) from error


def _proxy(url: str) -> "httpx.Proxy | None":
    """Return the proxy that the environment names for `url` (HTTPS_PROXY, ALL_PROXY, NO_PROXY)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    # What is meant for this machine must not leave it.
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all")
    if not found:
        return None
    import httpx

    # It takes the credentials out of the URL.
    return httpx.Proxy(found if "://" in found else f"http://{found}")
