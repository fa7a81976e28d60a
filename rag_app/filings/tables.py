"""Cells with their columns → Markdown rows: pieces joined, spacers dropped, header rows found."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag_app.filings.levels import INDENT, label_levels

MAX_HEADER_ROWS = 6
ITEM_LABEL = re.compile(r"(?:part\s+[ivx]+\b.{0,5})?items?\s*\d{1,2}[a-k]?\b|part\s+[iv]+\b", re.I)

_VALUE = re.compile(
    r"[-–—+(]*\s*(?:US)?[$€£¥]?\s*[-–—(]*\s*(?:\d[\d,]*(?:\.\d+)?|\.\d+)\s*\)?\s*"
    r"(?:%|x|bps|bp|pts?\.?)?\s*\)?(?:\s*\(\w\))?"
    r"|[$€£¥]?\s*[-–—]+\s*%?|N/?[AM]|\*+|NM|nil",
    re.I,
)
_FIGURE = re.compile(r"\$(?!\s*[\d(])|\$?\s*\(?\$?\s*\d[\d,.]*\s?\)?\s?%?\)?|—")
_YEAR = re.compile(r"(?:FY\s*)?(?:19|20)\d\d(?:\s*\(\w\))?", re.I)
_OPENING = re.compile(r"[$€£¥(]+|US\$|\$\s*\(")
_CONTINUED = re.compile(r"[\d(.—–-]")
_CLOSING = re.compile(r"\)?\s*%?\s*\)?|\([a-z]\)|bps|pts")
_MARKER = re.compile(
    r"[•●▪■◦·○☐☒†‡–—-]|[oxýþ¨]|\*+|\(?(?:\d{1,2}|[a-z]{1,4})[.)]|\(\w{1,4}\)", re.I
)
_PAGE = re.compile(r"(?:[A-Z]{1,2}-)?\d{1,3}(?:\s*[-–—]\s*\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Cell:
    """What stands in one cell, and the columns (or character or point positions) it covers.

    ``indent`` is where the text of a row's first cell begins, in points.
    """

    text: str
    start: float
    end: float
    bold: bool = False
    indent: float = 0.0


Row = Sequence[Cell]


def is_value(text: str) -> bool:
    """Whether a cell holds a figure, a dash or "N/A", as against a label or a year."""
    return bool(_VALUE.fullmatch(text)) and not _YEAR.fullmatch(text)


def is_contents(rows: Sequence[Row], links: int = 0) -> bool:
    """Whether the rows are a table of contents: Items, or linked titles, with rising pages."""
    texts = [[cell.text for cell in row if cell.text] for row in rows]
    texts = [row for row in texts if row]
    labelled = sum(bool(ITEM_LABEL.match(" ".join(row))) for row in texts)
    pages = [row[-1] for row in texts if len(row) > 1 and _PAGE.fullmatch(row[-1])]
    if labelled >= 4 and (labelled * 2 >= len(texts) or len(pages) * 2 >= len(texts)):
        return True
    numbers = [int(re.sub(r"\D.*", "", re.sub(r"^\D+", "", page))) for page in pages]
    return (
        len(pages) >= 3
        and len(pages) * 2 >= len(texts)
        and numbers == sorted(numbers)
        and (links >= len(pages) or any("page" in row[-1].lower() for row in texts[:3]))
    )


def is_layout(rows: Sequence[Row]) -> bool:
    """Whether the cells only place text on the page: bullets, "Item 1A." beside its title."""
    texts = [[cell.text for cell in joined(row)] for row in rows]
    texts = [row for row in texts if row]
    if not texts or max(map(len, texts)) == 1:
        return True
    values = sum(is_value(text) for row in texts for text in row[1:])
    if len(texts) == 1:
        return values == 0
    if values:
        return False
    marked = sum(
        len(row) == 1 or bool(_MARKER.fullmatch(row[0]) or ITEM_LABEL.match(row[0]))
        for row in texts
    )
    return marked == len(texts) and max(map(len, texts)) <= 3


def joined(row: Row) -> list[Cell]:
    """The non-empty cells, with "$", "(", ")" and "%" that stand alone joined to their figure."""
    merged: list[Cell] = []
    opening: Cell | None = None
    for cell in row:
        if not cell.text:
            continue
        if opening and _CONTINUED.match(cell.text):
            cell = replace(cell, text=opening.text + cell.text, start=opening.start)
        elif opening:
            merged.append(opening)  # a "$" that heads a column
        opening = None
        last = merged[-1].text if merged else ""
        closes = _CLOSING.fullmatch(cell.text) and last[-1:] not in ")%$"
        if _OPENING.fullmatch(cell.text):
            opening = cell
        elif last and (closes or (cell.text in ("%", "%)") and last[-1:] == ")")):
            merged[-1] = replace(merged[-1], text=last + cell.text, end=cell.end)
        else:
            merged.append(cell)
    if opening:
        merged.append(opening)
    return [replace(cell, text=_tidy(cell.text)) for cell in merged]


def _tidy(text: str) -> str:
    """A figure without the blanks of its print: ``$ 1,234``, ``(409 )``, ``16 %``."""
    return re.sub(r"(?<=[$€£¥(])\s+|\s+(?=[)%])", "", text) if is_value(text) else text


def parted(cell: Cell) -> list[Cell]:
    """Figures or years that stand so close in print that they were taken for one cell, apart."""
    found = list(_FIGURE.finditer(cell.text))
    # Not by a pattern of many figures: a row of digits is many figures in very many ways.
    if len(found) < 2 or _FIGURE.sub("", cell.text).strip():
        return [cell]
    scale = (cell.end - cell.start) / len(cell.text)
    return [
        Cell(m[0].strip(), cell.start + m.start() * scale, cell.start + m.end() * scale, cell.bold)
        for m in found
    ]


def markdown(rows: Sequence[Row]) -> tuple[str, int]:
    """Write rows of cells as Markdown rows, and count those that head the columns.

    A header that spans columns stands once, in the first of them, so that the text keeps the
    order it has on the page. Labels below the header keep their level: ``INDENT`` once for each
    offset in the table that lies further to the left.
    """
    body = [cells for row in rows if (cells := joined(row))]
    columns = _columns(body)
    lines = [_spread(row, columns) for row in body]
    # A column that only ever repeats blanks comes from a spanning title; it says nothing.
    used = [index for index in range(len(columns)) if any(line[index] for line in lines)]
    lines, offsets = _rewrapped(
        [[line[index] for index in used] for line in lines], [row[0].indent for row in body]
    )
    headers = _header_rows(lines, body)
    labels = [
        offset if line[0] and not is_value(line[0]) else None
        for line, offset in zip(lines[headers:], offsets[headers:], strict=True)
    ]
    levels = [0] * headers + label_levels(labels, [any(line[1:]) for line in lines[headers:]])
    text = "\n".join(
        f"| {INDENT * level}{' | '.join(map(_escape, line))} |"
        for level, line in zip(levels, lines, strict=True)
    )
    return text, headers


def _escape(text: str) -> str:
    return text.replace("|", "\\|")


def _columns(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Column borders: overlapping cells, the narrowest first, grow into one column.

    A cell that touches two columns spans them and joins neither, unless no row fills both: then
    it is a wide head over figures that stand to one side of it, and the two are one column.
    """
    columns: list[tuple[float, float]] = []
    spans = sorted({(cell.end - cell.start, cell.start, cell.end) for row in rows for cell in row})
    for _, start, end in spans:
        touched = _touched(columns, start, end)
        if not touched:
            insort(columns, (start, end))
        elif len(touched) == 1:
            a, b = columns[touched[0]]
            columns[touched[0]] = (min(a, start), max(b, end))
    for _, start, end in spans:
        touched = _touched(columns, start, end)
        if len(touched) > 1 and not any(_fills_two(row, columns, touched) for row in rows):
            columns[touched.start : touched.stop] = [
                (columns[touched[0]][0], columns[touched[-1]][1])
            ]
    return columns


