"""Which filings are wanted of which companies: a form, its years or the newest of it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from rag_app.errors import EdgarError
from rag_app.filings.cover import normal_form
from rag_app.filings.edgar_downloads import Origin

_YEARS = re.compile(r"((?:19|20)\d\d)(?:-((?:19|20)\d\d))?")
_COMPANY = re.compile(r"[A-Za-z0-9]{1,10}(?:[.-][A-Za-z0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A form, and the years of it or, without years, how many of the newest.

    ``years`` are fiscal years; of an 8-K, which reports an event and no fiscal year, they are
    the calendar years of the events.
    """

    form: str
    years: range | None = None
    latest: int = 1

    @property
    def by_event(self) -> bool:
        """Whether the form reports events, so that its years are calendar years."""
        return self.form.startswith("8-K")

    def year_of(self, origin: Origin) -> int:
        """The year by which the filing is counted."""
        return (
            origin.fiscal_year if origin.fiscal_year and not self.by_event else origin.period.year
        )

    def is_met_by(self, origin: Origin) -> bool:
        """Whether a filing, its document read, is one of the wanted years."""
        return self.years is None or self.year_of(origin) in self.years

    def could_be(self, origin: Origin) -> bool:
        """Whether a filing that is only listed could be wanted; its document may name the year.

        A fiscal year 2024 may end from early January 2024 to the summer of 2025, and its first
        quarter from the spring of 2023.
        """
        if self.years is None:
            return True
        if self.by_event or origin.fiscal_year is not None:
            return self.is_met_by(origin)
        first = dt.date(self.years[0], 1, 1)
        if self.form.startswith("10-Q"):
            first = dt.date(self.years[0] - 1, 3, 1)
        return first <= origin.period <= dt.date(self.years[-1] + 1, 7, 1)

    def reaches_before(self, oldest: dt.date, found: int) -> bool:
        """Whether filings from before the oldest one listed, ``found`` of the form, are wanted."""
        if self.years is None:
            return found < self.latest
        return dt.date(self.years[0] - 1, 3, 1) < oldest

    def __str__(self) -> str:
        if self.years is None:
            return self.form
        first, last = self.years[0], self.years[-1]
        years = str(first) if first == last else f"{first}-{last}"
        return f"{self.form} for {'' if self.by_event else 'fiscal '}{years}"


def wanted_filings(form: str, years: str | None, latest: int | None) -> Wanted:
    """What the flags ask for: ``years`` is ``2023`` or ``2021-2023``; without either, the newest.

    Raises:
        EdgarError: both or wrong ones are given.
    """
    form = normal_form(form) or form.strip().upper()
    if years and latest is not None:
        raise EdgarError("Give --year or --latest, not both.")
    if latest is not None and latest < 1:
        raise EdgarError(f"--latest {latest} asks for nothing; give a number from 1 on.")
    return Wanted(form, parse_years(years) if years else None, latest or 1)


def wanted_companies(ticker: str, file: Path | None) -> tuple[str, ...]:
    """The companies that the flags name: one, or those of a file.

    Raises:
        EdgarError: none or both are given, or the file cannot be used.
    """
    if ticker and file:
        raise EdgarError("Give --ticker or --tickers-file, not both.")
    if not ticker and not file:
        raise EdgarError("Name files or folders to ingest, or --ticker to fetch from EDGAR.")
    return read_companies(file) if file else (ticker.strip().upper(),)


def parse_years(text: str) -> range:
    """``2023`` or ``2021-2023`` as a range of years.

    Raises:
        EdgarError: the text is neither, or the range runs backwards.
    """
    match = _YEARS.fullmatch(text.strip())
    if not match:
        raise EdgarError(f"{text} is no year; give --year 2023, or --year 2021-2023 for a range.")
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise EdgarError(f"The range {text} runs backwards; give --year {last}-{first}.")
    return range(first, last + 1)


def read_companies(path: Path) -> tuple[str, ...]:
    """The tickers and CIKs of a file, one a line, each once; ``#`` begins a comment.

    Raises:
        EdgarError: the file cannot be read, names no company, or a line is not one.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not a text file"
        raise EdgarError(f"{path} cannot be read ({reason}); name a text file.") from None
    companies: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        company = line.partition("#")[0].strip()
        if company and not _COMPANY.fullmatch(company):
            raise EdgarError(
                f"Line {number} of {path} is not a ticker or CIK; write one company a line."
            )
        if company:
            companies[company.upper()] = None
    if not companies:
        raise EdgarError(f"{path} names no company; write one ticker or CIK a line.")
    return tuple(companies)
