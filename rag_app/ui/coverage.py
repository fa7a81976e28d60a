"""What the library covers: companies × fiscal years, and one name for each filing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from rag_app.companies import one_company
from rag_app.records import Filing

COMPANY = "Company"


def coverage_rows(filings: Iterable[Filing]) -> list[dict[str, str]]:
    """One row a company, one column a fiscal year, the newest first: ``10-K, 8-K ×2``.

    A company's newest name stands; see ``one_company`` for which filings are one's.
    """
    by_date = sorted(filings, key=lambda filing: filing.period_end)
    years = sorted({filing.fiscal_year for filing in by_date}, reverse=True)
    names: dict[str, str] = {}
    forms: defaultdict[tuple[str, int], Counter[str]] = defaultdict(Counter)
    for filing, who in zip(by_date, one_company(by_date), strict=True):
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


def _cell(forms: Counter[str]) -> str:
    return ", ".join(f"{form} ×{n}" if n > 1 else form for form, n in sorted(forms.items()))
