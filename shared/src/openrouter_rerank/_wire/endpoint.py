"""
Finds where requests are sent, and which key may be sent there.

An API key is in an `ApiKey` from here on, and the headers of a request in `EncodedHeaders`. Neither
is ever in an error, a log line or a traceback.
"""

import functools
import ipaddress
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, urlsplit

from pydantic import SecretStr

from openrouter_rerank.errors import ConfigurationError

MODELS_PATH = "models?output_modalities=rerank"
"""The list of the rerank models, after the base URL. Without the parameter it has none of them."""
KEY_PATH = "key"
"""The details of the key, after the base URL."""

DEFAULT_BASE_URL = "https://openrouter.ai/api/v1"
_OPENROUTER_HOST = "openrouter.ai"
# Characters.
_LONGEST_URL = 2048
_SHORTEST_SECRET = 6
KEY_VARIABLE = "OPENROUTER_API_KEY"
KEY_IN_ENVIRONMENT = f"the API key in {KEY_VARIABLE}"
# langchain-openrouter and llama-index-llms-openrouter read the first. The second is what users try.
BASE_VARIABLES = ("OPENROUTER_API_BASE", "OPENROUTER_BASE_URL")


class Secrets:
    """Values that a server may echo, and that no message may show."""

    __slots__ = ("_reveal", "_shortest")

    def __init__(self, values: Iterable[str]) -> None:
        kept = tuple(values)
        # Made when the first text is masked, and only once: an error response has many texts.
        self._reveal: Callable[[], tuple[str, ...]] = functools.cache(lambda: _forms(kept))
        self._shortest = min(map(_masked_size, kept), default=sys.maxsize)

    def masked(self, text: str, key: "ApiKey | None") -> str:
        """Return `text` with `***` in place of each value and of `key`."""
        # Most texts are shorter than a key.
        if len(text) < self._shortest and (key is None or len(text) < key.masked_size):
            return text
        forms = (*self._reveal(), *(() if key is None else _forms([key.reveal()])))
        # The longest first: one value may be a part of another.
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "***")
        return text

    def __repr__(self) -> str:
        return "Secrets(...)"


def _masked_size(value: str) -> int:
    # Masking short values would damage ordinary words.
    return len(value) if len(value) >= _SHORTEST_SECRET else sys.maxsize


def _forms(values: Iterable[str]) -> tuple[str, ...]:
    """Return the forms in which a server may echo `values`: plain, in JSON, and in a URL."""
    forms: dict[str, None] = {}
    for value in values:
        if _masked_size(value) < sys.maxsize:
            in_json = json.dumps(value)[1:-1]
            every = (value, in_json, in_json.replace("/", "\\/"), quote(value, safe=""))
            forms |= dict.fromkeys(every)
    return tuple(sorted(forms, key=len, reverse=True))


class ApiKey:
    """An API key that no `repr`, `str`, log line, traceback, copy or pickle shows."""

    __slots__ = ("_reveal", "masked_size")

    def __init__(self, value: str) -> None:
        self._reveal: Callable[[], str] = lambda: value
        self.masked_size = _masked_size(value)
        """The length of the shortest text that may contain the key."""

    def authorization(self) -> str:
        """Return the value of the `Authorization` header."""
        return f"Bearer {self._reveal()}"

    def reveal(self) -> str:
        """Return the key."""
        return self._reveal()

    def __repr__(self) -> str:
        return "ApiKey(...)"

    def __copy__(self) -> "ApiKey":
        return self

    def __deepcopy__(self, memo: object) -> "ApiKey":
        return self

    def __reduce__(self) -> tuple[object, ...]:
        raise ConfigurationError(
            "a client cannot be pickled: create it where it is used, and set OPENROUTER_API_KEY "
            "there"
        )


