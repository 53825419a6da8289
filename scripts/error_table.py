"""
Writes the table of all errors in docs/errors.md from the classes and their docstrings.
"""

import inspect
import re

from openrouter_rerank import errors

from .pages import with_generated

_PATH = "docs/errors.md"
_RETRIED: dict[type[errors.OpenRouterRerankError], str] = {
    errors.APIConnectionError: "retried",
    errors.DeadlineExceededError: "not retried, because the time of the call is over",
    errors.InvalidResponseError: "retried, unless only some documents are ranked",
    errors.APIStatusError: "retried if the status is 500 or more",
}
_BUILT_IN = (ValueError, ConnectionError, TimeoutError)


def error_classes() -> list[type[errors.OpenRouterRerankError]]:
    """Return the classes that a call raises, in the order of the module."""
    classes = [
        each
        for each in vars(errors).values()
        if inspect.isclass(each) and issubclass(each, errors.OpenRouterRerankError)
    ]
    return [each for each in classes if each is not errors.OpenRouterRerankError]


def page_with_table() -> str:
    """Return the text of the page with the table that the classes give today."""
    table = f'<div class="stacked" markdown>\n\n{_table()}\n\n</div>'
    return with_generated(_PATH, "errors", table)


def _table() -> str:
    statuses: dict[type[errors.OpenRouterRerankError], tuple[str, str]] = {
        type(error): (f"HTTP {status}", "retried" if error.retryable else "not retried")
        for status in range(400, 600)
        if type(error := errors.APIStatusError.of(status, "")) is not errors.APIStatusError
    }
    rows = ["| error | status | meaning | what the client does |", "| --- | --- | --- | --- |"]
    for each in error_classes():
        status, retried = statuses.get(each, ("no status", _RETRIED.get(each, "not retried")))
        meaning = re.split(r"(?<=\.)\s", inspect.getdoc(each) or "")[0]
        built_in = [f"`{kind.__name__}`" for kind in _BUILT_IN if issubclass(each, kind)]
        if built_in:
            meaning += f" It is also a {built_in[0]}."
        rows.append(
            f"| [`{each.__name__}`](#{each.__name__.lower()}) | {status} | {meaning} | {retried} |"
        )
    return "\n".join(rows)


PAGES = {_PATH: page_with_table}
