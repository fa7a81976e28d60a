"""A file on disk → ParsedFiling, with what EDGAR said of it where it was fetched from there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rag_app.filings.cover import Cover
from rag_app.filings.edgar_downloads import origin_of
from rag_app.filings.read import read_filing
from rag_app.records import NO_FLAGS, CoverFlags, ParsedFiling


def read_fetched(path: Path, *, max_bytes: int, flags: CoverFlags = NO_FLAGS) -> ParsedFiling:
    """Read any filing; of one fetched from EDGAR, its origin says what the document does not.

    EDGAR's list of filings repeats their SGML headers, so it stands where a header does: behind
    the ``dei`` facts and before the printed cover. The ticker alone it gives first: a company
    may have several, and another one each year, and under the first that EDGAR names today all
    its filings stand together. The source of a fetched filing is its address at EDGAR; without
    an origin beside the file this is ``read_filing``.

    Raises:
        FilingError: as ``read_filing`` does; or the origin is damaged.
    """
    origin = origin_of(path)
    if origin is None:
        return read_filing(path, max_bytes=max_bytes, flags=flags)
    listed = Cover(
        company=origin.company,
        cik=origin.cik,
        form=origin.form,
        accession=origin.accession,
        fiscal_year=origin.fiscal_year,
        period_end=origin.period_end,
        filed=origin.filed,
    )
    flags = replace(flags, ticker=flags.ticker or origin.ticker)
    parsed = read_filing(path, max_bytes=max_bytes, flags=flags, listed=listed)
    return replace(parsed, filing=replace(parsed.filing, source=origin.url))
