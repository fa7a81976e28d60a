"""Cited passages and XBRL facts → entries: what is shown, for what and when, to hold claims to."""

from __future__ import annotations

import datetime as dt
import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag_app.chat.claims import claims_in
from rag_app.chat.labels import WEAK, concept_words, label_digits, label_words, without_notes
from rag_app.chat.periods import Calendar, Period, periods_in
from rag_app.chat.rows import TableRow, Value, is_row, scale_named, table_rows
from rag_app.chat.text import sentences
from rag_app.records import Citation, Fact

GROUPED = " › "
"""Stands between the groups and the label of a row."""

_CHANGE = re.compile(r"\b(?:changes?|increases?|decreases?|variance|growth|inc|dec|chg)\b", re.I)
_PERCENT = re.compile(r"%|\bpercent(?:age)?s?\b", re.IGNORECASE)
_RATE = re.compile(r"%|\b(?:percent(?:age)?|rates?|margins?|yields?|volatility|ratios?)\b", re.I)
_PER_SHARE = re.compile(r"\bper\b.{0,40}\b(?:share|unit)\b", re.IGNORECASE)
_FISCAL = re.compile(r"\bfiscal (\d{4})\b")
_KEY_DATE = re.compile(r"_(\d{4}-\d\d-\d\d)(?:_|$)")


@dataclass(frozen=True, slots=True)
class Entry:
    """One figure that a passage or a fact shows.

    ``own`` are the words of its row's label, ``over`` those of the groups and the column head,
    ``around`` all else that is written about it (headings, caption, its sentence). ``amount``
    is as printed, with its sign, ``scale`` what one unit of it stands for; ``decimals`` those
    printed. ``unit`` is ``%``, ``points``, ``amount``, or empty where nothing tells. ``marker``
    is the passage's, None for a fact; ``row`` is the same for the figures of one row.
    """

    marker: int | None
    own: frozenset[str]
    over: frozenset[str]
    around: frozenset[str]
    digits: frozenset[str]
    periods: tuple[Period, ...]
    calendar: Calendar | None
    amount: float
    scale: float
    decimals: int
    unit: str
    change: bool
    title: str
    text: str
    row: tuple[int | None, str] = (None, "")
    prose: bool = False
    fact: Fact | None = None

    @property
    def label(self) -> str:
        """The title without the groups that it stands under."""
        return self.title.rpartition(GROUPED)[2]

    @property
    def value(self) -> float:
        """The amount in units, of a percentage its points."""
        return self.amount * self.scale


@functools.lru_cache(maxsize=256)
def passage_entries(citation: Citation) -> tuple[Entry, ...]:
    """What a cited passage shows: the figures of its tables' rows, and those of its sentences."""
    calendar = calendar_of(citation)
    lines = citation.text.splitlines()
    path = label_words(" ".join(lines[0].split(" > ")[1:])) if lines else frozenset()
    found: list[Entry] = []
    above: list[str] = []
    prose_units = "\n".join(line for line in lines if not is_row(line))
    for rows, group in groupby([line for line in lines[1:] if line.strip()], key=is_row):
        table = list(group)
        if not rows:
            above = table
            for line in table:
                found += _prose(line, citation.marker, path, calendar)
            continue
        caption = "\n".join(above)
        units = caption if scale_named(caption) > 1.0 else prose_units
        around = path | label_words(" ".join(above[-2:]))
        for number, row in enumerate(table_rows(table, units)):
            found += _row(row, f"{len(found)}:{number}", citation.marker, around, calendar)
            found += _prose(without_notes(row.label), citation.marker, path, calendar)
    return tuple(found)


def calendar_of(citation: Citation) -> Calendar | None:
    """The fiscal calendar that a citation's filing tells of; None where its key has no date."""
    end = _KEY_DATE.search(citation.filing)
    year = _FISCAL.search(citation.text.split("\n", 1)[0])
    if not end:
        return None
    day = dt.date.fromisoformat(end[1])
    annual = "_10-K" in citation.filing or "_20-F" in citation.filing
    return Calendar(day, int(year[1]) if year else day.year, annual)


