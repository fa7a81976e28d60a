"""Years, dates, quarters, forms and Items that a question names."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag_app.filings.cover import normal_form, parse_date

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_Y = r"(?:19[89]\d|20[0-4]\d)"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_FISCAL = rf"(?:fiscal(?:\s+years?)?|fye?)[\s-]*(?:(?P<full>{_Y})|['’]?(?P<short>\d\d))(?![\d%])"
_BARE = rf"(?<![\w.,$#/'’-])(?P<bare>{_Y})(?![\w%/]|[.,]\d|-\d)"
_YEAR = re.compile(rf"\b{_FISCAL}|{_BARE}", re.IGNORECASE)
_RANGE = re.compile(
    rf"(?<![\w.,$#/-])(?:(?:from|between)\s+)?(?:(?:fiscal(?:\s+years?)?|fy)\s*)?(?P<from>{_Y})"
    r"\s*(?:-|–|—|to|through|and)\s*(?:(?:fiscal(?:\s+years?)?|fy)\s*)?"
    rf"(?P<to>{_Y}|\d\d)(?![\w%]|[.,]\d)",
    re.IGNORECASE,
)
_DATE = re.compile(
    rf"\b{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+{_Y}\b|\b\d{{1,2}}\s+{_MONTH},?\s+{_Y}\b"
    rf"|\b{_Y}-\d\d-\d\d\b|\b{_MONTH}(?:\s+of)?,?\s+{_Y}\b",
    re.IGNORECASE,
)
# A year that names a paper, a law or a plan, or a time outside of what filings report.
_OTHER_BEFORE = re.compile(
    r"\b(?:due|by|until|through|after|beyond|since|before|act of|expir\w+|matur\w+|founded"
    r"|incorporated|established|formed|enacted|starting|beginning|effective|asu|topic)"
    r"(?:\s+(?:in|of|on|the|end|year|fiscal))*\s*$",
    re.IGNORECASE,
)
_OTHER_BEHIND = re.compile(
    r"(?:\s+[A-Z][\w&-]*){0,4}\s+(?:[Nn]otes?|Plans?|Act|Programs?|Agreements?|Facility|Meeting|Proxy"
    r"|Debentures?|Indenture|Bonds?|Loan)\b"
)
_AHEAD = re.compile(
    r"\b(?:expect\w*|anticipat\w*|forecast\w*|project(?:ed|ions?)|plann?(?:ed|s)?|schedul\w+|due"
    r"|matur\w+|will|future|estimated|goals?|targets?|outlook|guidance)\b",
    re.IGNORECASE,
)
_NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNT = {word: number for number, word in enumerate(_NUMBERS, start=2)}
_LAST = re.compile(
    rf"\b(?:last|past|previous|prior|preceding|(?:most\s+)?recent|latest)\s+(?P<n>{'|'.join(_COUNT)}|[2-9]|10)"
    r"\s+(?:fiscal\s+|financial\s+)?years\b",
    re.IGNORECASE,
)
_LATEST = re.compile(
    r"\b(?:latest|newest|most\s+recent(?:ly\s+filed)?)\s+(?:[\w-]+\s+){0,2}?"
    r"(?P<what>quarter(?:ly)?|10-?q|year|annual|10-?k|20-?f|8-?k|filing|report|results|revenues?|sales"
    r"|earnings|income|profit|margins?|figures|numbers)\b",
    re.IGNORECASE,
)
_ORDINAL = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_QUARTER = re.compile(
    rf"\b(?:q(?P<q>[1-4])|(?P<word>{'|'.join(_ORDINAL)})[\s-]+(?:fiscal\s+)?quarter)(?!\w)"
    rf"(?:[\s,]*(?:of\s+)?(?:the\s+)?(?:fiscal(?:\s+year)?\s*|fy\s*)?['’]?(?P<year>{_Y}|\d\d)(?![\w%]))?"
    rf"|\b(?P<q2>[1-4])q['’]?(?P<year2>{_Y}|\d\d)(?!\w)",
    re.IGNORECASE,
)
_FORM = re.compile(
    r"(?<![\w-])(?:form\s+)?(10-?K(?:405|SB|T)?(?:/A)?|10-?Q(?:/A)?|8-?K(?:/A)?|20-?F|40-?F)(?!\w)",
    re.IGNORECASE,
)
_QUARTERLY = re.compile(r"\bquarterly\s+(?:report|filing)s?\b", re.IGNORECASE)
_ITEM = re.compile(
    r"\b(?:in|under|from|within)\s+item\s+(\d{1,2}(?:\.\d\d)?[A-C]?)\b(?!\s*\.\d)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class YearMention:
    """Where a text names fiscal years; ``fiscal`` when it says so ("fiscal 2023", "FY23")."""

    start: int
    end: int
    years: tuple[int, ...]
    fiscal: bool


@dataclass(frozen=True, slots=True)
class Times:
    """What a question says of time; an empty field: nothing."""

    years: tuple[int, ...] = ()
    fiscal: bool = False
    """Whether every year is said to be a fiscal one."""
    dates: tuple[dt.date, ...] = ()
    quarters: tuple[tuple[int, int], ...] = ()
    """Fiscal year and quarter."""
    last_years: int = 0
    latest: str = ""
    """``year``, ``quarter`` or ``filing``: the newest is meant."""


def times(question: str) -> Times:
    """What a question says of time."""
    said = year_mentions(question)
    years = tuple(dict.fromkeys(year for mention in said for year in mention.years))
    quarters = tuple(
        dict.fromkeys(
            named for match in _QUARTER.finditer(question) if (named := _quarter(match, years))
        )
    )
    count = _LAST.search(question)
    number = count["n"].lower() if count else ""
    return Times(
        years=() if _AHEAD.search(question) else years,
        fiscal=bool(said) and all(mention.fiscal for mention in said),
        dates=_dates(question),
        quarters=quarters,
        last_years=_COUNT.get(number) or int(number or 0),
        latest=_latest(question),
    )


def year_mentions(text: str) -> list[YearMention]:
    """Where a text names years that filings are of; a date or a law's year is none."""
    dates = [match.span() for match in _DATE.finditer(text)]
    found: list[YearMention] = []
    for mention in sorted([*_ranges(text), *_single_years(text)], key=lambda each: each.start):
        within = any(a <= mention.start < b or a < mention.end <= b for a, b in dates)
        other = _OTHER_BEFORE.search(text, 0, mention.start) or _OTHER_BEHIND.match(
            text, mention.end
        )
        if not (within or other or (found and mention.start < found[-1].end)):
            found.append(mention)
    return found


