"""The table of well-known companies: what people call each, and what its filings are fetched by."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("known_companies.tsv")
_NOT_LISTED = "-"


@dataclass(frozen=True, slots=True)
class Known:
    """A row of the table: what a company is called first, and what its filings are fetched by."""

    name: str
    tickers: tuple[str, ...]
    names: tuple[str, ...]

    def __str__(self) -> str:
        """``Apple (AAPL)``, or the name alone where the ticker says no more."""
        fetched_by = self.fetched_by
        return f"{self.name} ({fetched_by})" if fetched_by not in ("", self.name) else self.name

    @property
    def fetched_by(self) -> str:
        """The ticker that EDGAR is asked for; empty where the company is listed no more."""
        return "" if self.tickers[0] == _NOT_LISTED else self.tickers[0]


@functools.cache
def known_companies() -> tuple[Known, ...]:
    """The table's rows; a name keeps no mark of how it is to be written."""
    return tuple(known for known, _ in _rows())


@functools.cache
def _rows() -> tuple[tuple[Known, tuple[str, ...]], ...]:
    """Each row with its names as they stand, marks and all."""
    found = []
    for line in TABLE.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            tickers, _, marked = line.partition("\t")
            names = tuple(name.lstrip("=~") for name in marked.split(";"))
            known = Known(names[0], tuple(tickers.split()), names)
            found.append((known, tuple(marked.split(";"))))
    return tuple(found)


@functools.cache
def by_ticker() -> dict[str, Known]:
    """Every ticker of the table, today's and former ones, with its row."""
    return {ticker: known for known in known_companies() for ticker in known.tickers}


@functools.cache
def patterns() -> tuple[tuple[re.Pattern[str], dict[str, tuple[Known, bool]]], ...]:
    """Two patterns, of names as written and of names in any case, with whose each name is."""
    found = []
    for in_any_case in (False, True):
        owners = {
            plain(marked.lstrip("=~")): (known, marked[0] == "~")
            for known, names in _rows()
            for marked in names
            if (marked[0] not in "=~") is in_any_case
        }
        written = sorted(
            (name for known, names in _rows() for name in (n.lstrip("=~") for n in names)),
            key=len,
            reverse=True,
        )
        either = "|".join(map(_spelt, [name for name in written if plain(name) in owners]))
        flags = re.IGNORECASE if in_any_case else 0
        found.append((re.compile(rf"(?<![\w&.$-])(?:{either})(?![\w&])", flags), owners))
    return tuple(found)


def plain(name: str) -> str:
    """How names are looked up: in small letters, with one kind of apostrophe and of space."""
    return " ".join(name.casefold().replace("’", "'").split())


def _spelt(name: str) -> str:
    return re.escape(name).replace("\\ ", r"\s+").replace("'", "['’]")
