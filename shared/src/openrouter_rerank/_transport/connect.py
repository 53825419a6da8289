"""Makes connections, directly to the host or through the proxy that the environment names."""

import functools
import importlib
import os
import ssl
import threading
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank._wire.endpoint import is_loopback
from openrouter_rerank.errors import ConfigurationError

if TYPE_CHECKING:
    import httpx

    from .connection import AsyncConnection, Connection
    from .proxied_connection import AsyncProxiedConnection, ProxiedConnection

_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")

# Strings, because the modules of the classes import httpcore and httpx: see `prepare`.
AnyConnection: TypeAlias = "Connection | ProxiedConnection"
AnyAsyncConnection: TypeAlias = "AsyncConnection | AsyncProxiedConnection"


def new_connection(url: str) -> AnyConnection:
    """Return a connection to the host of `url`; it is opened by its first exchange."""
    with _configuration_errors():
        context, proxy = _context(url), _proxy(url)
        if proxy is None:
            from .connection import Connection

            return Connection(url, context)
        from .proxied_connection import ProxiedConnection

        return ProxiedConnection(proxy, context)


def new_async_connection(url: str) -> AnyAsyncConnection:
    """Return a connection to the host of `url`; it is opened by its first exchange."""
    with _configuration_errors():
        context, proxy = _context(url), _proxy(url)
        if proxy is None:
            from .connection import AsyncConnection

            return AsyncConnection(url, context)
        from .proxied_connection import AsyncProxiedConnection

        return AsyncProxiedConnection(proxy, context)


def is_prepared(url: str) -> bool:
    """Return `True` if `prepare` has nothing left to do for the host of `url`."""
    needs_context = urlsplit(url).scheme == "https"
    return _is_imported() and (not needs_context or _certificates.are_read)


def prepare(url: str) -> None:
    """
    Import the HTTP libraries and read the certificates, once in a process.

    This takes tenths of a second, so asynchronous calls do it in a thread.
    """
    with _configuration_errors():
        _import()
        _context(url)


def _is_imported() -> bool:
    return _import.cache_info().currsize > 0


@functools.cache
def _import() -> None:
    for name in ("connection", "proxied_connection"):
        importlib.import_module(f"{__package__}.{name}")
    import anyio

    # The locks of httpcore come from anyio, which imports its asyncio backend when it first runs.
    anyio.run(anyio.sleep, 0)


def _context(url: str) -> ssl.SSLContext | None:
    return _certificates.context() if urlsplit(url).scheme == "https" else None


class _Certificates:
    """
    The trusted certificates of this machine. Reading them takes tens of milliseconds.

    They are read again when the environment names other ones, or their file has changed: a user who
    corrects `SSL_CERT_FILE` need not restart the process.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._source: tuple[object, ...] = ()
        self._context: ssl.SSLContext | None = None

    @property
    def are_read(self) -> bool:
        return self._context is not None and self._source == _certificate_source()

    def context(self) -> ssl.SSLContext:
        # If several threads begin together, only one of them reads the certificates.
        with self._lock:
            source = _certificate_source()
            if self._context is None or self._source != source:
                self._context, self._source = _new_context(), source
            return self._context

    def renew_lock(self) -> None:
        """Replace the lock in a forked child: a thread of the parent may have held it."""
        self._lock = threading.Lock()


def _new_context() -> ssl.SSLContext:
    import httpx

    # httpx reads the folder only if there is no file.
    named = next((name for name in _CERTIFICATE_VARIABLES if os.environ.get(name)), None)
    try:
        context = httpx.create_ssl_context()
    except (OSError, ValueError) as error:
        raise_if_from_signal(error)
        if named is None:
            raise
        raise ConfigurationError(
            f"the certificates in {named}={os.environ[named]!r:.200} cannot be read: "
            f"{_reason(error)}. Name a file or a folder of certificates in PEM format"
        ) from error
    context.set_alpn_protocols(["http/1.1"])
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError) and error.reason:
        # The name of a constant of OpenSSL.
        return error.reason.replace("_", " ").lower()
    text = error.strerror if isinstance(error, OSError) else None
    return text or type(error).__name__


def _certificate_source() -> tuple[object, ...]:
    """Return what the environment names, and when it was changed: equal if nothing has changed."""
    source: list[object] = []
    for name in _CERTIFICATE_VARIABLES:
        path = os.environ.get(name)
        source.append(path)
        if path:
            # A path that does not exist is reported when the certificates are read.
            try:
                found = Path(path).stat()
            except (OSError, ValueError) as error:
                raise_if_from_signal(error)
            else:
                source.append((found.st_mtime_ns, found.st_size, found.st_ino))
    return tuple(source)


_certificates = _Certificates()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_certificates.renew_lock)


@contextmanager
def _configuration_errors() -> Generator[None]:
    """Turn the errors of an unusable proxy or certificate file into a `ConfigurationError`."""
    try:
        yield
    except ConfigurationError:
        raise
    # httpcore raises a RuntimeError if the package for SOCKS proxies is missing.
    except (ImportError, OSError, ValueError, RuntimeError) as error:
        raise_if_from_signal(error)
        raise ConfigurationError(
            "the proxy or the certificates that the environment names cannot be used "
            f"(HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE, SSL_CERT_DIR): {type(error).__name__}"
        ) from error


def _proxy(url: str) -> "httpx.Proxy | None":
    """
    Return the proxy that the environment names for `url` (HTTPS_PROXY, ALL_PROXY, NO_PROXY).

    Raises:
        ConfigurationError: If it is not the URL of a proxy. The message names its variable, and
            does not show it, because it may contain a password.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    # Requests to this machine must not leave it.
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    proxies = urllib.request.getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    found = proxies.get(kind, "").strip()
    if not found:
        return None
    import httpx

    found = found if "://" in found else f"http://{found}"
    # Not in an `except` block: the error of httpx quotes a part of the URL.
    with suppress(httpx.InvalidURL, ValueError):
        # `httpx.Proxy` takes the credentials out of the URL. httpx 0.27 accepts only `socks5`. With
        # either name, httpcore lets the proxy look hosts up.
        proxy = httpx.Proxy(found.replace("socks5h://", "socks5://", 1))
        if _names_only_a_host(proxy.url) and _has_valid_credentials(proxy):
            return proxy
    raise ConfigurationError(
        f"{_variable(kind)} is not the URL of a proxy: use the form http://host:port or "
        "http://user:password@host:port (or https://, socks5://). In the user name and the "
        "password, write % as %25, # as %23, / as %2F, ? as %3F and @ as %40"
    )


def _names_only_a_host(proxy: "httpx.URL") -> bool:
    # Part of a password with `/`, `?` or `#` is taken for a path, a query or a fragment.
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
