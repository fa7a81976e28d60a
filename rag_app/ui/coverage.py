"""What the library covers: companies × fiscal years, and one name for each filing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from rag_app.records import Filing

COMPANY = "Company"


def coverage_rows(filings: Iterable[Filing]) -> list[dict[str, str]]:
    """One row a company, one column a fiscal year, the newest first: ``10-K, 8-K ×2``.

    Filings that share a CIK, a ticker or a name are one company's: an old text has no ticker and
    a PDF no CIK. Its newest name stands.
    """
    by_date = sorted(filings, key=lambda filing: filing.period_end)
    years = sorted({filing.fiscal_year for filing in by_date}, reverse=True)
    names: dict[str, str] = {}
    forms: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for filing, who in zip(by_date, _companies(by_date), strict=True):
        names[who] = f"{filing.company} ({filing.ticker})" if filing.ticker else filing.company
        forms[who, filing.fiscal_year][filing.form] += 1
    return [
        {COMPANY: names[who]} | {str(year): _cell(forms[who, year]) for year in years}
        for who in sorted(names, key=lambda who: (names[who].casefold(), who))
    ]


def filing_labels(filings: Mapping[str, Filing]) -> dict[str, str]:
    """Filing key to its name, by company and newest year: ``Apple Inc. · 10-K · fiscal 2023``.

    Where several would have one name, the end of the period tells them apart, or else the key.
    """
    names = {key: _names(key, filing) for key, filing in filings.items()}
    uses = Counter(name for candidates in names.values() for name in candidates)
    ordered = sorted(filings, key=lambda key: _order(filings[key]))
    return {key: next(name for name in names[key] if uses[name] == 1) for key in ordered}


def _names(key: str, filing: Filing) -> tuple[str, str, str]:
    """From the plainest to one that no other filing has."""
    name = f"{filing.company} · {filing.form} · fiscal {filing.fiscal_year}"
    return name, f"{name} · to {filing.period_end}", f"{name} · {key}"


def _order(filing: Filing) -> tuple[str, int, str, int]:
    newest = -filing.period_end.toordinal()
    return filing.company.casefold(), -filing.fiscal_year, filing.form, newest


def _companies(filings: Sequence[Filing]) -> list[str]:
    """For each filing a mark of its company, the same for all that a chain of marks ties."""
    same: dict[str, str] = {}
    for filing in filings:
        marks = _marks(filing)
        tied = {same.get(mark, mark) for mark in marks}
        first = min(tied)
        if len(tied) > 1:
            same = {mark: first if who in tied else who for mark, who in same.items()}
        same |= dict.fromkeys(marks, first)
    return [same[_marks(filing)[0]] for filing in filings]


def _marks(filing: Filing) -> list[str]:
    marks = {"cik": filing.cik.lstrip("0"), "ticker": filing.ticker, "name": filing.company}
    return [f"{kind} {mark.upper()}" for kind, mark in marks.items() if mark]


def _cell(forms: Counter[str]) -> str:
    return ", ".join(f"{form} ×{n}" if n > 1 else form for form, n in sorted(forms.items()))
