"""The headers of a request, except those that carry the key and the length of the body."""

from collections.abc import Mapping, Sequence

from openrouter_rerank._version import __version__
from openrouter_rerank.errors import ConfigurationError, InvalidRequestError

_LONGEST_VALUE = 512
_LONGEST_SESSION_ID = 256
_MOST_CATEGORIES = 2
# The old spelling of a header must not stand beside the new one.
_LEGACY = {"x-title": "x-openrouter-title"}
# The length is ours to know. A compressed answer would be refused: a bomb is small on the wire, and
# inflating costs more than it saves from 1 Gbit/s on (the echo of 100 documents of 1 KB: 0.5 ms of
# CPU for 54 of 111 KB).
_OURS = frozenset(
    {"content-length", "content-type", "transfer-encoding", "accept-encoding", "host"}
)


class HeaderFields(dict[str, str]):
    """Headers whose `repr`, as in a traceback with locals, does not show their values."""

    def __repr__(self) -> str:
        return f"HeaderFields({[*self]})"

    def encoded(self) -> "EncodedHeaders":
        """Return names and values as they are sent."""
        return EncodedHeaders((name.encode(), value.encode()) for name, value in self.items())

    def with_session(self, session_id: str) -> "HeaderFields":
        """
        Return these headers with the one that groups requests into a session.

        Raises:
            InvalidRequestError: If `session_id` cannot be sent.
        """
        kept = {name: self[name] for name in self if name.lower() != "x-session-id"}
        return HeaderFields({**kept, **session_header(session_id)})


class EncodedHeaders(list[tuple[bytes, bytes]]):
    """The same in bytes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"EncodedHeaders({[name for name, _ in self]})"


def request_headers(
    *,
    app_url: str | None,
    app_title: str | None,
    app_categories: Sequence[str],
    default_headers: Mapping[str, str],
) -> HeaderFields:
    """
    Put together the headers that all requests of a client have.

    Source of the names: OpenRouter's page on app attribution. Headers of the user win, compared
    without case.

    Raises:
        ConfigurationError: Naming the option whose value cannot be sent.
    """
    if isinstance(app_categories, str) or len(app_categories) > _MOST_CATEGORIES:
        raise ConfigurationError(
            f"app_categories must be a list of at most 2 names, got {app_categories!r:.100}"
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
        "HTTP-Referer": ("app_url", app_url),
        "X-OpenRouter-Title": ("app_title", app_title),
        "X-OpenRouter-Categories": ("app_categories", ",".join(app_categories) or None),
    }
    for name, (option, value) in named.items():
        if value is not None:
            _check(option, is_sendable=_is_sendable(value))
            headers[name] = value
    # A value gets no name here: a traceback would show it.
    for name in default_headers:
        if name.lower() in _OURS:
            raise ConfigurationError(f"default_headers must not hold {name!r}: the client sets it")
        replaced = {name.lower(), _LEGACY.get(name.lower())}
        _check_name(name)
        _check(f"default_headers[{name!r:.60}]", is_sendable=_is_sendable(default_headers[name]))
        for each in [each for each in headers if each.lower() in replaced]:
            del headers[each]
        headers[name] = default_headers[name]
    return headers


def session_header(session_id: str) -> dict[str, str]:
    """
    Return the header that groups requests into a session, at most 256 characters long.

    Raises:
        InvalidRequestError: If `session_id` cannot be sent.
    """
    if not _is_sendable(session_id, _LONGEST_SESSION_ID):
        raise InvalidRequestError(
            f"session_id must be 1 to 256 printable ASCII characters, got {session_id!r:.60}"
        )
    return {"x-session-id": session_id}


def _check(option: str, *, is_sendable: bool) -> None:
    # The value is not shown: a header of the user may hold a secret.
    if not is_sendable:
        raise ConfigurationError(
            f"{option} must be 1 to 512 printable ASCII characters without spaces around"
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