def _touched(columns: Sequence[tuple[float, float]], start: float, end: float) -> range:
    """Which of the columns, which stand in order and apart, a cell covers a part of."""
    first = bisect_right(columns, start, key=lambda column: column[1])
    return range(first, max(first, bisect_left(columns, end, key=lambda column: column[0])))


def _fills_two(row: Row, columns: Sequence[tuple[float, float]], among: range) -> bool:
    left, right = columns[among[0]][0], columns[among[-1]][1]
    filled = {
        touched[0]
        for cell in row
        if cell.start < right and left < cell.end
        if len(touched := _touched(columns, cell.start, cell.end)) == 1
    }
    return len(filled) > 1


def _spread(row: Row, columns: Sequence[tuple[float, float]]) -> list[str]:
    """One row's texts by column; a spanning cell goes to the first column it covers."""
    line = [""] * len(columns)
    floor = 0
    for cell in row:
        touched = _touched(columns, cell.start, cell.end)
        # Cells never move left of the one before them: the page's order is kept.
        index = max(floor, touched[0] if touched else floor)
        if line[index] and index + 1 < len(line) and index + 1 in touched:
            index += 1
        line[index] = f"{line[index]} {cell.text}".strip()
        floor = index
    return line


def _rewrapped(
    lines: Sequence[list[str]], offsets: Sequence[float]
) -> tuple[list[list[str]], list[float]]:
    """Join a label that was wrapped over two rows to the row that has its figures.

    The label keeps the offset at which it began.
    """
    whole: list[list[str]] = []
    begun: list[float] = []
    for line, offset in zip(lines, offsets, strict=True):
        before = whole[-1] if whole else []
        wrapped = line[0][:1].islower() and any(line[1:]) and before and not any(before[1:])
        if wrapped and before[0] and before[0][-1] not in ":.":
            whole[-1] = [f"{before[0]} {line[0]}", *line[1:]]
        else:
            whole.append(line)
            begun.append(offset)
    return whole, begun


def _header_rows(lines: Sequence[Sequence[str]], rows: Sequence[Row]) -> int:
    """How many leading rows name the columns: those above the first row of figures."""
    first = next(
        (i for i, line in enumerate(lines) if any(is_value(text) for text in line[1:] if text)),
        None,
    )
    if first is None or first > MAX_HEADER_ROWS:
        bold = all(cell.bold for cell in rows[0]) if rows else False
        return int(bold and len(rows) > 1)
    headed = [i for i in range(first) if any(lines[i][1:])]
    return headed[-1] + 1 if headed else 0


def is_tabular(rows: Sequence[Row]) -> bool:
    """Whether lines with their cells are rows of a table: most end in figures."""
    figured = sum(len(row) > 1 and is_value(row[-1].text) for row in rows)
    several = sum(len(row) > 1 for row in rows)
    return len(rows) > 1 and figured > 0 and several >= 0.6 * len(rows) and figured >= several / 3
