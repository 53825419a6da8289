"""
The orders of an evaluation as TREC runs, which programs such as trec_eval and ir_measures read.

A line has the question, `Q0`, the document, the place, the score, and the name of the run. The
score is the negative place: programs that sort by the score get the order of the plan, also where a
model gave two documents the same score.

The columns are separated by spaces, so an id must not contain any. If an id is empty, or contains
white space, a control character or half of a surrogate pair, the ids of all runs are
percent-encoded, as in a URL. These characters and `%` are written as `%` and two hexadecimal digits
for each byte of their UTF-8. An empty id is written as `%` alone. Otherwise all ids are written
unchanged. `decoded` reverses the encoding.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import unquote_to_bytes

from openrouter_rerank.evaluation.analysis.findings import Findings
from openrouter_rerank.evaluation.result import PlanResult

from .selection import by_model

SUFFIX = ".trec"

_EMPTY = "%"
_UNSAFE_CATEGORIES = {"Cc", "Cs", "Zs", "Zl", "Zp"}
_BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._@-]+")
_LONGEST_NAME = 100


def runs(findings: Findings) -> dict[str, PlanResult]:
    """
    Return the plans that have a run, by the name of the run.

    They are the first stage, each model at its largest depth, and the recommended plan.
    """
    found = {"first-stage": findings.first_stage}
    for results in by_model(findings).values():
        found[_free_name(results[-1].plan.name, found)] = results[-1]
    if findings.recommended is not None:
        found["recommended"] = findings.recommended
    return found


def run_file(name: str) -> str:
    """Return the name of the file of a run."""
    return f"{name}{SUFFIX}"


def _free_name(name: str, taken: Iterable[str]) -> str:
    """Return a name for a file that is not taken, also where upper and lower case are the same."""
    base = _NOT_IN_NAMES.sub("_", name.replace(" @", "@"))[-_LONGEST_NAME:].strip("._")
    used = {each.casefold() for each in taken} | {"recommended"}
    number, found = 1, base
    while found.casefold() in used:
        number += 1
        found = f"{base}_{number}"
    return found


def must_be_encoded(results: Iterable[PlanResult]) -> bool:
    """Return `True` if an id cannot be written as it is, so that all are percent-encoded."""
    ids = {each for result in results for each in (*result.orders, *_documents(result))}
    return any(not each or any(map(_is_unsafe, each)) for each in ids)


def run_lines(result: PlanResult, name: str, *, encode: bool) -> Iterator[str]:
    """
    Yield the lines of a run, without line breaks.

    Args:
        result: The plan whose order it is.
        name: The name of the run, without spaces.
        encode: Whether the ids are percent-encoded.
    """
    written = encoded if encode else str
    for question, order in result.orders.items():
        for place, document in enumerate(order, 1):
            yield f"{written(question)} Q0 {written(document)} {place} {-place} {name}"


def encoded(identifier: str) -> str:
    """Return an id in which no character separates columns or lines. `decoded` reverses it."""
    if not identifier:
        return _EMPTY
    return "".join(
        _percent(character) if character == "%" or _is_unsafe(character) else character
        for character in identifier
    )


def decoded(identifier: str) -> str:
    """Return the id that `encoded` was called with."""
    if identifier == _EMPTY:
        return ""
    return unquote_to_bytes(identifier).decode("utf-8", "surrogatepass")


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _is_unsafe(character: str) -> bool:
    return unicodedata.category(character) in _UNSAFE_CATEGORIES or character == _BYTE_ORDER_MARK


def _documents(result: PlanResult) -> Iterator[str]:
    for order in result.orders.values():
        yield from order
