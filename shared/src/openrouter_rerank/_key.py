"""The API key, which can be used but not shown."""

from collections.abc import Callable

from pydantic import SecretStr

from .errors import ConfigurationError


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
