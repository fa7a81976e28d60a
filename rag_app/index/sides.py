"""The sides of a comparison: for each company that is asked about, its filings of each time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag_app.companies import ANNUAL, Company
from rag_app.index.periods import Times
from rag_app.records import Filing, Filters


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for in each company's filings; ``explicit`` fields win."""

    explicit: Filters
    times: Times
    forms: tuple[str, ...]
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Filings of a company, and the fiscal year or the period that singles them out."""

    filings: tuple[Filing, ...]
    years: tuple[int, ...] = ()
    periods: tuple[str, ...] = ()

    @classmethod
    def of_period(cls, filing: Filing) -> Group:
        """The one filing of a period."""
        return cls((filing,), periods=(filing.period_end.isoformat(),))


def sides_of_company(company: Company, wanted: Wanted) -> tuple[list[Filters], list[str]]:
    """A filter for each year or period of the company, and what the library lacks of them.

    Where the explicit filters leave the company no filing, the one filter admits none.
    """
    explicit, notes = wanted.explicit, []
    rest = Filters(explicit.ticker, explicit.form, (), explicit.period)
    own = [filing for filing in company.filings if rest.admits(filing)]
    if not own:
        who, years = _who(company, company.filings, explicit), explicit.fiscal_year
        nothing = Filters(who, explicit.form, years, explicit.period, wanted.items)
        return [nothing], [_none_of(company, explicit)]
    forms = held_forms(own, wanted.forms)
    if forms:
        own = [filing for filing in own if filing.form in forms]
    elif wanted.forms:
        notes.append(_lacks(company, f"no {' or '.join(wanted.forms)}", wanted.forms[0]))
    groups, lacking = _timed(company, own, wanted)
    everything = Group(tuple(own), explicit.fiscal_year, explicit.period)
    return [
        Filters(
            ticker=_who(company, group.filings or company.filings, explicit),
            form=explicit.form or forms,
            fiscal_year=group.years,
            period=explicit.period or group.periods,
            item=wanted.items,
        )
        for group in groups or [everything]
    ], notes + lacking


def sides_of_all(companies: Sequence[Company], wanted: Wanted) -> list[Filters]:
    """What a question that names no company asks of, one filter a year.

    A year counts where most companies have a filing of it, and so does the newest that is named:
    "in 2022" is no wish to leave out the companies of which only the 10-K for 2023 is held.
    """
    explicit, said = wanted.explicit, wanted.times
    if len(companies) == 1:  # it need not be named
        sides, _ = sides_of_company(companies[0], wanted)
        return [Filters((), each.form, each.fiscal_year, each.period, each.item) for each in sides]
    years = explicit.fiscal_year
    if not years and not explicit.period and said.years and _most_hold(companies, max(said.years)):
        years = tuple(sorted(year for year in said.years if _most_hold(companies, year)))
    forms = held_forms([filing for each in companies for filing in each.filings], wanted.forms)
    return [
        Filters((), explicit.form or forms, year, explicit.period, wanted.items)
        for year in years or (None,)
    ]


def _who(company: Company, filings: Sequence[Filing], explicit: Filters) -> tuple[str, ...]:
    """What names the company in a filter: the explicit values of it, and no others beside them."""
    named = [mark for mark in explicit.ticker if any(map(Filters(mark).admits, company.filings))]
    return tuple(named) or company.marks(filings)


def held_forms(filings: Iterable[Filing], wanted: Sequence[str]) -> tuple[str, ...]:
    """The forms that are held of those wanted; a 10-K405 and its like are 10-Ks to a reader."""
    held = sorted({filing.form for filing in filings})
    return tuple(form for form in held if form in wanted or (form in ANNUAL and form[:4] in wanted))


def _timed(
    company: Company, own: Sequence[Filing], wanted: Wanted
) -> tuple[list[Group], list[str]]:
    """The filings of each time that is asked about; none where no time is."""
    explicit, said = wanted.explicit, wanted.times
    if explicit.fiscal_year:
        return _of_years(company, own, explicit.fiscal_year)
    if explicit.period:
        return [], []
    if said.quarters:
        return _of_quarters(company, own, said.quarters)
    if years := said.years or _newest_years(own, said.last_years):
        return _of_years(company, own, years)
    if said.latest and own:
        return [Group.of_period(_newest(own, said.latest))], []
    return [Group.of_period(filing) for filing in own if filing.period_end in said.dates], []


def _of_years(
    company: Company, own: Sequence[Filing], years: Sequence[int]
) -> tuple[list[Group], list[str]]:
    groups, lacking = [], []
    for year in sorted(years):
        filings = tuple(filing for filing in own if filing.fiscal_year == year)
        if filings:
            groups.append(Group(filings, years=(year,)))
        else:
            lacking.append(year)
    named = " and ".join(f"FY{year}" for year in lacking)
    return groups, [_lacks(company, f"no {named} 10-K", "10-K", lacking)] if lacking else []


def _newest_years(own: Iterable[Filing], count: int) -> list[int]:
    """The years of "last three years": the newest of which the library holds a whole year."""
    return sorted({each.fiscal_year for each in own if each.form in ANNUAL}, reverse=True)[:count]


def _of_quarters(
    company: Company, own: Sequence[Filing], quarters: Sequence[tuple[int, int]]
) -> tuple[list[Group], list[str]]:
    groups: list[Group] = []
    notes: list[str] = []
    for year, quarter in quarters:
        if quarter == 4:  # no 10-Q is filed for it
            found, lacking = _of_years(company, own, [year])
        else:
            of_year = (filing for filing in own if filing.fiscal_year == year)
            found = [Group.of_period(f) for f in of_year if _quarter_of(company, f) == quarter]
            what = f"no 10-Q for Q{quarter} of FY{year}"
            lacking = [] if found else [_lacks(company, what, "10-Q", [year])]
        groups += found
        notes += lacking
    return groups, notes


def _quarter_of(company: Company, filing: Filing) -> int:
    """The quarter that a 10-Q ends, by the month in which the company's year ends; or else 0."""
    annual = company.newest_annual
    if annual is None or not filing.form.startswith("10-Q"):
        return 0
    return round((_month(filing) - _month(annual)) % 12 / 3)


