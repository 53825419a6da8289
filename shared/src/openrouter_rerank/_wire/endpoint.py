"""Where requests go, and which key may go there."""

import functools
import ipaddress
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from openrouter_rerank.errors import ConfigurationError

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
_HOME = "openrouter.ai"
_LONGEST_URL = 2048
_KEY_VARIABLE = "OPENROUTER_API_KEY"
# langchain-openrouter and llama-index-llms-openrouter read the first; people try the second.
_BASE_VARIABLES = ("OPENROUTER_API_BASE", "OPENROUTER_BASE_URL")


class ApiKey:
    """A key that no `repr`, `str`, log line, traceback, copy or pickle shows."""

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        self._reveal: Callable[[], str] = lambda: value

    def authorization(self) -> str:
        """Return the value of the `Authorization` header."""
        return f"Bearer {self._reveal()}"

    def __repr__(self) -> str:
        return "ApiKey(...)"

    def __copy__(self) -> "ApiKey":
        return self

    def __deepcopy__(self, memo: object) -> "ApiKey":
        return self

    def __reduce__(self) -> tuple[object, ...]:
        raise ConfigurationError(
            "an API key is not pickled: set OPENROUTER_API_KEY where the object is restored"
        )


def wrapped(value: object) -> ApiKey | ConfigurationError | None:
    """
    Wrap a key, or tell why it cannot be sent; `None` and blank are no key.

    The error is returned, because a traceback through here would show the key among its locals.
    """
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        return ConfigurationError(f"api_key is of type {type(value).__name__}: pass a string")
    # An HTTP library quotes a bad header in its error, so a key with a line break, as read from a
    # file, would end up in the logs.
    if not value.isascii() or not value.isprintable() or " " in value:
        return ConfigurationError(
            "the API key has characters that cannot be sent, such as a space or a line break: "
            "pass it as OpenRouter shows it"
        )
    return ApiKey(value)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The URL of the rerank endpoint, and the key to send; `None` if a user's header has it."""

    url: str
    api_key: ApiKey | None = field(repr=False)


def endpoint(
    api_key: ApiKey | None,
    base_url: str | None,
    environment: Mapping[str, str],
    *,
    key_in_headers: bool = False,
) -> Endpoint:
    """
    Find the endpoint and the key, given ones first, then those of the environment.

    A key of the environment goes only to openrouter.ai, to this machine, or to a base URL that the
    environment gave too: a configuration file must not be able to send it elsewhere.

    Args:
        api_key: The given key; `None` asks the environment.
        base_url: The given base URL; `None` and blank ask the environment.
        environment: Usually `os.environ`.
        key_in_headers: Whether the user's own headers have an `Authorization`.

    Raises:
        ConfigurationError: If the URL cannot be used, or there is no key that may go there.
    """
    given = _present(base_url)
    has_key = key_in_headers or api_key is not None
    # What is given is not looked up.
    found = None if given is not None and has_key else _first(environment, _BASE_VARIABLES)
    key = None if has_key else wrapped(environment.get(_KEY_VARIABLE))
    # From here on errors are raised, and their tracebacks must not hold the key.
    del environment
    target = destination(given or found or DEFAULT_BASE_URL)
    if key_in_headers:
        return Endpoint(target.url, None)
    if api_key is not None:
        return Endpoint(target.url, api_key)
    if key is None:
        raise ConfigurationError(
            f"no API key: set {_KEY_VARIABLE} or pass api_key (keys: openrouter.ai/keys)"
        )
    if isinstance(key, ConfigurationError):
        raise key
    named = found is not None and target == destination(found)
    if given is not None and not target.is_home and not named:
        raise ConfigurationError(
            f"the key in {_KEY_VARIABLE} is not sent to {target.host}, which the environment does "
            f"not name: pass api_key, or set {_BASE_VARIABLES[0]} instead of base_url"
        )
    return Endpoint(target.url, key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A place that requests may go to."""

    url: str
    """Of the rerank endpoint."""
    host: str
    is_home: bool
    """Whether it is OpenRouter or this machine, where a key of the environment may always go."""


@functools.lru_cache(maxsize=64)
def destination(base_url: str) -> Destination:
    """
    Check a base URL that requests, and with them the key, are to go to.

    Raises:
        ConfigurationError: If it may not be used; a password in it is not shown.
    """
    parts = _parts(base_url.strip())
    host = parts.hostname
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            "base_url has a user name or password in it: pass the key as api_key"
        )
    if parts.query or parts.fragment or not host or parts.port == 0:
        raise ConfigurationError(
            "base_url must have the form https://host/api/v1, without a query or a fragment"
        )
    if not _is_reachable(host, in_brackets="[" in parts.netloc):
        raise ConfigurationError(
            "base_url must have a host name of letters, digits, - and dots, or an IP address"
        )
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ConfigurationError(
            "base_url must begin with https:// (http:// only for this machine), "
            f"got {parts.scheme}://{host}"
        )
    path = parts.path.rstrip("/").removesuffix("/rerank").rstrip("/") + "/rerank"
    return Destination(
        url=parts._replace(path=path).geturl(),
        host=host,
        is_home=host == _HOME or host.endswith(f".{_HOME}") or is_loopback(host),
    )


def _parts(base_url: str) -> SplitResult:
    short = len(base_url) <= _LONGEST_URL
    if short and base_url.isascii() and base_url.isprintable() and " " not in base_url:
        with suppress(ValueError):
            parts = urlsplit(base_url)
            # A bad port is found only when it is asked for.
            _ = parts.port
            return parts
    # Not shown: what is no URL may be anything, a key for instance.
    raise ConfigurationError("base_url is not a URL: use the form https://host/api/v1")


def _is_reachable(host: str, *, in_brackets: bool) -> bool:
    """Tell whether HTTP libraries and resolvers take `host` for what is checked here."""
    with suppress(ValueError):
        return in_brackets == (ipaddress.ip_address(host).version == 6)
    labels = host.removesuffix(".").split(".")
    # What ends in a number is an address, and no valid one.
    return not (in_brackets or labels[-1].isdigit()) and all(
        0 < len(label) < 64
        and label != "xn--"
        and label.replace("-", "").replace("_", "").isalnum()
        for label in labels
    )


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine, by its name or address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _present(value: str | None) -> str | None:
    return value if value is not None and value.strip() else None


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((value for name in names if (value := _present(environment.get(name)))), None)
