"""Inline XBRL → facts: concept, exact value, unit, period and dimensions of each."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, Overflow, Underflow
from typing import TYPE_CHECKING

from rag_app.errors import FilingError
from rag_app.filings.html import clean
from rag_app.filings.transforms import transform
from rag_app.records import Fact

if TYPE_CHECKING:
    from lxml.html import HtmlElement

FACT_TAGS = ("ix:nonfraction", "ix:nonnumeric", "ix:fraction")
"""In lower case, as the HTML parser gives every tag and attribute."""

_GAP_TAGS = frozenset(("br", "div", "li", "p", "table", "td", "th", "tr"))
# More than any filing needs, and too little for "1E999999" to fill the memory when written out.
_EXACT = Context(prec=400, Emax=400, Emin=-400, traps=[InvalidOperation, Overflow, Underflow])


@dataclass(frozen=True, slots=True)
class _Place:
    """What a context says: whose fact, of when, under which dimensions."""

    entity: str = ""
    start: dt.date | None = None
    end: dt.date | None = None
    dimensions: tuple[tuple[str, str], ...] = ()


def read_facts(roots: Sequence[HtmlElement]) -> dict[HtmlElement, Fact]:
    """Every fact of a set of inline-XBRL documents by its element, in the order of the documents.

    One document's facts may name contexts and units that another defines, as where the statements
    stand in Exhibit 13.

    A value that cannot be read does not stop the rest: the fact's ``problem`` says why. Where
    the context, its dates or the unit are missing or malformed, the fact has none. Tuples, which
    the SEC forbids, are not read.
    """

    def all_of(*tags: str) -> Iterator[HtmlElement]:
        return (element for root in roots for element in root.iter(*tags))

    contexts = {_id(e): _context(e) for e in all_of("xbrli:context", "context")}
    units = {_id(e): _unit(e) for e in all_of("xbrli:unit", "unit")}
    continuations = {_id(e): e for e in all_of("ix:continuation")}
    hidden = {e for part in all_of("ix:hidden") for e in part.iter(*FACT_TAGS)}
    facts = {}
    for element in all_of(*FACT_TAGS):
        place = contexts.get(element.get("contextref") or "", _Place())
        numeric = element.tag != "ix:nonnumeric"
        nil = element.get("xsi:nil") in ("true", "1")
        printed = _text(element, continuations)
        value, problem = ("", "") if nil else _read_value(element, printed)
        facts[element] = Fact(
            concept=element.get("name") or "",
            value=value,
            numeric=numeric,
            period_end=place.end,
            period_start=place.start,
            unit=units.get(element.get("unitref") or "", ""),
            decimals=element.get("decimals") or "",
            scale=_scale(element),
            sign=element.get("sign") or "",
            format=element.get("format") or "",
            printed=printed if printed != value else "",
            entity=place.entity,
            dimensions=place.dimensions,
            nil=nil,
            hidden=element in hidden,
            id=_id(element),
            problem=problem,
        )
    return facts


def _read_value(element: HtmlElement, printed: str) -> tuple[str, str]:
    """The value and why it could not be read, one of them empty (a text may be, too)."""
    try:
        if element.tag == "ix:nonnumeric":
            return transform(element.get("format") or "", printed), ""
        if element.tag == "ix:fraction":
            parts = (next(element.iter(f"ix:{name}")) for name in ("numerator", "denominator"))
            return "/".join(_number(part, clean(part.text_content())) for part in parts), ""
        return _number(element, printed), ""
    except StopIteration:
        return "", "The fraction lacks its numerator or denominator."
    except FilingError as error:
        return printed if element.tag == "ix:nonnumeric" else "", str(error)


def _number(element: HtmlElement, printed: str) -> str:
    """The number in plain decimals, sign and scale applied.

    Raises:
        FilingError: the text is no number under its format.
    """
    text = transform(element.get("format") or "", printed)
    try:
        number = _EXACT.create_decimal(text).scaleb(_scale(element), _EXACT)
        if not number.is_finite():
            raise FilingError(f"{printed[:60]!r} is not a finite number.")
    except (InvalidOperation, Overflow, Underflow):
        raise FilingError(f"{printed[:60]!r} is not a number.") from None
    if element.get("sign") == "-":
        number = -number if number else number
    return plain(number)


def plain(number: Decimal) -> str:
    """A number without exponent, trailing zeros or a negative zero: ``-409000000``, ``1.74``."""
    text = format(number, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("", "-0") else text


def _scale(element: HtmlElement) -> int:
    try:
        scale = int(element.get("scale") or 0)
    except ValueError:
        return 0
    return scale if abs(scale) <= 100 else 0


def _text(element: HtmlElement, continuations: dict[str, HtmlElement]) -> str:
    """The text of a fact and of its chain of continuations, which are then used up.

    A continuation belongs to one fact; that holds off endless chains and shared, multiplied text.
    """
    pieces: list[str] = []
    part: HtmlElement | None = element
    while part is not None:
        pieces.extend(_texts(part))
        part = continuations.pop(part.get("continuedat") or "", None)
    return clean("".join(pieces))


def _texts(element: HtmlElement) -> Iterator[str]:
    """The stretches of text of an element, blanks where the page has a border between them."""
    from lxml.etree import iterwalk

    steps = iterwalk(element, events=("start", "end"))
    for event, part in steps:
        gap = " " if part.tag in _GAP_TAGS else ""
        if event == "end":
            yield gap
            yield (part.tail or "") if part is not element else ""
        elif part.tag == "ix:exclude":
            steps.skip_subtree()
        else:
            yield gap
            yield part.text or ""


def _context(element: HtmlElement) -> _Place:
    entity = ""
    dates: dict[str, dt.date | None] = {}
    dimensions = []
    for part in element.iter():
        name = _local(part.tag) if isinstance(part.tag, str) else ""
        if name == "identifier":
            entity = clean(part.text or "")
        elif name in ("instant", "startdate", "enddate"):
            dates[name] = _day(part.text or "")
        elif name in ("explicitmember", "typedmember"):
            dimensions.append((part.get("dimension") or "", clean(part.text_content())))
    end = dates.get("instant", dates.get("enddate"))
    return _Place(entity, dates.get("startdate"), end, tuple(sorted(dimensions)))


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()[:10])
    except ValueError:
        return None


def _unit(element: HtmlElement) -> str:
    """``USD``, ``USD/shares``, ``pure``: local names, those multiplied joined by a star."""

    def measures(part: HtmlElement) -> str:
        names = (e for e in part.iter() if isinstance(e.tag, str) and _local(e.tag) == "measure")
        return "*".join(_local(clean(e.text or "")) for e in names)

    parts = {_local(e.tag): e for e in element.iter() if isinstance(e.tag, str)}
    if "unitnumerator" in parts and "unitdenominator" in parts:
        return f"{measures(parts['unitnumerator'])}/{measures(parts['unitdenominator'])}"
    return measures(element)


def _id(element: HtmlElement) -> str:
    return element.get("id") or ""


def _local(name: str) -> str:
    return name.rpartition(":")[2]
