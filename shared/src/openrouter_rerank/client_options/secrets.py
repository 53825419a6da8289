"""
Hides the secrets in options that are not checked yet.

Pydantic quotes input in its errors, and a traceback can show the locals of each frame.
"""

from collections.abc import Container, Mapping
from typing import TypeGuard

from pydantic import Secret, SecretStr

from openrouter_rerank._wire.headers import HeaderFields

_SECRETS = frozenset({"api_key", "openrouter_api_key", "default_headers"})
NOT_SHOWN = _SECRETS | {"base_url", "openrouter_api_base", "api_base"}
"""Names of options whose values no message shows. A URL may contain a password."""


def hide_secrets(options: dict[str, object], known: Container[str]) -> None:
    """
    Replace secrets in `options` by objects whose `repr` does not show them.

    A key may have been passed under a misspelt name, so values of unknown options are replaced too.

    Args:
        options: The options by name; changed in place.
        known: All names of options.
    """
    options.update(
        {name: _hidden(options[name], name) if name in known else "not shown" for name in options}
    )


def hide_wrong_types(options: dict[str, object]) -> None:
    """
    Replace values of the wrong type, which may contain a key too, such as a key read as bytes.

    Args:
        options: The options by name, after `hide_secrets`; changed in place.
    """
    for name in options.keys() & NOT_SHOWN:
        if not isinstance(options[name], str | SecretStr | HeaderFields | None):
            options[name] = Secret(options[name])


def _hidden(value: object, name: str) -> object:
    if name == "default_headers" and _is_headers(value):
        return HeaderFields(value)
    return SecretStr(value) if name in _SECRETS and isinstance(value, str) else value


def _is_headers(value: object) -> TypeGuard[Mapping[str, str]]:
    return isinstance(value, Mapping)
