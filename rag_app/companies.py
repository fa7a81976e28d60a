"""The companies of a library: which filings are one company's, and what filters call it."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag_app.records import Filing, Filters

ANNUAL = ("10-K", "10-K405", "10-KSB", "10-KT", "20-F", "40-F")
"""Forms that report a whole fiscal year."""


@dataclass(frozen=True, slots=True, eq=False)
class Company:
    """A company and its filings, the newest first.

    Compared by identity: each question looks names up by all companies, and to hash them by their
    filings takes milliseconds in a library of thousands.
    """

    filings: tuple[Filing, ...]

    @property
    def name(self) -> str:
        """As its newest cover prints it."""
        return self.filings[0].company

    @property
    def ticker(self) -> str:
        """Its newest ticker; none where no cover gives one."""
        return next((filing.ticker for filing in self.filings if filing.ticker), "")

    @property
    def label(self) -> str:
        """How it is named in a sentence: its ticker, or its name."""
        return self.ticker or self.name

    @property
    def fetched_by(self) -> str:
        """What ``ingest --ticker`` takes for it: its ticker or CIK, if a cover gives one."""
        return self.ticker or next((f.cik.lstrip("0") for f in self.filings if f.cik), "")

    @property
    def newest_annual(self) -> Filing | None:
        """The newest filing that reports a whole year."""
        return next((filing for filing in self.filings if filing.form in ANNUAL), None)

    def marks(self, filings: Iterable[Filing]) -> tuple[str, ...]:
        """The fewest values of ``Filters.ticker`` that admit all of these filings of its own.

        A ticker if it does; an old filing without one is admitted by the name on its cover.
        """
        found: list[str] = []
        for filing in filings:
            if not found or not Filters(found).admits(filing):
                found.append(filing.ticker or filing.company)
        return tuple(found)


def companies_of(filings: Iterable[Filing]) -> tuple[Company, ...]:
    """The companies of some filings, in the order of their names."""
    return _companies_of(tuple(filings))


@functools.lru_cache(maxsize=8)
def _companies_of(filings: tuple[Filing, ...]) -> tuple[Company, ...]:
    newest = sorted(filings, key=lambda filing: filing.period_end, reverse=True)
    theirs: defaultdict[str, list[Filing]] = defaultdict(list)
    for filing, who in zip(newest, one_company(newest), strict=True):
        theirs[who].append(filing)
    found = [Company(tuple(own)) for own in theirs.values()]
    return tuple(sorted(found, key=lambda each: (each.name.casefold(), each.label)))


def one_company(filings: Sequence[Filing]) -> list[str]:
    """For each filing a mark of its company, the same for all that a chain of marks ties.

    Filings that share a CIK, a ticker or a name are one company's: an old text has no ticker and
    a PDF no CIK.
    """
    same: dict[str, str] = {}
    for filing in filings:
        marks = _marks(filing)
        tied = {same[mark] for mark in marks if mark in same}
        first = min(tied or marks)
        if len(tied) > 1:
            same = {mark: first if who in tied else who for mark, who in same.items()}
        same |= dict.fromkeys(marks, first)
    return [same[_marks(filing)[0]] for filing in filings]


def _marks(filing: Filing) -> list[str]:
    marks = {"cik": filing.cik.lstrip("0"), "ticker": filing.ticker, "name": filing.company}
    return [f"{kind} {mark.upper()}" for kind, mark in marks.items() if mark]
