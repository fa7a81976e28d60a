"""Numbers in a text, and whether a passage shows them.

A figure is shown when the same number stands in the passage ("26,974"), or when the passage's
number, in its unit, rounds to the figure as written ("$27.0 billion" for 26,974 in millions).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

_NUMBER = re.compile(
    r"(?<![\w.,])\(?\$?\s?(?P<number>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)\)?"
    r"(?:\s?(?P<percent>%|percent\b)|[\s-](?P<scale>thousand|million|billion|trillion)s?\b)?",
    re.IGNORECASE,
)
_TABLE_SCALE = re.compile(r"\bin\s+(thousand|million|billion)s\b", re.IGNORECASE)
_MARKER = re.compile(r"\[\d+(?:\s*,\s*\d+)*\]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written: its digits' value, decimals written, and its scale word (1 if none)."""

    text: str
    value: float
    decimals: int
    scale: float


def numbers_in(text: str) -> list[Number]:
    """The numbers of a text in reading order, without citation markers, bare years and days.

    A bare whole number below 32 or between 1900 and 2099 is a date or a count, not a figure.
    """
    found = []
    for match in _NUMBER.finditer(_MARKER.sub(" ", text)):
        digits = match["number"].replace(",", "")
        value = float(digits)
        bare = not (match["percent"] or match["scale"] or "$" in match[0] or "," in match["number"])
        if bare and digits.isdigit() and (value < 32 or 1900 <= value <= 2099):
            continue
        found.append(
            Number(
                text=match[0].strip(),
                value=value,
                decimals=len(digits.partition(".")[2]),
                scale=SCALES[match["scale"].lower()] if match["scale"] else 1.0,
            )
        )
    return found


def shows(passage: str, figure: Number) -> bool:
    """Whether a passage shows a figure, as written or in another scale, rounded as written."""
    unit = _TABLE_SCALE.search(passage)
    table_scale = SCALES[unit[1].lower()] if unit else 1.0
    for number in _all_numbers(passage):
        if number.value == figure.value and (
            figure.scale in (1.0, number.scale) or table_scale == figure.scale
        ):
            return True
        amount = number.value * (number.scale if number.scale > 1.0 else table_scale)
        if amount and round(amount / figure.scale, figure.decimals) == figure.value:
            return True
    return False


def _all_numbers(text: str) -> list[Number]:
    """Every number, small and bare ones too: what a figure may be compared with."""
    return [
        Number(
            text=match[0],
            value=float(match["number"].replace(",", "")),
            decimals=0,
            scale=SCALES[match["scale"].lower()] if match["scale"] else 1.0,
        )
        for match in _NUMBER.finditer(text)
    ]
