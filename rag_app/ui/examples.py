"""Example questions for the filings that are here, which name their companies and years."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence

from rag_app.companies import ANNUAL, Company, companies_of
from rag_app.index.names import mentions
from rag_app.index.wording import LEGAL
from rag_app.records import Filing

MOST = 4


def example_questions(filings: Iterable[Filing]) -> list[str]:
    """At most four, the same for the same filings; each of another company where there are enough.

    Companies with most annual reports come first: there is most to ask of them.
    """
    companies = sorted(companies_of(filings), key=lambda each: -len(_years(each)))
    found = itertools.chain(
        _change(companies), _compared(companies), _risks(companies), _quarter(companies)
    )
    return list(itertools.islice(found, MOST))


def _change(companies: Sequence[Company]) -> Iterator[str]:
    for company in companies:
        years = _years(company)
        for year in years[:1]:
            before = f" from fiscal {year - 1}" if year - 1 in years else ""
            when = f"{before} to fiscal {year}" if before else f" in fiscal {year}, and why"
            yield f"How did {_of(company, companies)} revenue change{when}?"
            return


def _compared(companies: Sequence[Company]) -> Iterator[str]:
    """The newest year that two companies share, of those of which nothing is asked yet if any."""
    for one, other in itertools.combinations([*companies[1:], *companies[:1]], 2):
        if shared := set(_years(one)) & set(_years(other)):
            names = f"{_name(one, companies)} and {_name(other, companies)}"
            yield f"Compare the gross margins of {names} in fiscal {max(shared)}."
            return


def _risks(companies: Sequence[Company]) -> Iterator[str]:
    for company in [*companies[3:], *companies[:3]][:1]:
        yield f"Which risks could hurt {_of(company, companies)} business most?"


def _quarter(companies: Sequence[Company]) -> Iterator[str]:
    for company in reversed(companies):
        if any(filing.form == "10-Q" for filing in company.filings):
            yield f"What was {_of(company, companies)} net income in its latest 10-Q?"
            break
    for company in companies[-1:]:
        yield f"Which legal proceedings does {_name(company, companies)} report?"


def _years(company: Company) -> list[int]:
    """Fiscal years of its annual reports, the newest first."""
    years = {filing.fiscal_year for filing in company.filings if filing.form in ANNUAL}
    return sorted(years, reverse=True)


def _of(company: Company, companies: Sequence[Company]) -> str:
    """Its name in the genitive."""
    name = _name(company, companies)
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def _name(company: Company, companies: Sequence[Company]) -> str:
    """What a question calls it: the shortest name that is understood to mean it and no other."""
    words = company.name.split()
    while len(words) > 1 and re.sub(r"\W", "", words[-1]).casefold() in LEGAL | {""}:
        words.pop()
    spoken = " ".join(words).rstrip(",.")
    named = [company.ticker, company.name]
    understood = (
        name
        for name in [*([] if spoken.islower() else [spoken]), *named]
        if name and [each.company for each in mentions(name, companies)] == [company]
    )
    return next(understood, spoken)
