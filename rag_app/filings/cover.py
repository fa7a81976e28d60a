"""Who filed what for which period: from flags, dei facts and the SGML header."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rag_app.errors import FilingError
from rag_app.records import CoverFlags, Filing

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MONTHS = "january february march april may june july august september october november december"
_DATE = re.compile(
    rf"({'|'.join(_MONTHS.split())})\s+(\d{{1,2}})\s*,?\s+((?:19|20)\d\d)"
    r"|(\d{1,2})/(\d{1,2})/((?:19|20)?\d\d)|((?:19|20)\d\d)-(\d\d)-(\d\d)",
    re.I,
)
_TICKER = re.compile(r"[A-Z]{1,5}(?:[.-][A-Z]{1,2})?")


@dataclass(frozen=True, slots=True)
class Cover:
    """What is known of a filing so far; an empty field is unknown."""

    company: str = ""
    ticker: str = ""
    cik: str = ""
    form: str = ""
    accession: str = ""
    fiscal_year: int | None = None
    period_end: dt.date | None = None
    filed: dt.date | None = None

    def filled_from(self, other: Cover) -> Cover:
        """This cover, its unknown fields taken from another."""
        missing = {name: getattr(other, name) for name in _FIELDS if not getattr(self, name)}
        return replace(self, **missing)


_FIELDS = tuple(Cover.__dataclass_fields__)
UNKNOWN = Cover()


def flagged(filing: Filing, flags: CoverFlags) -> Filing:
    """The filing with what the flags say of it."""
    return replace(
        filing,
        ticker=flags.ticker.upper() or filing.ticker,
        form=flagged_form(flags) or filing.form,
        fiscal_year=flags.fiscal_year or filing.fiscal_year,
        period_end=flags.period_end or filing.period_end,
    )


def flagged_form(flags: CoverFlags) -> str:
    """The form that the flags name, as the project spells it."""
    return normal_form(flags.form) or flags.form.strip().upper()


def amended(cover: Cover, accepted: str) -> Cover:
    """The cover as an amendment where EDGAR accepted it as one: ``accepted`` is ``10-K/A``.

    The ``dei`` facts of many amendments name the form that they amend; under its name one would
    replace the whole filing in the library.
    """
    return replace(cover, form=accepted) if accepted == f"{cover.form}/A" else cover


def to_filing(cover: Cover, *, sha256: str, source: str) -> Filing:
    """The filing that a cover names.

    Raises:
        FilingError: form, period or company are unknown; names the flag that gives them.
    """
    if not cover.form:
        raise FilingError(
            f"{source} does not say which form it is; give it with --form, such as --form 10-K."
        )
    if cover.period_end is None:
        raise FilingError(
            f"{source} does not say which period it is for; give it with --period-end YYYY-MM-DD."
        )
    company = cover.company or cover.ticker
    if not company:
        raise FilingError(f"{source} does not name its company; give its ticker with --ticker.")
    return Filing(
        company=company,
        form=cover.form,
        fiscal_year=cover.fiscal_year or _fiscal_year(cover.period_end),
        period_end=cover.period_end,
        sha256=sha256,
        source=source,
        ticker=cover.ticker,
        cik=cover.cik,
        accession=cover.accession,
        filed=cover.filed,
    )


def _fiscal_year(period_end: dt.date) -> int:
    # A 52/53-week year that ends in the first days of January is the year before.
    return period_end.year - (period_end.month == 1 and period_end.day <= 7)


def cover_of_facts(root: HtmlElement) -> Cover:
    """The cover as the document's inline-XBRL ``dei`` facts give it."""
    facts: dict[str, str] = {}
    for element in root.iter("ix:nonnumeric"):
        name = (element.get("name") or "").removeprefix("dei:")
        if name != element.get("name"):
            facts.setdefault(name, re.sub(r"\s+", " ", element.text_content()).strip())
    period = parse_date(facts.get("DocumentPeriodEndDate", ""))
    year = re.match(r"(?:19|20)\d\d", facts.get("DocumentFiscalYearFocus", ""))
    return Cover(
        company=facts.get("EntityRegistrantName", ""),
        ticker=_first_ticker(facts.get("TradingSymbol", "")),
        cik=facts.get("EntityCentralIndexKey", ""),
        form=normal_form(facts.get("DocumentType", "")),
        fiscal_year=int(year[0]) if year else None,
        period_end=period,
    )


def fiscal_year_of(document: bytes, period_end: dt.date) -> int:
    """The fiscal year a document names itself, or the one its period's end gives."""
    from rag_app.filings.html import parse_html

    named = cover_of_facts(parse_html(document.decode("utf-8", "replace"))).fiscal_year
    return named or _fiscal_year(period_end)


def cover_of_header(fields: Mapping[str, str]) -> Cover:
    """The cover as the SGML header of a full submission gives it."""
    period = _compact_date(fields.get("CONFORMED PERIOD OF REPORT", ""))
    return Cover(
        company=fields.get("COMPANY CONFORMED NAME", ""),
        cik=fields.get("CENTRAL INDEX KEY", ""),
        form=normal_form(fields.get("CONFORMED SUBMISSION TYPE", "")),
        accession=fields.get("ACCESSION NUMBER", ""),
        period_end=period,
        filed=_compact_date(fields.get("FILED AS OF DATE", "")),
    )


def normal_form(form: str) -> str:
    """``10-K`` for "10K" or "Form 10-k"; ``10-KSB`` and ``10-KT`` for EDGAR's variants of them."""
    match = re.search(r"(10|8|20)\s*-?\s*(K405|KSB|KT|K|Q|F)(?:40|405)?(/A)?(?!\w)", form.upper())
    return f"{match[1]}-{match[2]}{match[3] or ''}" if match else ""


def parse_date(text: str) -> dt.date | None:
    """The first date in a text, written out, as m/d/y or in ISO order; None where there is none."""
    match = _DATE.search(text)
    if not match:
        return None
    if match[1]:
        month = _MONTHS.split().index(match[1].lower()) + 1
        day, year = int(match[2]), int(match[3])
    elif match[4]:
        month, day, year = int(match[4]), int(match[5]), int(match[6])
        year += 1900 if 50 <= year < 100 else 2000 if year < 50 else 0
    else:
        year, month, day = int(match[7]), int(match[8]), int(match[9])
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _compact_date(text: str) -> dt.date | None:
    match = re.match(r"(\d{4})(\d\d)(\d\d)", text)
    return parse_date("-".join(match.groups())) if match else None


def _first_ticker(text: str) -> str:
    match = _TICKER.match(text.upper())
    return match[0] if match else ""
