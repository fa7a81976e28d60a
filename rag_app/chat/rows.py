"""Rows of a passage's tables: labels with the groups above them, amounts with heads and scale."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rag_app.chat.percents import with_percent_signs
from rag_app.filings.levels import level_of
from rag_app.filings.style import is_units

SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

_SCALE = re.compile(r"\bin\s+(thousand|million|billion)s\b", re.I)
_SHARES_IN = re.compile(r"\bshares\b[^.;]{0,40}?\bin\s+(?:thousand|million|billion)s\b", re.I)
_PER_SHARE = re.compile(r"\bper\b.{0,40}\b(?:share|unit|ads)\b", re.I)
_SHARE_COUNT = re.compile(
    r"\bshares (?:used|outstanding)\b|weighted[- ]average (?:number of )?(?:common )?shares", re.I
)
_DIGITS = re.compile(r"\d[\d,]*(?:\.\d+)?|\.\d+")
_MINUS = re.compile(r"[$€£¥\s]*[(−–-]")
_BAR = re.compile(r"(?<!\\)\|")
_PERIOD = re.compile(r"\b(?:19|20)\d\d\b|\b(?:ended|ending|months|quarter|year)\b", re.I)
_CHANGE_HEAD = re.compile(r"[$%]|(?:[$%]\s*)?change(?:\s*[$%])?", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)\d\d\b(?![,.]\d)|\d{1,2}/\d{1,2}/\d{2,4}")


@dataclass(frozen=True, slots=True)
class Value:
    """A cell behind a row's label, under the heads of its column.

    ``amount`` is the number as printed, negative in parentheses or behind a minus sign, None in a
    cell without one. ``scale`` is what one unit of it stands for: 1e6 in a table "in millions",
    1 for a percentage or an amount per share in it. ``text`` is the cell as printed, with the sign
    of a percentage that the column prints only once. ``under`` is the head with the periods that
    stand over several columns: "Three Months Ended" over two dates.
    """

    head: str
    text: str
    amount: float | None
    scale: float
    under: str = ""


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row with amounts; ``groups`` are the labels it stands under, the outermost first.

    ``line`` counts the table's lines from 0; ``corner`` is what stands over the labels.
    """

    line: int
    corner: str
    groups: tuple[str, ...]
    label: str
    values: tuple[Value, ...]


@dataclass(slots=True)
class _Group:
    """A label whose rows are being read, and whether one of them stood further in than it."""

    label: str
    level: int
    indents: bool = False


def table_rows(lines: Sequence[str], above: str = "") -> Iterator[TableRow]:
    """The rows with amounts of a table as it is stored; ``above`` is the text that names its unit.

    A group ends with its total, and where a row stands no further in than the group's own label
    though rows before it did.
    """
    table = [cells_of(line) for line in lines]
    head_rows = head_count(table)
    heads = stacked(table[:head_rows])
    unders = stacked(spread(table[:head_rows]))
    units = "\n".join([*heads, above])
    groups: list[_Group] = []
    for number, cells in enumerate(with_percent_signs(table[head_rows:]), head_rows):
        level = level_of(lines[number])
        if is_group(cells):
            groups = [group for group in groups if group.level < level]
            groups.append(_Group(cells[0].rstrip(":"), level))
        elif any(map(is_amount, filter(None, cells[1:]))):
            if cells[0]:
                groups = [g for g in groups if g.level < level or _heads(g, cells[0], level)]
            for group in groups:
                group.indents |= level > group.level
            # Below a group the labels may stand in a second column of their own.
            at = next((at for at, cell in enumerate(cells) if cell), 0)
            at = at if not is_amount(cells[at]) else 0
            path = tuple(group.label for group in groups)
            scale = _row_scale(units, (cells[at], *reversed(path)))
            values = tuple(
                _value(cell, _at(heads, column), scale, _at(unders, column))
                for column, cell in enumerate(cells)
                if column > at and cell
            )
            yield TableRow(number, heads[0] if heads else "", path, cells[at], values)
            if groups and cells[at].lower().startswith("total"):
                groups.pop()


def _heads(group: _Group, label: str, level: int) -> bool:
    """Whether a row that stands as far in as a group's own label is of the group still.

    Not where rows before it stood further in, nor where both are in capitals: they are of a kind.
    """
    capitals = group.label.isupper() and label.isupper()
    return group.level == level and not (group.indents or capitals)


def scale_named(text: str) -> float:
    """What one unit stands for where a text says "in millions"; 1 if it names no scale."""
    unit = _SCALE.search(text)
    return SCALES[unit[1].lower()] if unit else 1.0


def _row_scale(units: str, labels: Iterable[str]) -> float:
    """The scale of a row by its labels, the innermost first, else by the table's units."""
    for label in labels:
        if _SCALE.search(label):
            return scale_named(label)
        if _SHARE_COUNT.search(label):
            shares = _SHARES_IN.search(units)
            return scale_named(shares[0] if shares else units)
        if _PER_SHARE.search(label):
            return 1.0
    return scale_named(units)


def _value(cell: str, head: str, scale: float, under: str) -> Value:
    digits = _DIGITS.search(cell)
    if not digits or not is_amount(cell):
        return Value(head, cell, None, scale, under)
    amount = float(digits[0].replace(",", ""))
    amount = -amount if _MINUS.match(cell) else amount
    return Value(head, cell, amount, 1.0 if "%" in cell else scale, under)


def _at(texts: Sequence[str], column: int) -> str:
    return texts[column] if column < len(texts) else ""


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

    A label beside years or dates ("In millions | 2023 | 2022") still is a head, and so is a row
    that only gives the units.
    """
    for number, cells in enumerate(rows):
        if is_group(cells) and is_units(cells[0]):
            continue
        rest = [cell for cell in cells[1:] if cell]
        named = bool(cells[0]) and not _all_dated(rest)
        if any(map(is_amount, rest)) or is_group(cells) or (number and named):
            return number
    return len(rows)


def stacked(heads: Sequence[Sequence[str]]) -> list[str]:
    """Head rows read downwards, one text a column: "Year Ended" over "Jan 29, 2023"."""
    width = max((len(cells) for cells in heads), default=0)
    columns = [[cells[at] if at < len(cells) else "" for cells in heads] for at in range(width)]
    return [" ".join(dict.fromkeys(part for part in column if part)) for column in columns]


def spread(heads: Sequence[Sequence[str]]) -> list[list[str]]:
    """Head rows with each period repeated over the blank cells to its right.

    "Three Months Ended" stands in the first of the columns that it covers, and only there.
    """
    width = max((len(cells) for cells in heads), default=0)
    filled: list[list[str]] = []
    for number, cells in enumerate(heads):
        row = [*cells, *[""] * (width - len(cells))]
        for at in range(2, width):
            below = any(at < len(under) and under[at] for under in heads[number + 1 :])
            if not row[at] and below and _PERIOD.search(row[at - 1]):
                row[at] = row[at - 1]
        filled.append(row)
    return filled


def _all_dated(cells: Sequence[str]) -> bool:
    """Whether cells are years or dates, perhaps with columns of their change beside them."""
    dated = list(map(_dated, cells))
    return any(dated) and all(
        date or _CHANGE_HEAD.fullmatch(cell) for date, cell in zip(dated, cells, strict=True)
    )


def _dated(cell: str) -> bool:
    return bool(re.search(r"\b(?:19|20)\d\d\b", cell)) and not is_amount(cell)
