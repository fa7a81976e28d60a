"""How a run of text looks (bold, italic, size ...), and what that says about headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag_app.records import Block

MAX_HEADING = 200
MAX_BOLD_SENTENCE = 400

_UNITS = re.compile(
    r"\(?\s*(?:amounts?\s+|dollars?\s+|u\.?s\.?\s+dollars\s+|shares\s+|tabular amounts\s+)*"
    r"(?:\$ |expressed |stated |presented )?in\s+"
    r"(?:u\.?s\.? dollars|millions|thousands|billions).*",
    re.I,
)
_NOT_HEADING = re.compile(
    r"(?:[•●▪■◦·○*†–—-]|\(\d+\)|\d+$|\d+\s*$)|.*[,;]$|(?:unaudited|audited|none\.?)$"
    r"|\(?(?:unaudited|continued)\)?$"
    r"|(?:january|february|march|april|may|june|july|august|september|october|november|december)"
    r"\s+\d{1,2},?(?:\s+\d{4})?$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Style:
    """The looks of a run of text; ``size`` is in points."""

    bold: bool = False
    italic: bool = False
    underline: bool = False
    centered: bool = False
    hidden: bool = False
    size: float = 10.0


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of text in one style."""

    text: str
    style: Style


_TAG_STYLES: dict[str, dict[str, object]] = {
    "b": {"bold": True},
    "strong": {"bold": True},
    "th": {"bold": True},
    "i": {"italic": True},
    "em": {"italic": True},
    "u": {"underline": True},
    "ins": {"underline": True},
    "center": {"centered": True},
    "h1": {"bold": True, "size": 18.0},
    "h2": {"bold": True, "size": 15.0},
    "h3": {"bold": True, "size": 13.0},
    "h4": {"bold": True, "size": 11.0},
    "h5": {"bold": True},
    "h6": {"bold": True},
}
_FONT_SIZES = {"1": 7.5, "2": 10.0, "3": 12.0, "4": 13.5, "5": 18.0, "6": 24.0, "7": 36.0}
_SIZE = re.compile(r"([\d.]+)\s*(pt|px|em|%)?")
_PT_PER_UNIT = {"pt": 1.0, "px": 0.75, "em": 10.0, "%": 0.1, "": 0.75}


@lru_cache(maxsize=8192)
def inherit(parent: Style, tag: str, css: str, align: str, font_size: str) -> Style:
    """The style of an element inside ``parent``, from its tag and its own attributes."""
    changes: dict[str, object] = dict(_TAG_STYLES.get(tag, {}))
    if align:
        changes["centered"] = align.lower() == "center"
    if font_size in _FONT_SIZES:
        changes["size"] = _FONT_SIZES[font_size]
    for declaration in css.lower().split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if name == "display":
            changes["hidden"] = value == "none"
        elif name == "font-weight":
            changes["bold"] = value.startswith("bold") or value[:1] in "6789"
        elif name == "font-style":
            changes["italic"] = value in ("italic", "oblique")
        elif name == "text-decoration":
            changes["underline"] = "underline" in value
        elif name == "text-align":
            changes["centered"] = value == "center"
        elif name == "font-size" and (size := _SIZE.match(value)):
            changes["size"] = float(size[1]) * _PT_PER_UNIT[size[2] or ""]
        elif name == "font" and value:
            changes["bold"] = "bold" in value
            changes["italic"] = "italic" in value
            if size := re.search(r"([\d.]+)(pt|px)", value):
                changes["size"] = float(size[1]) * _PT_PER_UNIT[size[2]]
    if parent.hidden:
        changes["hidden"] = True
    return replace(parent, **changes) if changes else parent  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph before it is known whether it is a heading."""

    text: str
    style: Style
    anchor: str = ""
    page: int | None = None


def blend(runs: Sequence[Run]) -> Style:
    """The style of a paragraph: a property holds if nearly all its letters have it."""
    first = runs[0].style if runs else Style()
    if all(run.style == first for run in runs):  # nearly always, and counting letters takes long
        lettered = any(char.isalnum() for run in runs for char in run.text)
        return (
            replace(first, hidden=False)
            if lettered
            else Style(size=first.size, centered=first.centered)
        )
    weights: Counter[Style] = Counter()
    for run in runs:
        weights[run.style] += sum(map(str.isalnum, run.text))
    total = sum(weights.values()) or 1

    def held(name: str) -> bool:
        return sum(n for style, n in weights.items() if getattr(style, name)) >= 0.95 * total

    main = max(weights, key=lambda style: weights[style]) if weights else Style()
    return Style(
        bold=held("bold"),
        italic=held("italic"),
        underline=held("underline"),
        centered=main.centered,
        size=main.size,
    )


def is_units(text: str) -> bool:
    """Whether a line gives the units of the table below it: "(In millions, except ...)"."""
    return len(text) <= 120 and bool(_UNITS.fullmatch(text.strip()))


def rank_headings(items: Sequence[Paragraph | Block]) -> list[Block]:
    """Tell headings from paragraphs by their looks, and give them levels.

    Two headings that look alike have the same level; larger, bold and upper-case ones stand
    above smaller, plain and italic ones. Blocks (tables, page breaks) pass through.
    """
    letters: Counter[float] = Counter()
    for item in items:
        if isinstance(item, Paragraph):
            letters[item.style.size] += len(item.text)
    body = max(letters, key=lambda size: letters[size]) if letters else 10.0
    ranks = [
        _rank(item) if isinstance(item, Paragraph) and _is_heading(item, body) else None
        for item in items
    ]
    order = sorted({rank for rank in ranks if rank}, reverse=True)
    levels = {rank: level for level, rank in enumerate(order, 1)}
    blocks: list[Block] = []
    for item, rank in zip(items, ranks, strict=True):
        if isinstance(item, Block):
            blocks.append(item)
        elif rank:
            blocks.append(
                Block("heading", item.text, levels[rank], page=item.page, anchor=item.anchor)
            )
        else:
            blocks.append(Block("paragraph", item.text, page=item.page, anchor=item.anchor))
    return blocks


def _is_heading(item: Paragraph, body_size: float) -> bool:
    text, style = item.text, item.style
    if not any(char.isalpha() for char in text) or _NOT_HEADING.match(text) or is_units(text):
        return False
    sentence = text[-1] in ".:" and len(text) > 80
    if style.bold:
        return len(text) <= (MAX_BOLD_SENTENCE if sentence else MAX_HEADING)
    if len(text) > MAX_HEADING or sentence:
        return False
    capitals = text.isupper() and len(text) > 3
    return (
        style.underline
        or (style.italic and text[-1] != "." and len(text) <= 120)
        or (capitals and (style.centered or len(text) > 8) and text[-1] not in ".")
        or (style.size >= body_size + 1.5 and text[-1] not in ".")
    )


def _rank(item: Paragraph) -> tuple[float, bool, bool, bool, bool, bool]:
    style = item.style
    return (
        round(style.size),
        style.bold,
        item.text.isupper(),
        not style.italic,
        style.underline,
        style.centered,
    )
