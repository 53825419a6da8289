"""
Makes the headers of a request, except those for the key, the host and the length of the body.

The user's own headers may be secret, so neither an error nor a `repr` shows their values.
"""

import re
from collections.abc import (
    Callable,
    ItemsView,
    Iterator,
    KeysView,
    Mapping,
    Sequence,
    ValuesView,
)

from openrouter_rerank._version import __version__
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError, shown_value

_PARTS = re.compile(r"[^\s;,=]+")
# Characters.
_LONGEST_VALUE = 512
_LONGEST_SESSION_ID = 256
_MOST_CATEGORIES = 2
# A header of the user with the old name replaces the client's header with the new name.
_RENAMED = {"x-title": "x-openrouter-title"}
# Headers that only the client sets. It knows the length. It asks for no compression, because a
# small compressed body can expand to gigabytes, and because inflating costs more time than it saves
# from 1 Gbit/s on (the echo of 100 documents of 1 KB: 0.5 ms of CPU for 54 of 111 KB).
_RESERVED = frozenset(
    {"content-length", "content-type", "transfer-encoding", "accept-encoding", "host"}
)

# Headers whose values are no secrets, as names in lower case. All others are the user's own.
_NOT_SECRET = frozenset(
    {
        "accept",
        "accept-encoding",
        "content-type",
        "user-agent",
        "http-referer",
        "x-openrouter-title",
        "x-openrouter-categories",
        "x-session-id",
    }
)


class HeaderFields:  # noqa: PLW1641 - mutable, so not hashable
    """
    Headers by name. Only their names are in a `repr`, a traceback, a pickle or a dump.

    It has the methods of a mapping, but is none, because crash reporters show what is in a mapping.
    A pickle of it is restored as `None`.

    Args:
        fields: The headers by name.
    """

    __slots__ = ("_reveal",)

    def __init__(self, fields: "Mapping[str, str] | HeaderFields") -> None:
        values = {name: fields[name] for name in fields.keys()}  # noqa: SIM118 - no mapping
        self._reveal: Callable[[], dict[str, str]] = lambda: values

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._reveal().keys()

    def values(self) -> ValuesView[str]:
        """Return the values."""
        return self._reveal().values()

    def items(self) -> ItemsView[str, str]:
        """Return the names with their values."""
        return self._reveal().items()

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the value of the header `name`, or `default` if there is none."""
        return self._reveal().get(name, default)

    def __getitem__(self, name: str) -> str:
        return self._reveal()[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._reveal()[name] = value

    def __delitem__(self, name: str) -> None:
        del self._reveal()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._reveal())

    def __len__(self) -> int:
        return len(self._reveal())

    def __contains__(self, name: object) -> bool:
        return name in self._reveal()

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HeaderFields):
            return self._reveal() == other._reveal()
        return self._reveal() == other

    def __repr__(self) -> str:
        # Crash reporters show headers that could not be created, too.
        return f"HeaderFields({[*self] if hasattr(self, '_reveal') else []})"

    def __copy__(self) -> "HeaderFields":
        return HeaderFields(self)

    def __deepcopy__(self, memo: object) -> "HeaderFields":
        return HeaderFields(self)

    def __reduce__(self) -> tuple[type[None], tuple[()]]:
        return type(None), ()

    def encoded(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield the names and values in bytes, as they are sent."""
        return ((name.encode(), self[name].encode()) for name in self)

    def secret_values(self) -> list[str]:
        """Return the values that a server must not be able to put into a message."""
        # Parts too: a server may quote the key without `Bearer`, or a cookie without its name.
        values = [value for name, value in self.items() if name.lower() not in _NOT_SECRET]
        return [*values, *(part for value in values for part in _PARTS.findall(value))]

    def with_session(self, session_id: str) -> "HeaderFields":
        """
        Return these headers with the header of a session in place of any other.

        Raises:
            InvalidRequestError: If `session_id` cannot be sent.
        """
        changed = HeaderFields(self)
        header = session_header(session_id)
        for name in [name for name in self if name.lower() in header]:
            del changed[name]
        for name in header:
            changed[name] = header[name]
        return changed


def request_headers(
    *,
    app_url: str | None,
    app_title: str | None,
    app_categories: Sequence[str],
    default_headers: Mapping[str, str] | HeaderFields,
    environment: Mapping[str, str] | None = None,
) -> HeaderFields:
    """
    Return the headers that all requests of a client have.

    Source of the names: OpenRouter's page on app attribution.

    Args:
        app_url: The URL of the user's app. `None`: that in the environment, if any.
        app_title: The name of the user's app. `None`: that in the environment, if any.
        app_categories: At most 2 categories.
        default_headers: Headers of the user. They replace the client's headers of the same name,
            in upper or lower case.
        environment: Usually `os.environ`.

    Raises:
        ConfigurationError: If a value cannot be sent. The message names the option or the variable.
    """
    if isinstance(app_categories, str) or len(app_categories) > _MOST_CATEGORIES:
        raise ConfigurationError(
            f"app_categories must be a list of at most 2 names, got {shown_value(app_categories)}"
        )
    headers = HeaderFields(
        {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": f"openrouter-rerank/{__version__}",
        }
    )
    named = {
        "HTTP-Referer": _or_variable("app_url", app_url, environment),
        "X-OpenRouter-Title": _or_variable("app_title", app_title, environment),
        "X-OpenRouter-Categories": ("app_categories", ",".join(app_categories) or None),
    }
    for name, (option, value) in named.items():
        if value is not None:
            _check(option, is_sendable=_is_sendable(value))
            headers[name] = value
    # No variable holds a value, because a traceback with local variables would show it.
    for name in default_headers:
        if name.lower() in _RESERVED:
            raise ConfigurationError(
                f"default_headers must not contain {name!r}: the client sets it"
            )
        replaced = {name.lower(), _RENAMED.get(name.lower())}
        _check_name(name)
        _check(f"default_headers[{name!r:.60}]", is_sendable=_is_sendable(default_headers[name]))
        for other in [other for other in headers if other.lower() in replaced]:
            del headers[other]
        headers[name] = default_headers[name]
    return headers


def _or_variable(
    option: str, value: str | None, environment: Mapping[str, str] | None
) -> tuple[str, str | None]:
    """Return an option and its value, or the variable of the environment and its value."""
    if value is not None:
        return option, value
    variable = f"OPENROUTER_{option.upper()}"
    return variable, (environment or {}).get(variable) or None


def session_header(session_id: str) -> dict[str, str]:
    """
    Return the header that groups requests into a session, at most 256 characters long.

    Raises:
        InvalidRequestError: If `session_id` cannot be sent.
    """
    if not _is_sendable(session_id, _LONGEST_SESSION_ID):
        raise InvalidRequestError(
            f"session_id must be 1 to 256 printable ASCII characters, got {shown_value(session_id)}"
        )
    return {"x-session-id": session_id}


def _check(option: str, *, is_sendable: bool) -> None:
    # The value is not passed in, and so not shown: it may be a secret.
    if not is_sendable:
        raise ConfigurationError(
            f"{option} must be 1 to 512 printable ASCII characters without leading or trailing "
            "spaces"
        )


def _check_name(name: str) -> None:
    if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigurationError(
            f"default_headers has the name {name!r:.60}: use letters, digits, - and _"
        )


def _is_sendable(value: object, longest: int = _LONGEST_VALUE) -> bool:
    return (
        isinstance(value, str)
        and len(value) <= longest
        and value.isascii()
        and value.isprintable()
        and bool(value)
        and value == value.strip()
    )
