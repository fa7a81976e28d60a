"""A company's filings as edgartools lists them → origins: exactly one form, and what to fetch."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

from rag_app.filings.cover import fiscal_year_of, normal_form
from rag_app.filings.edgar_downloads import Origin

_TAG = re.compile(rb"<[^>]*>")
_EXHIBIT_13 = re.compile(rb"\bexhibit(?:\s|&#160;|&nbsp;|\xc2\xa0)+13\b", re.I)


def is_unknown(filer: Any) -> bool:
    """Whether EDGAR lists no such company."""
    from edgar.exceptions import http_status

    try:
        return bool(filer.not_found)
    except Exception as error:
        if http_status(error) == 404:  # edgartools overlooks it where httpx2 is installed
            return True
        raise


def of_form(filings: Any, form: str) -> list[Any]:
    """Those of exactly this form, however EDGAR spells it: a 10-KSB may be a 10KSB40 there.

    edgartools counts amendments in or out of a form, never alone.
    """
    spelled = [name for name in set(filings.data["form"].to_pylist()) if form_name(name) == form]
    listed = filings.filter(form=spelled, amendments=True) if spelled else ()
    return [filing for filing in listed if form_name(filing.form) == form]


def form_name(form: str) -> str:
    """A form as the project names it."""
    return normal_form(form) or form.strip().upper()


def origin_listed(filing: Any, ticker: str) -> Origin:
    """What EDGAR lists of a filing, and the document to read.

    That is the main document where it is inline XBRL. Otherwise it is the whole submission: its
    header says company and period, which older documents do not say in a form to rely on, and
    it holds the exhibits to which old annual reports refer. Of an 8-K it is so always, since
    what there is to say often stands in its exhibits. An inline annual report that refers to its
    Exhibit 13 is fetched again whole, once that is known (``whole_submission``).
    """
    form = form_name(filing.form)
    whole = form.startswith("8-K") or not (filing.is_inline_xbrl and filing.primary_document)
    document = f"{filing.accession_no}.txt" if whole else filing.primary_document
    filed = as_date(filing.filing_date)
    period_end = as_date(filing.report_date) if filing.report_date else None
    return Origin(
        accession=filing.accession_no,
        cik=f"{filing.cik:010d}",
        company=filing.company,
        ticker=ticker,
        form=form,
        period_end=period_end,
        filed=filed,
        fiscal_year=fiscal_year_of(b"", period_end or filed) if whole else None,
        url=f"{filing.base_dir}/{document}",
    )


def whole_submission(origin: Origin) -> str:
    """The address of all documents of a filing in one."""
    return f"{origin.url.rpartition('/')[0]}/{origin.accession}.txt"


def needs_exhibit(origin: Origin, document: bytes) -> bool:
    """Whether an annual report says that its substance stands in Exhibit 13, not fetched with it.

    That is the annual report to shareholders, to which banks and old companies refer for Items 5
    to 8 to this day.
    """
    if not origin.form.startswith("10-K") or origin.url.endswith(".txt"):
        return False
    return bool(_EXHIBIT_13.search(_TAG.sub(b" ", document)))


def as_date(value: Any) -> dt.date:
    """A day as edgartools gives it, as text or as a date."""
    return dt.date.fromisoformat(str(value))
