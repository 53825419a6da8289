"""Checks the keywords of a client."""

from typing import TypeVar

from pydantic import ValidationError

from openrouter_rerank.errors import ConfigurationError

from .fields import ClientOptions
from .secrets import hide_secrets
from .values import all_names

_Options = TypeVar("_Options", bound=ClientOptions)


def options_of(caller: str, keywords: dict[str, object], kind: type[_Options]) -> _Options:
    """
    Return the keywords of a client as options. Types are strict: 1 is not a string.

    Args:
        caller: The class to name when an option is unknown.
        keywords: The options by name; secrets in them are hidden from tracebacks.
        kind: The class of the options.

    Raises:
        ConfigurationError: If an option cannot be used; the message names it.
        TypeError: If there is no such option. The message names the one that is meant.
    """
    names = all_names(kind.model_fields)
    hide_secrets(keywords, names)
    if unknown := keywords.keys() - names:
        from .unknown_names import unknown_client_option

        raise TypeError(unknown_client_option(caller, min(unknown), names))
    if not kind.__pydantic_complete__:
        kind.model_rebuild()
    # `model_validate` is not used, because it would call `__init__`, which is not strict.
    options = kind.__new__(kind)
    try:
        kind.__pydantic_validator__.validate_python(keywords, strict=True, self_instance=options)
    except ValidationError as error:
        # Imported only when an option was refused.
        from .problems import problem

        text = problem(error, kind, keywords)
    else:
        return options
    raise ConfigurationError(text)