def _month(filing: Filing) -> int:
    """The month that a period fills: a 52-week year may end a few days into the next."""
    return filing.period_end.month - (filing.period_end.day <= 7)


def _newest(own: Sequence[Filing], latest: str) -> Filing:
    """``own`` is sorted, the newest first."""
    wanted = {"year": ANNUAL, "quarter": ("10-Q",)}.get(latest, ())
    return next((filing for filing in own if filing.form in wanted), own[0])


def _most_hold(companies: Sequence[Company], year: int) -> bool:
    holders = [c for c in companies if year in {filing.fiscal_year for filing in c.filings}]
    return 2 * len(holders) > len(companies)


def _none_of(company: Company, explicit: Filters) -> str:
    """One sentence on a form or period, set by hand, of which the company has no filing."""
    what = f"no {' or '.join(explicit.form) or 'filing'}"
    if explicit.period:
        ends = " or ".join(explicit.period)
        return f"The library holds {what} of {company.label} with a period to {ends}."
    return _lacks(company, what, explicit.form[0])


def _lacks(company: Company, what: str, form: str, years: Sequence[int] = ()) -> str:
    """One sentence on what is not held of a company, with the command that fetches it."""
    sentence = f"The library holds {what} of {company.label}{_shown_beside(company, years)}"
    if not company.fetched_by:
        return f"{sentence}."
    command = f"python -m rag_app ingest --ticker {company.fetched_by}"
    if form != "10-K":
        command += f" --form {form}"
    if years:
        command += f" --year {years[0]}" + (f"-{years[-1]}" if len(years) > 1 else "")
    return f"{sentence}; fetch it with `{command}`."


def _shown_beside(company: Company, years: Sequence[int]) -> str:
    """Which filing that is held shows the years beside its own: an annual report shows two."""
    for filing in company.filings if years else ():
        if filing.form in ANNUAL and all(0 < filing.fiscal_year - year <= 2 for year in years):
            return f" (its {filing.form} of FY{filing.fiscal_year} shows some of it)"
    return ""
