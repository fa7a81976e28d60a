"""What a question asks of the library: companies, years, forms and Items that it names.

Rules alone: nothing is guessed, nothing is set that the library does not hold, and what is set is
said, so that it can be undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from rag_app.companies import Company, companies_of
from rag_app.index.lacking import missing_companies, no_filing_of, unheard_of
from rag_app.index.names import mentions
from rag_app.index.periods import forms, items, times
from rag_app.index.sides import Wanted, sides_of_all, sides_of_company
from rag_app.records import Filing, Filters

T = TypeVar("T")
MAX_SIDES = 8  # more companies and years at once are searched together, not side by side


@dataclass(frozen=True, slots=True)
class Asked:
    """Where a question is searched, and what there is to say about it."""

    filters: Filters
    """What is asked of: admits all sides, and more where companies differ in their years."""
    sides: tuple[Filters, ...]
    """One for each company and year that are compared; none where nothing is."""
    by_itself: bool
    """Whether words of the question set any of it."""
    notes: tuple[str, ...] = ()
    """What the library lacks, and what a filter keeps out."""
    missing: str = ""
    """Set where the question asks only of companies that the library lacks: the filings of others
    are no answer to it."""

    @property
    def says(self) -> str:
        """What is searched; side by side where one has a year, say, and another has none."""
        told = set(self.filters.as_json())
        if all(set(side.as_json()) == told for side in self.sides):
            return str(self.filters)
        return "; ".join(map(str, self.sides))


def read_asked(
    question: str,
    filings: Iterable[Filing],
    explicit: Filters,
    *,
    by_itself: bool = True,
    has_item: Callable[[str], bool] = bool,
    is_in_text: Callable[[str], bool] = bool,
) -> Asked:
    """What a question asks of; ``explicit`` filters win over its words, field by field.

    ``filings`` are those that are searched; ``has_item`` says whether any of them has an Item,
    ``is_in_text`` whether any passage of theirs holds a word.
    Without ``by_itself`` the question's words set nothing, but several explicit companies or years
    are side by side still.
    """
    said = question if by_itself else ""
    companies = companies_of(filings)
    named = list(dict.fromkeys(mention.company for mention in mentions(said, companies)))
    lacking, alone = missing_companies(said, companies)
    missing = " ".join(lacking) if alone and not explicit.ticker else ""
    notes = [] if missing else lacking
    notes += [_unheard_of(name) for name in unheard_of(said, companies, is_in_text)]
    among = named
    if explicit.ticker:
        among = _chosen(companies, explicit.ticker)
        absent = [mark for mark in explicit.ticker if not _chosen(companies, [mark])]
        notes += [no_filing_of(mark, mark) for mark in absent]
        notes += _kept_out([company for company in named if company not in among], explicit)
    wanted = Wanted(
        explicit=explicit,
        times=times(said),
        forms=() if explicit.form else forms(said),
        items=explicit.item or tuple(filter(has_item, items(said))),
    )
    sides = [] if among or explicit.ticker else sides_of_all(companies, wanted)
    held = list(sides)  # a side without a filing has its note, and leaves the answer to the others
    for company in among:
        own, lacking = sides_of_company(company, wanted)
        sides += own
        held += [side for side in own if any(map(side.admits, company.filings))]
        notes += lacking
    held = held or sides
    return Asked(
        filters=_admitting_all(held) if held else explicit,
        sides=tuple(held) if 1 < len(held) <= MAX_SIDES else (),
        by_itself=bool(sides) and _admitting_all(sides) != explicit,
        notes=tuple(dict.fromkeys(notes)),
        missing=missing,
    )


def _chosen(companies: Sequence[Company], marks: Sequence[str]) -> list[Company]:
    """The companies that an explicit filter admits, in the order of its values."""
    kept = (c for mark in marks for c in companies if any(map(Filters(mark).admits, c.filings)))
    return list(dict.fromkeys(kept))


def _admitting_all(sides: Sequence[Filters]) -> Filters:
    """One filter that admits all sides: a field that one of them leaves open is open."""
    return Filters(
        ticker=_together([side.ticker for side in sides]),
        form=_together([side.form for side in sides]),
        fiscal_year=_together([side.fiscal_year for side in sides]),
        period=_together([side.period for side in sides]),
        item=_together([side.item for side in sides]),
    )


def _together(fields: Sequence[tuple[T, ...]]) -> list[T]:
    return [value for values in fields for value in values] if all(fields) else []


def _kept_out(named: Iterable[Company], explicit: Filters) -> list[str]:
    names = " and ".join(company.label for company in named)
    kept = " and ".join(explicit.ticker)
    return (
        [f"The question names {names}; the filter that you set keeps to {kept}."] if names else []
    )


def _unheard_of(name: str) -> str:
    return f"No company called {name} is in the library, and no passage of it says that name."
