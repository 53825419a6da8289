"""Shows options where people look for them: in the signature and the docstring of a class."""

import inspect
import textwrap
from collections.abc import Iterable, Mapping
from enum import Enum

from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue

_HEADING = "Options:"


class _Factory:
    """Stands in a signature for a default that is created for each object."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


def options_signature(
    fields: Mapping[str, FieldInfo], others: Iterable[inspect.Parameter] = ()
) -> inspect.Signature:
    """
    Return a signature with all options as keywords, with their defaults.

    Args:
        fields: The options by name.
        others: Further keywords.
    """
    options = [_parameter(name, field) for name, field in fields.items()]
    return inspect.Signature([*options, *others])


def docstring_with_options(text: str, fields: Mapping[str, FieldInfo]) -> str:
    """Return the docstring `text` with a list of the options: meaning and default of each."""
    lines = [_line(name, field) for name, field in fields.items()]
    return "\n".join([inspect.cleandoc(text), "", _HEADING, *lines])


def show_options(
    client: type[object], http_client: type[object], fields: Mapping[str, FieldInfo]
) -> None:
    """Show the options of a client in its signature and in its docstring."""
    parameter = inspect.Parameter(
        "http_client", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=http_client | None
    )
    signature = options_signature(fields, [parameter])
    this = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    # On `__init__`, because a subclass may have another. By `setattr`, because functions do not
    # declare it.
    setattr(  # noqa: B010
        vars(client)["__init__"],
        "__signature__",
        signature.replace(parameters=[this, *signature.parameters.values()]),
    )
    client.__doc__ = docstring_with_options(client.__doc__ or "", fields)


def show_in_signature(options: type[object], fields: Mapping[str, FieldInfo]) -> None:
    """Show the options in the signature of the class that has them as fields."""
    # By `setattr`, because classes do not declare it.
    setattr(options, "__signature__", options_signature(fields))  # noqa: B010


def show_in_docstring(options: type[object], fields: Mapping[str, FieldInfo]) -> None:
    """Show the options in the docstring of the class that has them as fields."""
    # A subclass without a docstring inherits that of its base, options included.
    if text := vars(options).get("__doc__"):
        options.__doc__ = docstring_with_options(str(text), fields)


def remove_options_from_description(schema: JsonSchemaValue) -> None:
    """Remove the list of options from the description in a schema, which has properties."""
    if "description" in schema:
        schema["description"] = schema["description"].partition(f"\n\n{_HEADING}\n")[0]


def default_text(field: FieldInfo) -> str:
    """Return the default of an option as it is written in code."""
    default: object = field.default
    if isinstance(default, Enum):
        return f"{type(default).__name__}.{default.name}"
    return repr(default)


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=_FACTORY if field.default_factory is not None else field.default,
        annotation=field.annotation,
    )


def _line(name: str, field: FieldInfo) -> str:
    text = field.description or ""
    if "Default:" not in text and field.default_factory is None:
        text = f"{text} Default: {default_text(field)}.".strip()
    indented = f"    {name}: {text}"
    if len(indented) <= 100:
        return indented
    return textwrap.fill(indented, 100, subsequent_indent="        ", break_long_words=False)