def company_words(citation: Citation) -> frozenset[str]:
    """The words of the company's name, which tell no figure from another of its filing."""
    return label_words(citation.text.split("\n", 1)[0].split(" > ")[0])


def _row(
    row: TableRow,
    place: str,
    marker: int,
    around: frozenset[str],
    calendar: Calendar | None,
) -> Iterator[Entry]:
    labels = (row.label, *reversed(row.groups))
    own = label_words(row.label)
    groups = label_words(" ".join(row.groups))
    in_label = next((named for label in labels if (named := periods_in(label))), [])
    title = GROUPED.join((*row.groups, row.label)) or row.corner
    for value in row.values:
        if value.amount is None:
            continue
        heads = label_words(value.under)
        yield Entry(
            marker,
            own if own - WEAK else own | groups,
            groups | heads,
            around | label_words(row.corner),
            label_digits(" ".join((row.label, *row.groups[-1:]))),
            tuple(periods_in(value.under)[:1] or in_label[:1]),
            calendar,
            value.amount,
            value.scale,
            len(value.text.partition(".")[2].rstrip("%) ")),
            _unit(row, value),
            bool(_CHANGE.search(value.under)),
            title,
            value.text,
            (marker, place),
        )


def _unit(row: TableRow, value: Value) -> str:
    if "%" in value.text:
        return "%"
    if "$" in value.text:
        return "amount"
    named = " ".join((row.label, *row.groups, value.under, row.corner))
    if _PERCENT.search(named):
        return "" if abs(value.amount or 0) > 1000 else "%?"
    return "" if _RATE.search(named) or value.scale == 1.0 else "amount"


def _prose(
    line: str, marker: int, path: frozenset[str], calendar: Calendar | None
) -> Iterator[Entry]:
    for sentence in sentences(line):
        around = path | label_words(sentence)
        for claim in claims_in(sentence):
            number = claim.number
            own = claim.readings[0] if claim.readings else frozenset()
            amount = -number.value if claim.negative or claim.direction < 0 else number.value
            yield Entry(
                marker,
                own,
                frozenset(),
                around,
                frozenset(),
                claim.periods,
                calendar,
                amount,
                number.scale,
                number.decimals,
                number.unit if number.unit in ("%", "points") else "amount",
                claim.change,
                " ".join(sentence.split()),
                number.text,
                (marker, sentence),
                prose=True,
            )


@functools.lru_cache(maxsize=16)
def fact_entries(facts: tuple[Fact, ...], calendar: Calendar | None) -> tuple[Entry, ...]:
    """The numeric facts of a filing; a fact that is shown in several places is one entry."""
    seen: dict[object, Entry] = {}
    for fact in facts:
        if not fact.numeric or fact.nil or fact.problem or not fact.value or "/" in fact.value:
            continue
        key = (fact.concept, fact.value, fact.period_start, fact.period_end, fact.dimensions)
        if key in seen:
            continue
        over = frozenset[str]().union(*(concept_words(member) for _, member in fact.dimensions))
        pure = fact.unit.rpartition(":")[2] == "pure"
        amount = float(fact.value)
        seen[key] = Entry(
            None,
            concept_words(fact.concept),
            over,
            frozenset(),
            frozenset(),
            (_fact_period(fact),),
            calendar,
            amount * 100 if pure else amount,
            1.0,
            2,
            "" if pure else "amount",
            False,
            fact.concept,
            fact.value,
            (None, f"{fact.concept}{fact.dimensions}"),
            fact=fact,
        )
    return tuple(seen.values())


def _fact_period(fact: Fact) -> Period:
    months = None
    if fact.period_start and fact.period_end:
        months = round((fact.period_end - fact.period_start).days / 30.4)
    return Period(date=fact.period_end, months=months)


def evidence_of(
    citations: Sequence[Citation], facts: Mapping[str, Sequence[Fact]]
) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """The entries of the cited passages, and those of the facts of their filings."""
    shown = [entry for citation in citations for entry in passage_entries(citation)]
    calendars = {citation.filing: calendar_of(citation) for citation in citations}
    known = [
        entry
        for filing, calendar in calendars.items()
        for entry in fact_entries(tuple(facts.get(filing, ())), calendar)
    ]
    return tuple(shown), tuple(known)
