"""Tables of percentages that print the sign only where a column begins and ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SIGNED = re.compile(r"\(?[−–-]?\d{1,3}(?:\.(?P<decimals>\d+))?\)?\s*%\)?")
_PLAIN = re.compile(r"\(?[−–-]?\d{1,3}(?:\.(?P<decimals>\d+))?\)?")


def with_percent_signs(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """The rows of a table's body, with the sign behind each number that is per cent without it.

    In a column whose first number is a percentage those below are too, up to one that cannot be:
    over three digits, with a currency, or with other decimals. Where a number between the first
    and a total prints the sign, the table writes it wherever it means it.
    """
    written = [list(cells) for cells in rows]
    for column in range(1, max(map(len, rows), default=0)):
        filled = [at for at, cells in enumerate(rows) if column < len(cells) and cells[column]]
        filled = [at for at in filled if any(map(str.isdigit, rows[at][column]))]
        for at in _unsigned([rows[at][column] for at in filled], [rows[at][0] for at in filled]):
            written[filled[at]][column] += "%"
    return written


def _unsigned(cells: Sequence[str], labels: Sequence[str]) -> Iterable[int]:
    """Which numbers of a column are percentages without a sign."""
    first = _SIGNED.fullmatch(cells[0]) if cells else None
    if not first:
        return []
    found: list[int] = []
    for at, cell in enumerate(cells[1:], 1):
        plain = _PLAIN.fullmatch(cell)
        if plain and bool(plain["decimals"]) == bool(first["decimals"]):
            found.append(at)
        elif not _SIGNED.fullmatch(cell):
            break
        elif at + 1 < len(cells) and not labels[at].lower().startswith("total"):
            return []
    return found
