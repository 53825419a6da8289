"""Put the changed code of a module into this process, which has collected the tests."""

import functools
import gc
import inspect
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType

CachedFunction = type(functools.cache(len))


class LiveFunctions:
    """The functions of some modules that exist in this process, by their code."""

    def __init__(self, files: set[str]) -> None:
        self._functions: dict[object, list[FunctionType]] = {}
        self._caches: list[Callable[..., object]] = []
        for each in gc.get_objects():
            # `isinstance` would run code of objects that tests made to raise errors
            if type(each) is FunctionType and each.__code__.co_filename in files:
                self._functions.setdefault(_place(each.__code__), []).append(each)
            elif type(each) is CachedFunction and (
                inspect.isfunction(each.__wrapped__)
                and each.__wrapped__.__code__.co_filename in files
            ):
                self._caches.append(each)

    def clear_caches(self) -> None:
        """Forget what cached functions of these modules returned."""
        for cache in self._caches:
            cache.cache_clear()

    def replace(self, old: CodeType, new: CodeType) -> bool:
        """Give the functions their new code; return whether that is the whole change."""
        for before, after in _changed(old, new):
            functions = self._functions.get(_place(before), [])
            if not functions:
                return False
            for function in functions:
                try:
                    function.__code__ = after
                except ValueError:  # It has other variables of outer functions
                    return False
        return True


def _place(code: CodeType) -> object:
    return code.co_filename, code.co_qualname, tuple(code.co_positions())


def _changed(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the outermost functions that differ, or else the body of a class or of the module."""
    inner = _inner(old), _inner(new)
    if _own(old) != _own(new) or len(inner[0]) != len(inner[1]):
        yield old, new
        return
    for before, after in zip(*inner, strict=True):
        if _is_function(before) and _differ(before, after):
            yield before, after
        elif not _is_function(before):
            yield from _changed(before, after)


def _differ(old: CodeType, new: CodeType) -> bool:
    inner = _inner(old), _inner(new)
    return (
        _own(old) != _own(new)
        or len(inner[0]) != len(inner[1])
        or any(_differ(before, after) for before, after in zip(*inner, strict=True))
    )


def _is_function(code: CodeType) -> bool:
    return bool(code.co_flags & 0x01)  # CO_OPTIMIZED: neither a module nor the body of a class


def _inner(code: CodeType) -> list[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]


def _own(code: CodeType) -> object:
    constants = [repr(each) for each in code.co_consts if not isinstance(each, CodeType)]
    return (
        *(code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars),
        *(code.co_flags, code.co_exceptiontable),
    )


class ChangedModule(SourceFileLoader):
    """A finder and loader that imports one file with other code."""

    def __init__(self, file: str, code: CodeType) -> None:
        super().__init__("", file)
        self._code = code

    def find_spec(self, name, path=None, target=None):
        """Find this module; leave all others to the next finder."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin != self.path:
            return None
        self.name = name
        spec.loader = self
        return spec

    def get_code(self, fullname):
        """Return the changed code."""
        return self._code


def forget_modules(root: Path) -> None:
    """Let the modules below this folder be imported again, but not the installed ones."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(f"{root}/") and not file.startswith(f"{sys.prefix}/"):
            del sys.modules[name]
