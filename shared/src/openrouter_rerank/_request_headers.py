"""The headers of a request, except those that carry the key and the length of the body."""

from collections.abc import Mapping, Sequence

from ._version import __version__
from .errors import ConfigurationError, InvalidRequestError

_LONGEST_VALUE = 512
_LONGEST_SESSION_ID = 256
_MOST_CATEGORIES = 2
# The old spelling of a header must not stand beside the new one.
_LEGACY = {"x-title": "x-openrouter-title"}
# The length is ours to know; a compressed answer would be refused (a bomb is small on the wire).
_OURS = frozenset(
    {"content-length", "content-type", "transfer-encoding", "accept-encoding", "host"}
)


def request_headers(
    *,
    app_url: str | None,
    app_title: str | None,
    app_categories: Sequence[str],
    default_headers: Mapping[str, str],
) -> dict[str, str]:
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
    headers = {
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": f"openrouter-rerank/{__version__}",
    }
    named = {
        "HTTP-Referer": ("app_url", app_url),
        "X-OpenRouter-Title": ("app_title", app_title),
        "X-OpenRouter-Categories": ("app_categories", ",".join(app_categories) or None),
    }
    for name, (option, value) in named.items():
        if value is not None:
            headers[name] = _checked(option, value)
    for name, value in default_headers.items():
        if name.lower() in _OURS:
            raise ConfigurationError(f"default_headers must not hold {name!r}: the client sets it")
        replaced = {name.lower(), _LEGACY.get(name.lower())}
        headers = {each: headers[each] for each in headers if each.lower() not in replaced}
        headers[_checked_name(name)] = _checked(f"default_headers[{name!r:.60}]", value)
    return headers


def session_header(session_id: str) -> dict[str, str]:
    """
    Return the header that groups requests into a session, at most 256 characters long.

    Raises:
        InvalidRequestError: If `session_id` cannot be sent.
    """
    if not _is_sendable(session_id) or len(session_id) > _LONGEST_SESSION_ID:
        raise InvalidRequestError(
            f"session_id must be 1 to 256 printable ASCII characters, got {session_id!r:.60}"
        )
    return {"x-session-id": session_id}


def _checked(option: str, value: str) -> str:
    # The value is not shown: a header of the user may hold a secret.
    if not _is_sendable(value) or len(value) > _LONGEST_VALUE:
        raise ConfigurationError(
            f"{option} must be 1 to 512 printable ASCII characters without spaces around"
        )
    return value


def _checked_name(name: str) -> str:
    if not name or not name.isascii() or not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigurationError(
            f"default_headers has the name {name!r:.60}: use letters, digits, - and _"
        )
    return name


def _is_sendable(value: object) -> bool:
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and bool(value)
        and value == value.strip()
    )
