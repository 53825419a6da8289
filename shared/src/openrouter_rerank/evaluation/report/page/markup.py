"""
Builds HTML and SVG. Every text is escaped, unless it is the result of `element`.
"""

from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from openrouter_rerank.evaluation.report.page.visible_text import visible, visible_lines


class Markup(str):
    """Text that is markup already, and so is not escaped."""

    __slots__ = ()


Attribute: TypeAlias = str | float | bool | None
_VOID = frozenset({"meta", "wbr", "br"})


def element(name: str, /, *children: str, **attributes: Attribute) -> Markup:
    """
    Return an element.

    Args:
        name: The name of the element.
        children: Texts, which are escaped, and elements.
        attributes: Underscores are written as hyphens; one at the end is removed, as in `class_`.
            `None` and `False` leave an attribute out, and `True` writes its name alone.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    start = f"<{name}{written}>"
    return Markup(start if name in _VOID else f"{start}{joined(children)}</{name}>")


def joined(children: Iterable[str]) -> Markup:
    """Return elements and escaped texts, one after the other."""
    return Markup(
        "".join(child if isinstance(child, Markup) else text(child) for child in children)
    )


def text(plain: str) -> Markup:
    """Return `plain`, escaped, with its line breaks and visible control characters."""
    return Markup(escape(visible_lines(plain), quote=False))


def foreign(plain: str) -> Markup:
    """Return a text of a user or a service; its direction does not change the text around it."""
    return element("bdi", plain)


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    # Adding zero turns a negative zero into zero.
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.removesuffix("_").replace("_", "-")
    if value is True:
        return f" {name}"
    written = visible(value) if isinstance(value, str) else number(value)
    return f' {name}="{escape(written)}"'
