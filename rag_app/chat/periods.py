"""Periods that a text names (years, dates, quarters, months), on the calendar of a company."""

from __future__ import annotations

import datetime as dt
import math
import re
from dataclasses import dataclass, replace

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_WHEN = re.compile(
    rf"(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,?\s+(?P<dated>(?:19|20)\d\d))?(?![\d,.]*\d)"
    rf"|(?P<day2>\d{{1,2}})\s+(?P<month2>{_MONTH})\s+(?P<dated2>(?:19|20)\d\d)"
    rf"|(?P<month3>{_MONTH})\s+(?P<dated3>(?:19|20)\d\d)"
    r"|\b(?P<iso>(?:19|20)\d\d-\d\d-\d\d)\b"
    r"|\b(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>(?:19|20)?\d\d)\b"
    r"|(?<![\w$€£.,-])(?:FY\s?'?|CY)?(?P<year>(?:19|20)\d\d)(?![\d%]|[,.]\d|-K|\s(?:million|billion|thousand|notes?\b))"
    r"|\bFY\s?'?(?P<short>\d\d)\b",
    re.IGNORECASE,
)
_LENGTH = re.compile(
    r"\b(?:(?P<count>three|six|nine|twelve|3|6|9|12)[\s-]months?"
    r"|(?P<weeks>thirteen|twenty-six|thirty-nine|fifty-two|fifty-three|1[2-7]|2[4-8]"
    r"|3[6-9]|40|52|53)[\s-]weeks?"
    r"|(?P<ordinal>first|second|third|fourth)[\s-](?:fiscal[\s-])?quarter|Q(?P<q>[1-4])"
    r"|(?P<quarter>quarters?|quarterly)|(?P<half>first half|half[\s-]year)"
    r"|(?P<year>years?|annual(?:ly)?))\b",
    re.IGNORECASE,
)
_COUNTS = {"three": 3, "six": 6, "nine": 9, "twelve": 12, "3": 3, "6": 6, "9": 9, "12": 12}
_WEEKS = {"thirteen": 3, "twenty-six": 6, "thirty-nine": 9, "fifty-two": 12, "fifty-three": 12}
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_BEFORE = re.compile(
    r"\b(?:the\s+)?(?:prior|previous|preceding|last)[\s-](?:fiscal\s+)?(?:year|period|quarter)(?:'s|’s)?\b"
    r"|\b(?:a|one)\s+year\s+(?:earlier|ago|before)\b|\bthe\s+year\s+(?:earlier|before)\b",
    re.IGNORECASE,
)
NEAR_DAYS = 25
"""How far a fiscal year's end may move from one year to the next: to the nearest Saturday."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period as named; ``start`` and ``end`` count into the text that names it.

    ``year`` is a fiscal year unless ``date`` gives the day that it ends on (``day_named`` is
    False where only its month is). ``months`` is how long it lasts, where that is said.
    ``back`` counts the years back from the period named elsewhere ("the prior year").
    """

    start: int = 0
    end: int = 0
    year: int | None = None
    date: dt.date | None = None
    day_named: bool = True
    months: int | None = None
    quarter: int | None = None
    back: int = 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """The fiscal years of a company, told from one of its filings."""

    period_end: dt.date
    fiscal_year: int
    annual: bool

    def year_of(self, day: dt.date) -> int:
        """The fiscal year that a day belongs to, as its end or inside it."""
        days = (self.period_end - day).days
        years = round(days / 365.25)
        if abs(days - years * 365.25) <= NEAR_DAYS:
            return self.fiscal_year - years
        if self.annual:
            return self.fiscal_year - math.floor(days / 365.25)
        return day.year  # a quarterly report does not say when the year ends


def periods_in(text: str) -> list[Period]:
    """The periods of a text in reading order; a length that stands before one belongs to it."""
    found: list[Period] = []
    end = 0
    for match in _WHEN.finditer(text):
        period = _period(match)
        if period is None:
            continue
        length = _length(text[max(end, match.start() - 60) : match.start()])
        if not length.months:
            behind = re.match(
                r"\s+(?:first|second|third|fourth) quarter", text[match.end() :], re.I
            )
            length = _length(behind[0]) if behind else length
        found.append(replace(period, months=length.months, quarter=length.quarter))
        end = match.end()
    found += [Period(m.start(), m.end(), back=1) for m in _BEFORE.finditer(text)]
    # "year" and "dates" of two head rows: "Three Months Ended July 27," over "2025".
    return _joined(sorted(found, key=lambda period: period.start))


