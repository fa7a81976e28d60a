"""Numbers in a text, and whether a passage shows them.

A figure is shown when the same number stands in the passage ("26,974"), or when the passage's
number, in its unit, rounds to the figure as written ("$27.0 billion" for 26,974 in millions).
A figure written with a minus sign is not shown by a positive amount of a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from rag_app.chat.rows import SCALES, is_row, scale_named, table_rows

_NUMBER = re.compile(
    r"(?<![\w.,])(?P<minus>[−-]\s?(?=[\d$(€£¥]))?(?P<open>\()?(?P<money>(?:US)?[$€£¥])?\s?(?P<inner>\()?"
    r"[$€£¥]?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<close>\))?"
    r"(?:\s?(?P<points>(?:percentage|basis)[\s-]points?\b|bps\b|pp\b)|\s?(?P<percent>%|percent\b)"
    r"|[\s-]?(?P<scale>thousand|million|billion|trillion)s?\b|(?P<suffix>bn|mn|[bmk](?![\w-]))\b)?",
    re.IGNORECASE,
)
_MARKER = re.compile(r"\s*\[\d+(?:\s*,\s*\d+)*\]")
_SUFFIXES = {"bn": 1e9, "b": 1e9, "mn": 1e6, "m": 1e6, "k": 1e3}


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: its digits' value, decimals written, and its scale word (1 if none).

    ``minus`` tells whether a minus sign stands before it, ``enclosed`` whether parentheses stand
    around it, as around a negative amount. ``unit`` is ``%``, ``points`` (of a percentage; basis
    points are hundredths of them), ``money`` behind a currency's sign, or empty. ``start`` and
    ``end`` count into the text.
    """

    text: str
    value: float
    decimals: int
    scale: float
    minus: bool
    enclosed: bool = False
    unit: str = ""
    start: int = 0
    end: int = 0

    @property
    def bare(self) -> bool:
        """Whether nothing but its digits says what it is: it may be a year, a day or a count."""
        plain = not (self.unit or self.decimals or "," in self.text)
        return plain and self.scale == 1.0


def numbers_in(text: str) -> list[Number]:
    """The numbers of a text in reading order, without citation markers, bare years and days.

    A bare whole number below 32 or between 1900 and 2099 is a date or a count, not a figure.
    """
    return [
        number
        for number in all_numbers(text)
        if not (number.bare and (number.value < 32 or 1900 <= number.value <= 2099))
    ]


def all_numbers(text: str) -> list[Number]:
    """Every number of a text in reading order, those of citation markers left out."""
    return [_number(match) for match in _NUMBER.finditer(without_markers(text))]


def without_markers(text: str) -> str:
    """The text with blanks in place of its citation markers, so that places in it stay."""
    return _MARKER.sub(lambda marker: " " * len(marker[0]), text)


def shows(passage: str, figure: Number) -> bool:
    """Whether a passage shows a figure, as written or in another scale, rounded as written."""
    for shown in _shown(passage):
        number = shown.number
        units = {figure.unit, number.unit} - {""}
        if (figure.minus and shown.positive) or len(units) > 1:
            continue
        if number.value == figure.value and figure.scale in (1.0, number.scale, shown.scale):
            return True
        amount = number.value * (number.scale if number.scale > 1.0 else shown.scale)
        if (
            amount
            and not shown.exact
            and abs(amount / figure.scale - figure.value) <= _half_a_place(figure)
        ):
            return True
    return False


def scales_of(passage: str, value: float) -> set[float]:
    """What one unit of a number stands for where a passage prints it; 1 where it does not say."""
    return {
        shown.number.scale if shown.number.scale > 1.0 else shown.scale if shown.in_row else 1.0
        for shown in _shown(passage)
        if shown.number.value == value
    }


def _half_a_place(figure: Number) -> float:
    """2,675 is written as 2.68 or 2.67: ties go either way, in print and in binary."""
    return 0.5 * 10.0**-figure.decimals + 1e-9 * max(1.0, figure.value)


@dataclass(frozen=True, slots=True)
class _Shown:
    """A number of a passage, small and bare ones too, and what one unit of it stands for.

    ``positive`` tells that it is the amount of a table's row, and not below zero; ``exact`` that
    it is a percentage or an amount per share in a table in millions, where nothing is rounded;
    ``in_row`` that it stands in a row, whose scale is its own for certain.
    """

    number: Number
    scale: float
    positive: bool = False
    exact: bool = False
    in_row: bool = False


def _shown(passage: str) -> Iterator[_Shown]:
    """The numbers of a passage: those of tables in the scale of their row, not their table's."""
    scale = scale_named(passage)
    above: list[str] = []
    for rows, group in groupby(passage.splitlines(), key=is_row):
        lines = list(group)
        if not rows:
            above = lines
        for row in table_rows(lines, "\n".join(above)) if rows else ():
            lines[row.line] = row.label
            for value in row.values:
                positive = value.amount is not None and value.amount >= 0
                exact = value.scale == 1.0 < scale
                for match in _NUMBER.finditer(value.text):
                    yield _Shown(_number(match), value.scale, positive, exact, in_row=True)
        for match in _NUMBER.finditer("\n".join(lines)):
            yield _Shown(_number(match), scale)


def _number(match: re.Match[str]) -> Number:
    digits = match["number"].replace(",", "")
    decimals = len(digits.partition(".")[2])
    scale, unit = 1.0, "money" if match["money"] else ""
    if match["scale"]:
        scale = SCALES[match["scale"].lower()]
    elif match["suffix"]:
        scale = _SUFFIXES[match["suffix"].lower()]
    elif match["percent"]:
        unit = "%"
    elif match["points"]:
        # 50 basis points are half a percentage point.
        unit, scale = "points", 1.0 if match["points"].lower()[0] == "p" else 0.01
    return Number(
        text=match[0].strip(),
        value=float(digits),
        decimals=decimals,
        scale=scale,
        minus=bool(match["minus"]),
        enclosed=bool((match["open"] or match["inner"]) and match["close"]),
        unit=unit,
        start=match.start() + len(match[0]) - len(match[0].lstrip()),
        end=match.end(),
    )
