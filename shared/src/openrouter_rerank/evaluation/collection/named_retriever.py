"""
Imports a retriever by its name `MODULE:FUNCTION`, as the command line names it.
"""

import importlib
import sys
from contextlib import suppress
from pathlib import Path
from typing import TypeGuard

from openrouter_rerank.errors import shown_value

from .checks import shown_kind
from .errors import CollectionError, shown_error
from .retriever import Retriever


def named_retriever(name: str) -> Retriever:
    """
    Import the retriever `MODULE:FUNCTION`. Modules in the working directory are found too.

    Raises:
        CollectionError: If there is no such module or function, or it cannot be imported or called.
    """
    module_name, function_name = _names_in(name)
    with suppress(OSError):  # The working directory may have been deleted
        if (folder := str(Path.cwd())) not in sys.path:
            # It stays there, because a retriever may import more modules when it is called.
            sys.path.insert(0, folder)
    found = _module(module_name)
    for part in function_name.split("."):
        try:
            found = getattr(found, part)
        except Exception as error:
            raise CollectionError(
                f"the module {shown_value(module_name)} has no function "
                f"{shown_value(function_name)}: check MODULE:FUNCTION"
            ) from error
    if not _is_retriever(found):
        raise CollectionError(
            f"the retriever {shown_value(name)} must be a function, got {shown_kind(found)}"
        )
    return found


def _names_in(name: object) -> tuple[str, str]:
    """Return the names of the module and of the function."""
    module, _, function = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not (module and function):
        raise CollectionError(
            "a retriever is named MODULE:FUNCTION, such as search:retrieve, "
            f"got {shown_value(name)}"
        )
    return module, function


def _module(name: str) -> object:
    try:
        return importlib.import_module(name)
    except (Exception, SystemExit) as error:
        is_absent = isinstance(error, ModuleNotFoundError) and (
            error.name is not None and f"{name}.".startswith(f"{error.name}.")
        )
        problem = (
            "is not there: use the name of a module, without .py, that is installed or in the "
            "working directory"
            if is_absent
            else f"cannot be imported: {shown_error(error)}"
        )
        raise CollectionError(
            f"the module {shown_value(name)} of the retriever {problem}"
        ) from error


def _is_retriever(value: object) -> TypeGuard[Retriever]:
    return callable(value)
