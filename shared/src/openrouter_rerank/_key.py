"""The API key, which can be used but not shown."""

from collections.abc import Callable

from .errors import ConfigurationError


class ApiKey:
    """
    A key that no `repr`, `str`, log line, copy or pickle shows.

    Raises:
        ConfigurationError: If it has characters that cannot be sent; the message does not show it.
    """

    __slots__ = ("_reveal",)

    def __init__(self, value: str) -> None:
        # An HTTP library quotes a bad header in its error, so a key with a line break, as read from
        # a file, would end up in the logs: refuse it here.
        if not value or not value.isascii() or not value.isprintable() or " " in value:
            raise ConfigurationError(
                "the API key is empty or has characters that cannot be sent, such as a space or "
                "a line break: pass it as OpenRouter shows it"
            )
        self._reveal: Callable[[], str] = lambda: value

    def authorization(self) -> str:
        """Return the value of the `Authorization` header."""
        return f"Bearer {self._reveal()}"

    def __repr__(self) -> str:
        return "ApiKey(...)"

    def __deepcopy__(self, memo: object) -> "ApiKey":
        return self

    def __reduce__(self) -> tuple[object, ...]:
        raise ConfigurationError(
            "an API key is not pickled: set OPENROUTER_API_KEY where the object is restored"
        )
