"""The text of the error for an option that Pydantic has refused. No text shows a secret."""

from collections.abc import Container
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from openrouter_rerank.errors import OpenRouterRerankError, shown_value

from .secrets import NOT_SHOWN
from .unknown_names import unknown_name
from .values import accepted, all_names, has_type, names_of, refusal

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


_UNKNOWN = frozenset({"extra_forbidden", "no_such_attribute"})


def refused(model: type[BaseModel], text: str) -> ValidationError:
    """Return an error of Pydantic with one text. It contains no input, which may be a secret."""
    problem = PydanticCustomError("option", "{text}", {"text": text})
    return ValidationError.from_exception_data(
        model.__name__, [{"type": problem, "loc": (), "input": None}], hide_input=True
    )


def problem(error: ValidationError, model: type[BaseModel], given: Container[str]) -> str:
    """
    Return the text for the first option that Pydantic has refused, or for an unknown one.

    Args:
        error: What Pydantic raised.
        model: The class with the options.
        given: The names that were passed.
    """
    errors = error.errors(include_url=False)
    first = next((each for each in errors if each["type"] in _UNKNOWN), errors[0])
    if first["type"] in _UNKNOWN:
        return _unknown(str(first["loc"][0]), model, given)
    if first["type"] == "model_type" and not first["loc"]:
        return f"pass an object of type {model.__name__}, or a mapping of its options"
    if first["type"] == "option" and first["loc"]:
        # Described before, by a model inside of this one.
        return f"{first['loc'][0]}: {first['msg']}"
    if not first["loc"]:
        return _cause(first) or first["msg"]
    return _option_problem(first, model)


def _option_problem(error: "ErrorDetails", model: type[BaseModel]) -> str:
    """Return the text for the value of one option."""
    given_name = error["loc"][0]
    fields = model.model_fields
    named = (name for name in fields if given_name in names_of(name, fields[name]))
    option = next(named, str(given_name))
    field = fields[option]
    cause = _cause(error)
    if cause is not None:
        is_ours = isinstance(error.get("ctx", {}).get("error"), OpenRouterRerankError)
        return cause if is_ours else f"{option}: {cause}"
    if option in NOT_SHOWN:
        return f"{option} must be {accepted(option, field)}"
    # A part of a union is the name of a type that Pydantic has tried.
    part = () if has_type(field, str) else error["loc"][1:2]
    if part:
        return _part_problem(option, part[0], error)
    if error["type"] == "missing":
        meaning = f": {field.description}" if field.description else ""
        return f"{model.__name__} needs {option}{meaning}"
    return refusal(option, error["input"], field)


def _part_problem(option: str, part: int | str, error: "ErrorDetails") -> str:
    """Return the text for a part of an option: an item of a list, or a value of a mapping."""
    where = f"{option}[{shown_value(part)}]"
    if error["type"] != "string_type":
        # Our options have no such parts. For those of a user's class, Pydantic says what is wrong.
        return f"{where}: {error['msg']}"
    return f"{where} must be a string, got {shown_value(error['input'])}"


def _unknown(name: str, model: type[BaseModel], given: Container[str]) -> str:
    for option, field in model.model_fields.items():
        names = names_of(option, field)
        if name in names:
            # Known, so it is the second name of an option that was passed too.
            other = next((each for each in names if each in given and each != name), option)
            return f"{other} and {name} are two names of one option: pass one of them"
    return unknown_name(model.__name__, name, all_names(model.model_fields))


def _cause(error: "ErrorDetails") -> str | None:
    cause: object = error.get("ctx", {}).get("error")
    return str(cause) if isinstance(cause, Exception) else None
