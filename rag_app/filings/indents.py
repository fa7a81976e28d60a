"""How far the text of an HTML cell stands in, by its own and its inner elements' style."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

COLUMN = 9.0
"""Points of an empty column before a label: what one step of a padding usually is."""
NO_BREAK_SPACE = 3.0
"""Points of a blank in 10-point type, rounded up so that one alone is a step."""

_POINTS = {"pt": 1.0, "px": 0.75, "em": 10.0, "rem": 10.0, "in": 72.0, "cm": 28.35, "": 0.75}
_LENGTH = re.compile(r"(-?\d*\.?\d+)(pt|px|r?em|in|cm)?", re.I)
_BLANK = re.compile(r"[\s\u00a0]*")


def cell_indent(cell: HtmlElement, column: int) -> float:
    """Points from the left edge of the table to a cell's first line, as far as styles say.

    Paddings and margins of the elements around the first text add up; ``text-indent``, which is
    inherited, counts once, as the innermost of them says. A hanging indent so comes to nothing.
    """
    inset, first_line = COLUMN * column, 0.0
    element = cell
    while True:
        step, own = _insets(element.get("style") or "")
        inset += step
        first_line = first_line if own is None else own
        text = element.text or ""
        if text.strip() or not len(element):
            break
        inset += NO_BREAK_SPACE * text.count("\u00a0")
        element = element[0]
    leading = _BLANK.match(text)
    assert leading  # it matches the empty text too
    return inset + first_line + NO_BREAK_SPACE * leading[0].count("\u00a0")


@lru_cache(maxsize=4096)
def _insets(css: str) -> tuple[float, float | None]:
    """Padding and margin on the left, and the indent of the first line if one is given."""
    sides = {"padding": 0.0, "margin": 0.0}
    first_line: float | None = None
    for declaration in css.lower().split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "text-indent":
            first_line = _points(value)
        elif name in ("padding-left", "margin-left"):
            sides[name.removesuffix("-left")] = _points(value)
        elif name in sides and (lengths := value.split()):
            # One to four lengths: top, right, bottom, left; a missing left one is the right one.
            sides[name] = _points(lengths[3] if len(lengths) > 3 else lengths[:2][-1])
    return sum(sides.values()), first_line


def _points(length: str) -> float:
    """A CSS length; a share of a width that is not known counts as none."""
    match = _LENGTH.fullmatch(length)
    return float(match[1]) * _POINTS[(match[2] or "").lower()] if match else 0.0
