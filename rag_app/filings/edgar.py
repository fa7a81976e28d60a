"""Ticker, form and fiscal year → filings downloaded from EDGAR, through edgartools."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rag_app.errors import EdgarError
from rag_app.filings.cover import fiscal_year_of
from rag_app.filings.forms import form_items

REQUESTS_PER_SECOND = 8
"""EDGAR allows 10; a client at 9.7 was blocked."""
TIMEOUT_S = 20
HTTP_LIBRARIES = {"httpx", "httpx2", "httpcore", "httpcore2"}

SET_IDENTITY = (
    "EDGAR asks who is calling; set EDGAR_IDENTITY to your name and e-mail, such as "
    'EDGAR_IDENTITY="Jane Doe jane@example.com", in the environment or in .env.'
)


def fetch_filings(
    *, ticker: str, form: str, year: int | None, identity: str, folder: Path
) -> list[Path]:
    """Download a company's filings of one form and fiscal year; what is there stays untouched.

    Without a year it is the newest filing. Amendments are left out, unless ``form`` ends in
    ``/A``. edgartools keeps its own cache beside ``folder``, and is held to 8 requests a second
    without automatic retries, since asking again prolongs a block.

    Raises:
        EdgarError: no identity, no network, EDGAR refuses, no such company or filing.
        FilingError: the form is not one the project reads.
    """
    if "@" not in identity:
        raise EdgarError(SET_IDENTITY)
    form_items(form)
    folder.mkdir(parents=True, exist_ok=True)
    with _edgartools(identity, folder.parent / "edgar-cache"):
        filings = _list_filings(ticker, form)
        if year is None:
            return [_download(filings[0], ticker, folder)]
        paths = [
            path
            for filing in _near(filings, year)
            if _fiscal_year(path := _download(filing, ticker, folder), filing) == year
        ]
    if not paths:
        raise EdgarError(
            f"EDGAR has no {form} of {ticker} for fiscal {year}; periods there: "
            f"{_periods(filings)}."
        )
    return paths


@contextmanager
def _edgartools(identity: str, cache: Path) -> Iterator[None]:
    """Set edgartools up, and turn its errors into ours."""
    cache.mkdir(parents=True, exist_ok=True)
    # edgartools reads these when it is first imported, and has no other way to be told.
    os.environ["EDGAR_LOCAL_DATA_DIR"] = str(cache.resolve())
    os.environ["EDGAR_RATE_LIMIT_PER_SEC"] = str(REQUESTS_PER_SECOND)
    os.environ["EDGAR_HTTP_TIMEOUT"] = str(TIMEOUT_S)
    import stamina
    from edgar.exceptions import CompanyNotFoundError, http_status
    from edgar.httprequests import TRANSPORT_ERRORS
    from edgar.settings import set_identity

    set_identity(identity)
    retries = stamina.is_active()
    stamina.set_active(False)
    try:
        yield
    except CompanyNotFoundError as error:
        raise EdgarError(
            f"EDGAR knows no ticker {error.identifier}; give a listed one, or the company's CIK."
        ) from None
    except Exception as error:
        # Its HTTP client is httpx or httpx2, as its cache brings along; it catches only one.
        libraries = {kind.__module__.partition(".")[0] for kind in type(error).__mro__}
        if isinstance(error, TRANSPORT_ERRORS) or libraries & HTTP_LIBRARIES:
            raise EdgarError(_refusal(http_status(error))) from None
        raise
    finally:
        stamina.set_active(retries)


def _refusal(status: int | None) -> str:
    if status in (403, 429):
        return (
            f"EDGAR refuses for now (HTTP {status}); wait ten minutes before asking again, and "
            "check that EDGAR_IDENTITY holds your real name and e-mail."
        )
    if status is None:
        return (
            "EDGAR cannot be reached; check the network, or download the filing elsewhere and "
            "ingest the file."
        )
    return f"EDGAR answered with HTTP {status}; try again later, or ingest a downloaded file."


def _list_filings(ticker: str, form: str) -> Sequence[Any]:
    """The company's filings of a form, the newest period first."""
    from edgar import Company

    company = Company(ticker.strip().upper())
    if company.not_found:
        raise EdgarError(f"EDGAR knows no company {ticker}; give a listed ticker or a CIK.")
    wanted = form.strip().upper()
    found = [
        filing
        for filing in company.get_filings(form=wanted, amendments=wanted.endswith("/A"))
        if filing.form.upper() == wanted
    ]
    if not found:
        raise EdgarError(f"EDGAR has no {form} of {ticker}; check the form's name.")
    return sorted(found, key=_period, reverse=True)


def _period(filing: Any) -> dt.date:
    return dt.date.fromisoformat(str(filing.report_date or filing.filing_date))


def _near(filings: Sequence[Any], year: int) -> Iterator[Any]:
    """Those whose period could belong to the fiscal year, by their documents' own naming.

    A fiscal year 2024 may end from early January 2024 to the summer of 2025, and its first
    quarter from the spring of 2023.
    """
    annual = not filings[0].form.upper().startswith("10-Q")
    first = dt.date(year, 1, 1) if annual else dt.date(year - 1, 3, 1)
    last = dt.date(year + 1, 7, 1)
    return (filing for filing in filings if first <= _period(filing) <= last)


def _fiscal_year(path: Path, filing: Any) -> int:
    return fiscal_year_of(path.read_bytes(), _period(filing))


def _periods(filings: Sequence[Any]) -> str:
    newest = [_period(filing).isoformat() for filing in filings[:12]]
    return ", ".join(newest) + (" and older" if len(filings) > 12 else "")


def _download(filing: Any, ticker: str, folder: Path) -> Path:
    """The filing's main document; of old filings, which name none, the whole submission."""
    from edgar.httprequests import get_with_retry, inspect_response

    document = filing.primary_document or f"{filing.accession_no}.txt"
    form = filing.form.replace("/", "")
    name = f"{ticker.upper()}_{form}_{_period(filing)}_{filing.accession_no}"
    path = folder / f"{name}{Path(document).suffix or '.htm'}"
    if path.exists():
        return path
    response = get_with_retry(f"{filing.base_dir}/{document}")
    inspect_response(response)
    part = path.with_suffix(".part")
    part.write_bytes(response.content)
    part.replace(path)
    return path
