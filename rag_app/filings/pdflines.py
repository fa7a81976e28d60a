"""Printed lines of a page → paragraphs and tables, by their gaps and columns."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from rag_app.filings.contents import is_dropped
from rag_app.filings.style import Paragraph, Style, is_units
from rag_app.filings.tables import Cell, is_value, joined, markdown
from rag_app.records import Block

MAX_HEADER_LINES = 24
"""A header of many narrow columns is printed word below word."""
MAX_HEAD_WORDS = 10
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
        return self.figures_left is not None

    @property
    def figures_left(self) -> float | None:
        """Where the figures beside the label begin; None if there are none."""
        starts = (cell.start for cell in joined(self.cells)[1:] if is_value(cell.text))
        return min(starts, default=None)

    def beside_figures(self, *rows: Line) -> bool:
        """Whether it ends before the figures of these rows begin, as a row's label does."""
        return all(row.figures_left is None or self.right < row.figures_left for row in rows)


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
        near = bool(runs) and len(between) <= MAX_INNER_LINES
        ends = (lines[runs[-1][-1]], lines[at]) if near else ()
        if near and all(_short(line) or _labels(line, *ends) for line in between):
            runs[-1].append(at)
        else:
            runs.append([at])
    floor = 0
    for run in runs:
        if len(run) < 2:
            continue
        start, row = run[0], lines[run[0]]
        for at in range(run[0] - 1, max(floor, run[0] - MAX_HEADER_LINES) - 1, -1):
            if lines[at].y < row.y:
                break  # the foot of the column to the left
            if _heads_column(lines[at], row):
                start = at
            elif not _labels_rows(lines[at], row):
                break
        floor = run[-1] + 1
        yield start, floor


def _short(line: Line) -> bool:
    return len(line.text) < 90 and not (len(line.text) > 50 and line.text.endswith("."))


def _labels(line: Line, before: Line, after: Line) -> bool:
    """Whether a long line between two rows of the same columns is the start of a row's label."""
    same_columns = abs(before.right - after.right) <= 12
    sentence = line.text.endswith(".") or ". " in line.text
    return same_columns and not sentence and line.beside_figures(before, after)


def _labels_rows(line: Line, row: Line) -> bool:
    """Whether a line between a header and the first figures is a label ("Net sales:")."""
    short = len(line.text) <= 60 and abs(line.left - row.left) <= 40
    return (short or line.beside_figures(row)) and line.text[-1] != "."


def _heads_column(line: Line, first_row: Line) -> bool:
    """Whether a line above a table's first row belongs to its header."""
    if len(line.text) > 160 or line.text.endswith((".", ":")) or _ITEM.match(line.text):
        return False
    if is_units(line.text):
        return True
    if len(line.cells) > 1:
        return all(cell.text.count(" ") < MAX_HEAD_WORDS for cell in line.cells)
    above_figures = line.left >= (first_row.figures_left or 0) - 10
    return (
        line.left > first_row.left + 60
        and len(line.text) <= 60
        and bool(above_figures or _COLUMN_HEAD.search(line.text) or not line.text.isupper())
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
    left = min(line.left for line in lines)
    for row in rows:
        if len(row) == 1 and row[0].text.endswith(":"):
            # A centred "ASSETS:" would open a column that no other row fills.
            row[0] = replace(row[0], start=left, end=left + 1)
    ordered = [sorted(row, key=lambda cell: cell.start) for row in rows]
    if is_dropped(ordered):
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
