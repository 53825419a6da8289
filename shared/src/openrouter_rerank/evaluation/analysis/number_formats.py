"""
Writes numbers as people read them: in reports, in tables and in sentences.
"""

import re
from math import floor, isfinite, log10

from openrouter_rerank.budget import shown_dollars

MINUS = "\N{MINUS SIGN}"
NO_VALUE = "\N{EN DASH}"
_UNIT = re.compile(r"(?<=\d) (?=(?:%|s)(?!\w))")


def quality(value: float) -> str:
    """Return a metric with three decimals, such as `0.685`."""
    return f"{value:.3f}" if isfinite(value) else NO_VALUE


def change(value: float, digits: int = 3) -> str:
    """Return a difference with its sign, such as `+0.036`. Zero has no sign."""
    if not isfinite(value):
        return NO_VALUE
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def probability(value: float) -> str:
    """Return a probability with two significant digits, such as `0.0015`; none below `0.0001`."""
    if not isfinite(value):
        return NO_VALUE
    return f"{value:.2g}" if value >= 0.0001 else "< 0.0001"


def price(dollars: float | None) -> str:
    """Return US dollars, such as `free`, `$0.022`, `$4.23` or `$1,250`."""
    if dollars is None or not isfinite(dollars):
        return "unknown"
    if not dollars:
        return "free"
    return shown_dollars(dollars) if dollars < 100 else f"${dollars:,.0f}"


def seconds(duration: float | None) -> str:
    """Return seconds with two significant digits, such as `0.13 s` or `12 s`; a dash for `None`."""
    if duration is None or not isfinite(duration):
        return NO_VALUE
    return f"{_significant(duration) if duration < 10 else f'{duration:,.0f}'} s"


def percent(share: float | None) -> str:
    """Return a share as a whole per cent, such as `95 %`; `100 %` only for all, `0 %` for none."""
    if share is None or not isfinite(share):
        return NO_VALUE
    whole = min(99, max(1, round(share * 100))) if 0 < share < 1 else round(share * 100)
    return f"{whole} %"


def unbroken(sentence: str) -> str:
    """Return `sentence` with spaces that no line breaks at between numbers and their units."""
    return _UNIT.sub("\N{NO-BREAK SPACE}", sentence)


def count(number: int, singular: str, plural: str | None = None) -> str:
    """Return a number with its noun, such as `1 question` or `5,183 documents`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def _significant(value: float) -> str:
    """Return two significant digits without an exponent."""
    if not value:
        return "0"
    digits = max(0, 1 - floor(log10(abs(value))))
    # Rounding can add a digit: 0.0996 has two significant digits as 0.10.
    digits = max(0, 1 - floor(log10(abs(round(value, digits)))))
    return f"{value:.{digits}f}"
