"""
Finds secrets in tracebacks, as a crash reporter that shows local variables could.

It looks into more than any known reporter does: containers of all kinds, and the attributes of
objects of any class.
"""

import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from pathlib import Path
from types import FrameType, FunctionType, MethodType, ModuleType, TracebackType

KEY = "sk-or-v1-THE-SECRET-KEY"
HEADER = "the-secret-header"
PASSWORD = "the-secret-password"
SECRETS = (KEY, HEADER, PASSWORD)

_TESTS = str(Path(__file__).parent)
_DEEPEST = 12
_CONTAINERS = (Mapping, Sequence, AbstractSet, deque)
_LEAVES = (int, float, complex, type, ModuleType, FunctionType, TracebackType, FrameType)


def tracebacks(failure):
    """Return an exception, its causes, its contexts and the exceptions of its groups."""
    found, pending = [], [failure]
    while pending:
        current = pending.pop()
        if any(current is each for each in found):
            continue
        found.append(current)
        linked = (current.__cause__, current.__context__, *getattr(current, "exceptions", ()))
        pending += [each for each in linked if each is not None]
    return found


def frames(failure):
    """Return the frames of the tracebacks of an exception, except those of the tests."""
    return [
        frame
        for error in tracebacks(failure)
        for frame, _ in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(_TESTS)
    ]


def secrets_in_frames(failure, secrets=SECRETS):
    """Return where secrets are in the frames and the attributes of an exception and its causes."""
    found = [
        f"{frame.f_code.co_qualname}: {place}"
        for frame in frames(failure)
        for name, value in [*frame.f_locals.items()]
        for place in secrets_in(value, name, secrets)
    ]
    for error in tracebacks(failure):
        found += secrets_in([error.args, vars(error)], type(error).__name__, secrets)
    return found


def secrets_in(value, name="", secrets=SECRETS):
    """Return the paths at which `value` contains a secret."""
    found, seen, pending = [], {}, deque([(value, name, 0)])
    while pending:
        current, path, depth = pending.popleft()
        if current is None or isinstance(current, _LEAVES) or id(current) in seen:
            continue
        seen[id(current)] = current
        if any(secret in text for text in texts(current) for secret in secrets):
            found.append(path)
        elif depth < _DEEPEST:
            pending += [(each, f"{path}{step}", depth + 1) for step, each in parts(current)]
    return found


def texts(value):
    """Return the text that an object contains or shows."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, bytes | bytearray | memoryview):
        return [bytes(value).decode("latin-1")]
    # The items of containers are looked at one by one.
    return [] if isinstance(value, _CONTAINERS) else [repr(value)]


def parts(value):
    """Yield what an object contains, with the step to it: items, attributes and slots."""
    if isinstance(value, str | bytes | bytearray | memoryview):
        return
    yield from items(value)
    yield from ((f".{name}", each) for name, each in [*getattr(value, "__dict__", {}).items()])
    for name in [name for kind in type(value).__mro__ for name in slot_names(kind)]:
        # A slot may be empty.
        with suppress(AttributeError):
            yield f".{name}", object.__getattribute__(value, name)


def items(value):
    """Yield the items of a container, and the object of a method."""
    if isinstance(value, Mapping):
        for name, each in [*value.items()]:
            yield f"[{name!r:.30}]", each
            yield ".key", name
    elif isinstance(value, Sequence | AbstractSet | deque):
        yield from ((f"[{at}]", each) for at, each in enumerate([*value]))
    elif isinstance(value, MethodType):
        yield ".__self__", value.__self__


def slot_names(kind):
    """Return the names of the slots that a class declares, those of dataclasses included."""
    declared = vars(kind).get("__slots__", ())
    return (declared,) if isinstance(declared, str) else tuple(declared)
