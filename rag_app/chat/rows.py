"""Rows of a passage's tables: cells, column heads, and which cells hold amounts."""

from __future__ import annotations

import re
from collections.abc import Sequence

_BAR = re.compile(r"(?<!\\)\|")
_YEAR = re.compile(r"(?:19|20)\d\d\b(?![,.]\d)|\d{1,2}/\d{1,2}/\d{2,4}")


def is_row(line: str) -> bool:
    """Whether a line of a passage is a row of a table: ``| Revenue | 26,974 |``."""
    return line.lstrip().startswith("|")


def cells_of(line: str) -> list[str]:
    """The cells of a row as they were written, bars inside a cell included."""
    inner = line.strip().removeprefix("|")
    cells = _BAR.split(inner)
    if not cells[-1].strip() and len(cells) > 1:  # a row that was cut short has no last bar
        cells.pop()
    return [cell.replace("\\|", "|").strip() for cell in cells]


def is_amount(cell: str) -> bool:
    """Whether a cell holds an amount; a year, a date or a period ("53 weeks") is a head."""
    digits = sum(c.isdigit() for c in cell)
    letters = sum(c.isalpha() for c in cell)
    return digits > letters and not cell[0].isalpha() and not _YEAR.match(cell)


def is_group(cells: Sequence[str]) -> bool:
    """Whether a row only names the rows under it: ``| Operating expenses: | | |``."""
    return bool(cells[0]) and not any(cells[1:])


def head_count(rows: Sequence[Sequence[str]]) -> int:
    """How many leading rows are column heads: no amounts, and under the first one no label.

    A label beside years or dates ("In millions | 2023 | 2022") still is a head.
    """
    for number, cells in enumerate(rows):
        rest = [cell for cell in cells[1:] if cell]
        named = bool(cells[0]) and not (rest and all(_dated(cell) for cell in rest))
        if any(map(is_amount, rest)) or is_group(cells) or (number and named):
            return number
    return len(rows)


def stacked(heads: Sequence[Sequence[str]]) -> list[str]:
    """Head rows read downwards, one text a column: "Year Ended" over "Jan 29, 2023"."""
    width = max((len(cells) for cells in heads), default=0)
    columns = [[cells[at] if at < len(cells) else "" for cells in heads] for at in range(width)]
    return [" ".join(dict.fromkeys(part for part in column if part)) for column in columns]


def _dated(cell: str) -> bool:
    return bool(re.search(r"\b(?:19|20)\d\d\b", cell)) and not is_amount(cell)