def forms(question: str) -> tuple[str, ...]:
    """Forms that a question names, as the project spells them."""
    named = [_spelled(match[1]) for match in _FORM.finditer(question)]
    if _QUARTERLY.search(question):
        named.append("10-Q")
    return tuple(dict.fromkeys(named))


def items(question: str) -> tuple[str, ...]:
    """Items that a question names by their number: ``7A``."""
    return tuple(dict.fromkeys(match[1].upper() for match in _ITEM.finditer(question)))


def _spelled(form: str) -> str:
    return normal_form(form) or form.upper().replace("40F", "40-F")


def _single_years(text: str) -> Iterator[YearMention]:
    for match in _YEAR.finditer(text):
        if match["bare"]:
            yield YearMention(*match.span(), (int(match["bare"]),), fiscal=False)
        else:
            year = int(match["full"] or 0) or _century(int(match["short"]))
            yield YearMention(*match.span(), (year,), fiscal=True)


def _ranges(text: str) -> Iterator[YearMention]:
    """``2021 to 2023`` is three years, ``2021 and 2023`` two; a range runs for ten at most."""
    for match in _RANGE.finditer(text):
        first, last = int(match["from"]), int(match["to"])
        last = last if last > 99 else first // 100 * 100 + last
        if not 0 < abs(last - first) <= 10:
            continue
        low, high = sorted((first, last))
        apart = re.search(r"\d\s*and\b", match[0], re.IGNORECASE) and not re.match(
            "between", match[0], re.IGNORECASE
        )
        years = (first, last) if apart else tuple(range(low, high + 1))
        yield YearMention(*match.span(), years, "f" in match[0].lower().replace("from", ""))


def _century(two_digits: int) -> int:
    return two_digits + (1900 if two_digits >= 80 else 2000)


def _quarter(match: re.Match[str], years: tuple[int, ...]) -> tuple[int, int] | None:
    """A quarter with its year; its year may stand elsewhere in the question."""
    number = int(match["q"] or match["q2"] or _ORDINAL[match["word"].lower()])
    printed = match["year"] or match["year2"]
    if printed:
        year = int(printed)
        return (year if year > 99 else _century(year)), number
    return (years[0], number) if len(years) == 1 else None


def _dates(question: str) -> tuple[dt.date, ...]:
    found = (parse_date(_plain(match[0])) for match in _DATE.finditer(question))
    return tuple(dict.fromkeys(date for date in found if date))


def _plain(date: str) -> str:
    """As ``parse_date`` reads it: ``January 29, 2023`` for "29 Jan. 2023" too."""
    day_first = re.match(r"(\d{1,2})\s+([A-Za-z]+)\.?,?\s+(\d{4})", date)
    if day_first:
        date = f"{day_first[2]} {day_first[1]}, {day_first[3]}"
    named = re.match(r"([A-Za-z]{3})[a-z]*\.?(.*)", date)
    if not named:
        return date
    months = {month[:3].lower(): month for month in MONTHS}
    return f"{months[named[1].lower()]}{named[2]}"


def _latest(question: str) -> str:
    match = _LATEST.search(question)
    if not match:
        return ""
    what = match["what"].lower()
    if what.startswith(("quarter", "10-q", "10q")):
        return "quarter"
    return "filing" if what in ("filing", "report", "8-k", "8k") else "year"
