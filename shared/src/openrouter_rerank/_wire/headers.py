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
from typing import TypeGuard

from openrouter_rerank._version import __version__
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError, shown_value

_PARTS = re.compile(r"[^\s;,=]+")
# Characters.
_LONGEST_VALUE = 512
_LONGEST_SESSION_ID = 256
_MOST_CATEGORIES = 2
# Old names of headers. A header with one name replaces a header with the other.
_RENAMED = {"x-title": "x-openrouter-title"}
# Headers that only the client sets. It knows the length. It requests no compression, because a
# small compressed body can expand to gigabytes. From 1 Gbit/s on, decompressing also takes more
# time than it saves: 0.5 ms of CPU saves 54 of 111 KB in the echo of 100 documents of 1 KB.
_RESERVED = frozenset(
    {"content-length", "content-type", "transfer-encoding", "accept-encoding", "host"}
)

# Headers whose values are not secret, as names in lower case. All others are the user's own.
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
        # An empty one takes the place of a header that is not to be sent.
        return ((name.encode(), self[name].encode()) for name in self if self[name])

    def secret_values(self) -> list[str]:
        """Return the values that a server must not be able to put into a message."""
        # Parts too: a server may quote the key without `Bearer`, or a cookie without its name.
        values = [*self.own().values()]
        return [*values, *(part for value in values for part in _PARTS.findall(value))]

    def own(self) -> "HeaderFields":
        """Return the user's own headers, whose values may be secret."""
        return HeaderFields({name: self[name] for name in self if name.lower() not in _NOT_SECRET})

    def with_changes(self, changes: "Mapping[str, str] | HeaderFields") -> "HeaderFields":
        """Return these headers with `changes` in place of headers of the same names."""
        changed = HeaderFields(self)
        for name in changes.keys():  # noqa: SIM118 - `HeaderFields` is not a mapping
            same = _canonical(name)
            for other in [other for other in changed if _canonical(other) == same]:
                del changed[other]
            changed[name] = changes[name]
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
    _check_own("default_headers", default_headers)
    headers = HeaderFields(
        {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": f"openrouter-rerank/{__version__}",
        }
    )
    app = _app_headers(
        _or_variable("app_url", app_url, environment),
        _or_variable("app_title", app_title, environment),
        app_categories or None,
    )
    return headers.with_changes(app).with_changes(default_headers)


def call_headers(
    *,
    session_id: str | None = None,
    app_url: str | None = None,
    app_title: str | None = None,
    app_categories: object = None,
    extra_headers: HeaderFields | None = None,
) -> HeaderFields:
    """
    Return the headers of one call that replace headers of its client. `None` replaces nothing.

    Args:
        session_id: Groups requests into a session; at most 256 characters.
        app_url: The URL of the user's app.
        app_title: The name of the user's app.
        app_categories: At most 2 categories. Without any, the header is empty, and so not sent.
        extra_headers: Headers of the user, which replace those of the other arguments too.

    Raises:
        InvalidRequestError: If `session_id` cannot be sent.
        ConfigurationError: If another value cannot be sent. The message names the argument.
    """
    session = {} if session_id is None else _session_header(session_id)
    app = _app_headers(("app_url", app_url), ("app_title", app_title), app_categories)
    headers = HeaderFields({**session, **app})
    if extra_headers is None:
        return headers
    _check_own("extra_headers", extra_headers)
    return headers.with_changes(extra_headers)


def _app_headers(
    url: tuple[str, object], title: tuple[str, object], categories: object
) -> dict[str, str]:
    """
    Return the headers that attribute requests to the user's app.

    Args:
        url: The name of an option or a variable of the environment, and its value.
        title: The name of the option or variable of the title, and its value.
        categories: `None` to leave the header out.
    """
    headers: dict[str, str] = {}
    for name, (option, value) in {"HTTP-Referer": url, "X-OpenRouter-Title": title}.items():
        if value is not None:
            headers[name] = _sendable(option, value)
    if categories is not None:
        value = _joined_categories(categories)
        headers["X-OpenRouter-Categories"] = _sendable("app_categories", value) if value else ""
    return headers


def _joined_categories(categories: object) -> str:
    if not _is_list(categories) or len(categories) > _MOST_CATEGORIES:
        raise ConfigurationError(
            f"app_categories must be a list of at most 2 names, got {shown_value(categories)}"
        )
    names = [str.__str__(each) for each in categories if isinstance(each, str)]
    if len(names) < len(categories):
        at, wrong = next(
            (at, each) for at, each in enumerate(categories) if not isinstance(each, str)
        )
        raise ConfigurationError(f"app_categories[{at}] must be a string, got {shown_value(wrong)}")
    return ",".join(names)


def _check_own(option: str, headers: Mapping[str, str] | HeaderFields) -> None:
    # No variable holds a value, because a traceback with local variables would show it.
    for name in headers.keys():  # noqa: SIM118 - `HeaderFields` is not a mapping
        if name.lower() in _RESERVED:
            raise ConfigurationError(f"{option} must not contain {name!r}: the client sets it")
        _check_name(option, name)
        _check(f"{option}[{name!r:.60}]", is_sendable=_is_sendable(headers[name]))


def _or_variable(
    option: str, value: str | None, environment: Mapping[str, str] | None
) -> tuple[str, str | None]:
    """Return an option and its value, or the variable of the environment and its value."""
    if value is not None:
        return option, value
    variable = f"OPENROUTER_{option.upper()}"
    return variable, (environment or {}).get(variable) or None


def _canonical(name: str) -> str:
    return _RENAMED.get(name.lower(), name.lower())


def _session_header(session_id: str) -> dict[str, str]:
    if not _is_sendable(session_id, _LONGEST_SESSION_ID):
        raise InvalidRequestError(
            f"session_id must be 1 to 256 printable ASCII characters, got {shown_value(session_id)}"
        )
    return {"x-session-id": str.__str__(session_id)}


def _sendable(option: str, value: object) -> str:
    if not isinstance(value, str):
        raise ConfigurationError(f"{option} must be a string, or None, got {shown_value(value)}")
    _check(option, is_sendable=_is_sendable(value))
    return str.__str__(value)


def _check(option: str, *, is_sendable: bool) -> None:
    # The value is not passed in, and so not shown: it may be a secret.
    if not is_sendable:
        raise ConfigurationError(
            f"{option} must be 1 to 512 printable ASCII characters without leading or trailing "
            "spaces"
        )


def _check_name(option: str, name: str) -> None:
    if not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigurationError(
            f"{option} has the name {name!r:.60}: use letters, digits, - and _"
        )


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _is_sendable(value: object, longest: int = _LONGEST_VALUE) -> bool:
    if not isinstance(value, str):
        return False
    # If it is of a subclass of `str`, take the content.
    text = str.__str__(value)
    return (
        0 < len(text) <= longest and text.isascii() and text.isprintable() and text == text.strip()
    )