class EncodedHeaders:
    """Headers in bytes, whose values are in no `repr` and no traceback."""

    __slots__ = ("_reveal",)

    def __init__(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        pairs = tuple(headers)
        self._reveal: Callable[[], tuple[tuple[bytes, bytes], ...]] = lambda: pairs

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(self._reveal())

    def __reduce__(self) -> tuple[object, ...]:
        raise ConfigurationError("a client cannot be pickled: create it where it is used")

    def __repr__(self) -> str:
        names = [name for name, _ in self] if hasattr(self, "_reveal") else []
        return f"EncodedHeaders({names})"


def checked_key(value: object, name: str = "the API key") -> ApiKey | ConfigurationError | None:
    """
    Return the key in `value`, or the error if it cannot be sent. `None` if it is `None` or blank.

    The error is returned and not raised, because a traceback with local variables would show the
    key. The caller raises it when it has deleted the key.
    """
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if not isinstance(value, str):
        return ConfigurationError(f"api_key is of type {type(value).__name__}: pass a string")
    # An HTTP library quotes a bad header in its error. A key that was read from a file may end with
    # a line break, and would get into the logs.
    if not value.isascii() or not value.isprintable() or " " in value:
        return ConfigurationError(
            f"{name} has characters that cannot be sent, such as a space or a line break: "
            "pass it as OpenRouter shows it"
        )
    return ApiKey(value)


def key_of(option: SecretStr | None) -> ApiKey | None:
    """Return the key of the options, which they have checked. `None` if it is `None` or blank."""
    if option is None or not option.get_secret_value().strip():
        return None
    return ApiKey(option.get_secret_value())


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where the requests of one call are sent, and with which key."""

    url: str
    """The URL of the rerank endpoint, or of another one of the same service."""
    api_key: ApiKey | None = field(repr=False)
    """`None` if a header of the user has the key, or none is needed."""

    def at(self, path: str) -> "Endpoint":
        """
        Return another endpoint of the same service.

        Args:
            path: What follows the base URL, such as `key`.
        """
        return Endpoint(f"{self.url.removesuffix('/rerank')}/{path}", self.api_key)


def endpoint(
    api_key: ApiKey | None,
    base_url: str | None,
    environment: Mapping[str, str],
    *,
    key_in_headers: bool = False,
    needs_key: bool = True,
    allow_insecure_http: bool = False,
) -> Endpoint:
    """
    Find the endpoint and the key, in the options first and then in the environment.

    A key of the environment is sent only to openrouter.ai, to this machine, or to a base URL that
    is from the environment too. So a configuration file cannot send the key to another host.

    Args:
        api_key: The key of the options. `None`: `OPENROUTER_API_KEY` of the environment.
        base_url: The base URL of the options. `None` or blank: `OPENROUTER_API_BASE` or
            `OPENROUTER_BASE_URL` of the environment, else that of OpenRouter.
        environment: Usually `os.environ`.
        key_in_headers: `True` if the user's own headers have an `Authorization`.
        needs_key: `False` to leave out a key that is missing or may not be sent to the URL.
        allow_insecure_http: `True` to accept http to other machines.

    Raises:
        ConfigurationError: If the URL cannot be used, or there is no key that may be sent to it.
    """
    given = _unless_blank(base_url)
    has_key = key_in_headers or api_key is not None
    # The environment is not read for what the options have.
    variable, found = (
        ("", None) if given is not None and has_key else _first_set(environment, BASE_VARIABLES)
    )
    key = None if has_key else checked_key(environment.get(KEY_VARIABLE), KEY_IN_ENVIRONMENT)
    # Errors are raised from here on, and tracebacks with local variables must not show the key.
    del environment
    if given is not None:
        target = destination(given, "base_url", allow_insecure_http)
    else:
        target = destination(found or DEFAULT_BASE_URL, variable or "base_url", allow_insecure_http)
    if has_key:
        return Endpoint(target.url, None if key_in_headers else api_key)
    if isinstance(key, ConfigurationError):
        raise key
    is_from_environment = found is not None and target == destination(
        found, variable, allow_insecure_http
    )
    problem = ""
    if key is None:
        problem = (
            f"no API key: set {KEY_VARIABLE} or pass api_key (keys: openrouter.ai/keys). Without "
            "one, run `openrouter-rerank serve` and the `export` line that it prints; for a "
            "gateway without keys, pass api_key='none'"
        )
    elif not target.is_trusted and not is_from_environment:
        problem = (
            f"the key in {KEY_VARIABLE} is not sent to {target.host}, which the environment does "
            f"not name: pass api_key, or set {BASE_VARIABLES[0]} instead of base_url"
        )
    if problem and needs_key:
        raise ConfigurationError(problem)
    return Endpoint(target.url, None if problem else key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A base URL that requests may be sent to, checked."""

    url: str
    """The URL of the rerank endpoint."""
    host: str
    is_trusted: bool
    """`True` for OpenRouter and this machine: a key of the environment may always be sent there."""


@functools.lru_cache(maxsize=64)
def destination(
    base_url: str, option: str = "base_url", allow_insecure_http: bool = False, /
) -> Destination:
    """
    Check a base URL. Requests, and with them the key, are sent to it.

    Args:
        base_url: The URL.
        option: The option, or the variable of the environment, that errors name.
        allow_insecure_http: `True` to accept http to other machines; never to OpenRouter.

    Raises:
        ConfigurationError: If it cannot be used. The message does not show a password in it.
    """
    parts = _split(base_url.strip(), option)
    host = parts.hostname
    if parts.username is not None:  # It is empty if there is only a password
        raise ConfigurationError(
            f"{option} has a user name or password in it: pass the key as api_key"
        )
    if parts.query or parts.fragment or not host or parts.port == 0:
        raise ConfigurationError(
            f"{option} must have the form https://host/api/v1, without a query or a fragment"
        )
    if not _is_valid_host(host, in_brackets="[" in parts.netloc):
        raise ConfigurationError(
            f"{option} must have a host name of letters, digits, - and dots, or an IP address"
        )
    name = host.removesuffix(".")
    is_openrouter = name == _OPENROUTER_HOST or name.endswith(f".{_OPENROUTER_HOST}")
    may_be_http = is_loopback(host) or (allow_insecure_http and not is_openrouter)
    if parts.scheme != "https" and not (parts.scheme == "http" and may_be_http):
        advice = ""
        if parts.scheme == "http" and not is_openrouter:
            advice = (
                ". If the network is yours, set allow_insecure_http=True to send the key and the "
                "documents unencrypted"
            )
        raise ConfigurationError(
            f"{option} must begin with https:// (http:// only for this machine), "
            f"got {parts.scheme}://{host}{advice}"
        )
    path = parts.path.rstrip("/").removesuffix("/rerank").rstrip("/") + "/rerank"
    return Destination(
        url=parts._replace(path=path).geturl(),
        host=host,
        is_trusted=is_openrouter or is_loopback(host),
    )


def _split(base_url: str, option: str) -> SplitResult:
    short = len(base_url) <= _LONGEST_URL
    if short and base_url.isascii() and base_url.isprintable() and " " not in base_url:
        with suppress(ValueError):
            parts = urlsplit(base_url)
            # Raises `ValueError` for an invalid port, which `urlsplit` does not check.
            _ = parts.port
            return parts
    # The value is not shown: it may be anything, such as a key.
    raise ConfigurationError(f"{option} is not a URL: use the form https://host/api/v1")


def _is_valid_host(host: str, *, in_brackets: bool) -> bool:
    """Return `True` if HTTP libraries and resolvers understand `host` as this module does."""
    with suppress(ValueError):
        return in_brackets == (ipaddress.ip_address(host).version == 6)
    labels = host.removesuffix(".").split(".")
    # A host whose last label is a number is an IP address, and here it is not a valid one.
    return not (in_brackets or labels[-1].isdigit()) and all(
        len(label) < 64 and label != "xn--" and label.replace("-", "").replace("_", "").isalnum()
        for label in labels
    )


def is_loopback(host: str) -> bool:
    """Return `True` if `host` is `localhost` or an address of this machine's loopback network."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unless_blank(value: str | None) -> str | None:
    return value if value is not None and value.strip() else None


def _first_set(environment: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str | None]:
    """Return the first variable that is set and not blank, with its value."""
    found = ((name, _unless_blank(environment.get(name))) for name in names)
    return next(((name, value) for name, value in found if value is not None), ("", None))
