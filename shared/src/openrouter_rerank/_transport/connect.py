"""Makes connections: straight to the host, or through the proxy that the environment names."""

import functools
import importlib
import os
import ssl
import threading
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from openrouter_rerank._wire.endpoint import is_loopback
from openrouter_rerank.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx

    from .connection import AsyncLine, Line
    from .proxied_connection import AsyncProxiedLine, ProxiedLine

Channel: TypeAlias = "Line | ProxiedLine"
AsyncChannel: TypeAlias = "AsyncLine | AsyncProxiedLine"


def new_channel(url: str) -> Channel:
    """Return a connection to the host of `url`, which is made when it is first used."""
    with _settings_of_the_environment():
        context, proxy = _context(url), _proxy(url)
        if proxy is None:
            from .connection import Line

            return Line(url, context)
        from .proxied_connection import ProxiedLine

        return ProxiedLine(proxy, context)


def new_async_channel(url: str) -> AsyncChannel:
    """Return a connection to the host of `url`, which is made when it is first used."""
    with _settings_of_the_environment():
        context, proxy = _context(url), _proxy(url)
        if proxy is None:
            from .connection import AsyncLine

            return AsyncLine(url, context)
        from .proxied_connection import AsyncProxiedLine

        return AsyncProxiedLine(proxy, context)


def is_prepared(url: str) -> bool:
    """Tell whether a connection to the host of `url` can be made and used without delay."""
    needs_context = urlsplit(url).scheme == "https"
    return _is_imported() and (not needs_context or _certificates.are_read)


def prepare(url: str) -> None:
    """Do once what takes tenths of a second; for asynchronous calls, in a thread."""
    with _settings_of_the_environment():
        _import()
        _context(url)


def _is_imported() -> bool:
    return _import.cache_info().currsize > 0


@functools.cache
def _import() -> None:
    for name in ("connection", "proxied_connection"):
        importlib.import_module(f"{__package__}.{name}")
    import anyio

    # httpcore takes its locks from anyio, which imports what it needs for asyncio when it runs.
    anyio.run(anyio.sleep, 0)


def _context(url: str) -> ssl.SSLContext | None:
    return _certificates.context() if urlsplit(url).scheme == "https" else None


class _Certificates:
    """Those of this machine, which take tens of milliseconds to read: once in a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None

    @property
    def are_read(self) -> bool:
        return self._context is not None

    def context(self) -> ssl.SSLContext:
        # Of threads that begin together one reads them.
        with self._lock:
            if self._context is None:
                import httpx

                context = httpx.create_ssl_context()
                context.set_alpn_protocols(["http/1.1"])
                self._context = context
            return self._context

    def renew_lock(self) -> None:
        """Forget in a forked child that a thread of the parent was reading."""
        self._lock = threading.Lock()


_certificates = _Certificates()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_certificates.renew_lock)


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

    found = found if "://" in found else f"http://{found}"
    # It takes the credentials out of the URL. httpx 0.27 knows one of the two names for SOCKS only;
    # by either, httpcore leaves it to the proxy to look hosts up.
    return httpx.Proxy(found.replace("socks5h://", "socks5://", 1))
