"""A file on disk → ParsedFiling, with what EDGAR said of it where it was fetched from there."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from rag_app.filings.edgar_downloads import origin_of
from rag_app.filings.read import read_filing
from rag_app.records import ParsedFiling


def read_fetched(
    path: Path,
    *,
    max_bytes: int,
    ticker: str = "",
    form: str = "",
    fiscal_year: int | None = None,
    period_end: dt.date | None = None,
) -> ParsedFiling:
    """Read any filing; of one fetched from EDGAR, its origin goes before what its cover says.

    What the arguments give goes before both. Without an origin beside the file this is
    ``read_filing``. The source of a fetched filing is its address at EDGAR.

    Raises:
        FilingError: as ``read_filing`` does; or the origin is damaged.
    """
    origin = origin_of(path)
    if origin is not None:
        ticker, form = ticker or origin.ticker, form or origin.form
        fiscal_year = fiscal_year or origin.fiscal_year
        period_end = period_end or origin.period_end
    parsed = read_filing(
        path,
        max_bytes=max_bytes,
        ticker=ticker,
        form=form,
        fiscal_year=fiscal_year,
        period_end=period_end,
    )
    if origin is None:
        return parsed
    filing = replace(
        parsed.filing,
        accession=origin.accession,
        cik=origin.cik,
        filed=origin.filed,
        source=origin.url,
    )
    return replace(parsed, filing=filing)
