"""Printed lines of a page → paragraphs and tables, by their gaps and columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag_app.filings.style import Paragraph, Style, is_units
from rag_app.filings.tables import Cell, is_contents, is_value, joined, markdown
from rag_app.records import Block

MAX_HEADER_LINES = 10
MAX_INNER_LINES = 3

_BULLET = re.compile(r"[•●▪■◦·○]|\(?(?:\d{1,2}|[a-z])\)\s|[–—-]\s")
_ITEM = re.compile(r"(?:part\s+[iv]+\b|items?\s+\d{1,2}[a-c]?\b)", re.I)
_COLUMN_HEAD = re.compile(
    r"(?:19|20)\d\d|\b(?:year|month|week|quarter|period|day)s?\b|%|\$|\b(?:january|february|march|april"
    r"|may|june|july|august|september|october|november|december)\b|\b(?:total|change|amount)\b",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line: its edges and baseline in points, y upwards, and its cells."""

    text: str
    left: float
    right: float
    y: float
    style: Style
    cells: tuple[Cell, ...]

    @property
    def figured(self) -> bool:
        """Whether it looks like a table's row: a label, then figures apart from it."""
        cells = joined(self.cells)
        return len(cells) > 1 and any(is_value(cell.text) for cell in cells[1:])


def page_items(lines: Sequence[Line], page: int, *, plain: bool) -> Iterator[Paragraph | Block]:
    """The paragraphs and tables of a page, in reading order.

    ``plain`` says that the document has no bold type; then a short line by itself heads the text
    below it.
    """
    at = 0
    for start, stop in _tables(lines):
        yield from _paragraphs(lines[at:start], page, plain)
        yield from _table(lines[start:stop], page)
        at = stop
    yield from _paragraphs(lines[at:], page, plain)


def _tables(lines: Sequence[Line]) -> Iterator[tuple[int, int]]:
    """Where tables start and stop: at least two rows of figures, their header, lines between."""
    rows = [at for at, line in enumerate(lines) if line.figured]
    runs: list[list[int]] = []
    for at in rows:
        between = lines[runs[-1][-1] + 1 : at] if runs else ()
        if runs and len(between) <= MAX_INNER_LINES and all(_short(line) for line in between):
            runs[-1].append(at)
        else:
            runs.append([at])
    floor = 0
    for run in runs:
        if len(run) < 2:
            continue
        start, row = run[0], lines[run[0]]
        for at in range(run[0] - 1, max(floor, run[0] - MAX_HEADER_LINES) - 1, -1):
            if _heads_column(lines[at], row):
                start = at
            elif not _labels_rows(lines[at], row):
                break
        floor = run[-1] + 1
        yield start, floor


def _short(line: Line) -> bool:
    return len(line.text) < 90 and not (len(line.text) > 50 and line.text.endswith("."))


def _labels_rows(line: Line, row: Line) -> bool:
    """Whether a line between a header and the first figures is a label ("Net sales:")."""
    return len(line.text) <= 60 and abs(line.left - row.left) <= 40 and line.text[-1] != "."


def _heads_column(line: Line, first_row: Line) -> bool:
    """Whether a line above a table's first row belongs to its header."""
    if len(line.text) > 160 or line.text.endswith((".", ":")) or _ITEM.match(line.text):
        return False
    if len(line.cells) > 1 or is_units(line.text):
        return True
    beside_labels = line.left > first_row.left + 60
    return (
        beside_labels
        and len(line.text) <= 60
        and bool(_COLUMN_HEAD.search(line.text) or not line.text.isupper())
    )


def _table(lines: Sequence[Line], page: int) -> Iterator[Paragraph | Block]:
    rows: list[list[Cell]] = []
    baseline = 0.0
    for line in sorted(lines, key=lambda line: -line.y):
        if rows and baseline - line.y < 2.5:
            rows[-1] += line.cells
        else:
            rows.append(list(line.cells))
            baseline = line.y
    ordered = [sorted(row, key=lambda cell: cell.start) for row in rows]
    if is_contents(ordered):
        return
    text, header_rows = markdown(ordered)
    yield Block("table", text, header_rows=header_rows, page=page)


def _paragraphs(lines: Sequence[Line], page: int, plain: bool) -> Iterator[Paragraph]:
    """Join lines up to a wider gap, a change of type, a bullet or an Item's heading."""
    gaps = Counter(
        round(before.y - line.y) for before, line in pairwise(lines) if 4 < before.y - line.y < 40
    )
    pitch = min((gap for gap, n in gaps.items() if n * 4 >= max(gaps.values())), default=12)
    part: list[Line] = []
    for line in lines:
        if part and _starts(line, part[-1], pitch):
            yield _paragraph(part, page, plain)
            part = []
        part.append(line)
    if part:
        yield _paragraph(part, page, plain)


def _starts(line: Line, before: Line, pitch: float) -> bool:
    gap = before.y - line.y
    if gap < -pitch and before.text[-1] not in ".:;!?":
        return False  # the text goes on at the top of the next column
    weight = line.style.bold != before.style.bold or line.style.size != before.style.size
    italic = line.style.italic != before.style.italic and before.text[-1] in ".:;!?"
    return (
        gap < -pitch
        or gap > 1.35 * pitch
        or (weight and not (line.text[:1].islower() and gap <= pitch))
        or italic
        or bool(_BULLET.match(line.text) or _ITEM.match(line.text))
    )


def _paragraph(lines: Sequence[Line], page: int, plain: bool) -> Paragraph:
    text = ""
    for line in lines:
        text += line.text if not text or re.search(r"\w-$", text) else f" {line.text}"
    styles = [line.style for line in lines]
    alone = len(lines) == 1 and len(text) <= 90 and text[-1] not in ".,;:" and text[:1].isupper()
    style = replace(
        styles[0],
        bold=all(style.bold for style in styles),
        italic=all(style.italic for style in styles),
        underline=plain and alone,
    )
    return Paragraph(text, style, page=page)
