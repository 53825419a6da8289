"""Makes connections, directly to the host or through the proxy that the environment names."""

import functools
import importlib
import os
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from openrouter_rerank._forks import importing, new_lock
from openrouter_rerank._tracebacks import raise_if_from_signal
from openrouter_rerank.errors import ConfigurationError

if TYPE_CHECKING:
    from .connection import AsyncConnection, Connection
    from .proxy import Proxy

_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def new_connection(url: str) -> "Connection":
    """Return a connection to the host of `url`; it is opened by its first exchange."""
    _import()
    # Imported here, because it imports httpcore: see `prepare`.
    from .connection import Connection

    with _configuration_errors():
        return Connection(url, _context(url), _proxy(url))


def new_async_connection(url: str) -> "AsyncConnection":
    """Return a connection to the host of `url`; it is opened by its first exchange."""
    from .connection import AsyncConnection

    with _configuration_errors():
        return AsyncConnection(url, _context(url), _proxy(url))


def _proxy(url: str) -> "Proxy | None":
    from .proxy import proxy_for

    proxy = proxy_for(url)
    if proxy is not None and proxy.uses_tls:
        proxy.context = _certificates.context()
    return proxy


def is_prepared(url: str) -> bool:
    """Return `True` if `prepare` has nothing left to do for the host of `url`."""
    return _is_imported() and (not _needs_certificates(url) or _certificates.are_read)


def prepare(url: str) -> None:
    """
    Import the HTTP libraries and read the certificates, once in a process.

    This takes tenths of a second, so asynchronous calls do it in a thread.
    """
    with _configuration_errors():
        _import()
        if _needs_certificates(url):
            _certificates.context()


def _needs_certificates(url: str) -> bool:
    if urlsplit(url).scheme == "https":
        return True
    from .proxy import proxy_for

    proxy = proxy_for(url)
    return proxy is not None and proxy.uses_tls


def _is_imported() -> bool:
    return _import.cache_info().currsize > 0


@functools.cache
def _import() -> None:
    # httpx reads certificates and the URLs of proxies.
    with importing:
        # Looking a name up imports the last one.
        for name in ("httpx", f"{__package__}.connection", "encodings.idna"):
            importlib.import_module(name)


def _context(url: str) -> ssl.SSLContext | None:
    return _certificates.context() if urlsplit(url).scheme == "https" else None


class _Certificates:
    """
    The trusted certificates of this machine. Reading them takes tens of milliseconds.

    They are read again when the environment names other ones, or their file has changed: a user who
    corrects `SSL_CERT_FILE` need not restart the process.
    """

    def __init__(self) -> None:
        self._lock = new_lock()
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


@contextmanager
def _configuration_errors() -> Generator[None]:
    """Turn the errors of an unusable proxy or certificate file into a `ConfigurationError`."""
    try:
        yield
    except ConfigurationError:
        raise
    except (OSError, ValueError) as error:
        raise_if_from_signal(error)
        raise ConfigurationError(
            "the proxy or the certificates that the environment names cannot be used "
            f"(HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE, SSL_CERT_DIR): {type(error).__name__}"
        ) from error