def without_periods(text: str) -> str:
    """The text with blanks in place of what names a period."""
    text = _WHEN.sub(lambda match: " " * len(match[0]), text)
    text = _BEFORE.sub(lambda match: " " * len(match[0]), text)
    return _LENGTH.sub(lambda match: " " * len(match[0]), text)


def agree(named: Period, shown: Period, calendar: Calendar | None) -> bool:
    """Whether a period that a statement names may be the one that stands over a figure.

    What one of them leaves open does not part them, but a year that is named alone is a whole
    year in an annual report.
    """
    if named.date and shown.date:
        both = named.day_named and shown.day_named
        if named.date != shown.date if both else _month(named.date) != _month(shown.date):
            return False
    else:
        mine, its = _year(named, calendar), _year(shown, calendar)
        if mine is not None and its is not None and mine != its:
            return False
    if named.quarter and shown.quarter and named.quarter != shown.quarter:
        return False
    annual = calendar is None or calendar.annual
    months = named.months or (12 if annual and named.year and not named.date else None)
    return not (months and shown.months and months != shown.months)


def _year(period: Period, calendar: Calendar | None) -> int | None:
    if period.date is None:
        return period.year
    return calendar.year_of(period.date) if calendar else period.date.year


def _month(day: dt.date) -> tuple[int, int]:
    return day.year, day.month


def _period(match: re.Match[str]) -> Period | None:
    at = Period(match.start(), match.end())
    if match["year"]:
        return replace(at, year=int(match["year"]))
    if match["short"]:
        return replace(at, year=2000 + int(match["short"]))
    try:
        if match["iso"]:
            return replace(at, date=dt.date.fromisoformat(match["iso"]))
        if match["m"]:
            year = int(match["y"])
            year += (2000 if year < 70 else 1900) if year < 100 else 0
            return replace(at, date=dt.date(year, int(match["m"]), int(match["d"])))
        month = (
            _MONTHS.index((match["month"] or match["month2"] or match["month3"])[:3].lower()) + 1
        )
        dated = match["dated"] or match["dated2"] or match["dated3"]
        if match["month3"]:
            return replace(at, date=dt.date(int(dated), month, 28), day_named=False)
        day = int(match["day"] or match["day2"])
        # Year 1 stands for a year that is not said here, but perhaps next to it.
        return replace(at, date=dt.date(int(dated) if dated else 1, month, day))
    except ValueError:  # no such day: an account number or the like
        return None


def _length(text: str) -> Period:
    """The last length that a text names, as a period that says nothing else."""
    lengths = list(_LENGTH.finditer(text))
    if not lengths:
        return Period()
    found = lengths[-1]
    if found["count"]:
        return Period(months=_COUNTS[found["count"].lower()])
    if found["weeks"]:
        word = found["weeks"].lower()
        return Period(months=_WEEKS[word] if word in _WEEKS else round(int(word) / 4.345))
    if found["ordinal"] or found["q"]:
        quarter = int(found["q"]) if found["q"] else _ORDINALS[found["ordinal"].lower()]
        return Period(months=3, quarter=quarter)
    return Period(months=3 if found["quarter"] else 6 if found["half"] else 12)


def _joined(periods: list[Period]) -> list[Period]:
    """A day without a year takes the year that follows it; alone it names no period."""
    joined: list[Period] = []
    for number, period in enumerate(periods):
        if period.date and period.date.year == 1:
            after = periods[number + 1 :]
            year = next((later.year for later in after if later.year), None)
            if year is None:
                continue
            period = replace(period, date=_on(period.date, year))
        elif joined and period.year and joined[-1].date and joined[-1].date.year == period.year:
            behind = joined[-1]
            if period.start - behind.end <= 2 and not period.months:
                joined[-1] = replace(behind, end=period.end)
                continue
        joined.append(period)
    return joined


def _on(day: dt.date, year: int) -> dt.date:
    return dt.date(year, day.month, min(day.day, 28) if day.month == 2 else day.day)
