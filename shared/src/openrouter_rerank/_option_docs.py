"""Shows options where people look for them: in the signature and the docstring of a class."""

import inspect
from collections.abc import Iterable, Mapping

from pydantic.fields import FieldInfo


class _Factory:
    """Stands in a signature for a default that is created for each object."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY = _Factory()


def show_options(
    shown: type[object],
    fields: Mapping[str, FieldInfo],
    others: Iterable[inspect.Parameter] = (),
) -> None:
    """
    Add all options to the signature and the docstring of `shown`, for `help()` and notebooks.

    Args:
        shown: The class that takes the options as keywords.
        fields: The options by name.
        others: Further keywords of the class, which its own docstring describes.
    """
    options = [_parameter(name, field) for name, field in fields.items()]
    # By `setattr`, because classes do not declare it.
    setattr(shown, "__signature__", inspect.Signature([*options, *others]))  # noqa: B010
    # A subclass without a docstring inherits that of its base, options included.
    if text := vars(shown).get("__doc__"):
        lines = [
            f"    {name}: {field.description or ''} [{_default(field)!r}]"
            for name, field in fields.items()
        ]
        shown.__doc__ = "\n".join([inspect.cleandoc(str(text)), "", "Options [default]:", *lines])


def _parameter(name: str, field: FieldInfo) -> inspect.Parameter:
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=_default(field),
        annotation=field.annotation,
    )


def _default(field: FieldInfo) -> object:
    default: object = field.default
    return _FACTORY if field.default_factory is not None else default
