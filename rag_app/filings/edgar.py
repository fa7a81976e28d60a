"""EDGAR through edgartools: a company's filings of one form, and their documents."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TypeVar

from rag_app.errors import EdgarError, EdgarRefusal
from rag_app.filings.edgar_downloads import Origin
from rag_app.filings.edgar_list import as_date, is_unknown, of_form, origin_listed
from rag_app.filings.edgar_pace import Pace
from rag_app.filings.edgar_wanted import Wanted

TIMEOUT_S = 20.0
"""How long EDGAR may be silent."""
REFUSALS = (403, 429)
HTTP_LIBRARIES = {"httpx", "httpx2", "httpcore", "httpcore2"}

SET_IDENTITY = (
    "EDGAR asks who is calling; set EDGAR_IDENTITY to your name and e-mail, such as "
    'EDGAR_IDENTITY="Jane Doe jane@example.com", in the environment or in .env.'
)

T = TypeVar("T")


@contextmanager
def open_edgar(identity: str, home: Path, on_note: Callable[[str], None]) -> Iterator[Edgar]:
    """Set edgartools up: who asks, how fast, and no cache, since we keep downloads ourselves.

    ``on_note`` gets a sentence before each wait that follows a refusal.

    Raises:
        EdgarError: the identity holds no e-mail, or ``home`` cannot be written.
    """
    if "@" not in identity:
        raise EdgarError(SET_IDENTITY)
    pace = Pace(home / "edgar.pace", on_note)
    # It wants a folder of its own, which it asks for when it is first imported.
    os.environ["EDGAR_LOCAL_DATA_DIR"] = str((home / "edgar-cache").resolve())
    import stamina
    from edgar.httpclient import HTTP_MGR
    from edgar.settings import set_identity

    set_identity(identity)
    HTTP_MGR.cache_mode = "Disabled"
    HTTP_MGR.rate_limiter = pace
    HTTP_MGR.httpx_params["timeout"] = TIMEOUT_S
    HTTP_MGR.close()
    retries = stamina.is_active()
    stamina.set_active(False)  # asking again at once prolongs a block
    try:
        yield Edgar(pace)
    finally:
        stamina.set_active(retries)
        HTTP_MGR.close()
        pace.close()


class Edgar:
    """EDGAR, asked politely: in turn, and after a refusal once more when the wait is over.

    Each method raises EdgarError where EDGAR cannot be reached, breaks off or answers with an
    error, and EdgarRefusal where it refuses twice.
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._live_ciks: dict[str, int] = {}

    def filings(self, company: str, wanted: Wanted) -> list[Origin]:
        """A company's filings of the wanted form, the newest first.

        Raises:
            EdgarError: besides, when EDGAR has no such company, or nothing of that form.
        """
        return self._asking(lambda: self._list(company, wanted))

    def document(self, url: str) -> bytes:
        """The bytes of one document."""
        from edgar.httprequests import get_with_retry, inspect_response

        def ask() -> bytes:
            response = get_with_retry(url)
            inspect_response(response)
            return bytes(response.content)

        data = self._asking(ask)
        if not data.strip():
            raise EdgarError(f"EDGAR sent an empty document for {url}; try again later.")
        return data

    def _list(self, company: str, wanted: Wanted) -> list[Origin]:
        from edgar import Company

        filer = Company(self._cik(company))
        if is_unknown(filer):
            raise EdgarError(f"EDGAR knows no company {company}; give a listed ticker or a CIK.")
        # The newest thousand filings come with the company; older ones cost a request a thousand,
        # of which banks have hundreds.
        recent = filer.get_filings(trigger_full_load=False)
        found = of_form(recent, wanted.form)
        oldest = min(map(as_date, recent.data["filing_date"].to_pylist()), default=dt.date.max)
        if wanted.reaches_before(oldest, len(found)):
            found = of_form(filer.get_filings(), wanted.form)
        if not found:
            raise EdgarError(f"EDGAR has no {wanted.form} of {company}; check the form's name.")
        ticker = next(iter(filer.tickers or ()), "").upper()
        origins = [origin_listed(filing, ticker) for filing in found]
        return sorted(origins, key=lambda origin: (origin.filed, origin.period), reverse=True)

    def _cik(self, company: str) -> int:
        """The number of a ticker, from edgartools' own table or else from EDGAR's.

        edgartools' look-up would take a refusal for an unknown ticker, and remember it.
        """
        if company.isdecimal():
            return int(company)
        from edgar.httprequests import download_json
        from edgar.reference.tickers import get_company_cik_lookup
        from edgar.urls import build_company_tickers_url

        ticker = company.upper().replace(".", "-")
        if cik := get_company_cik_lookup().get(ticker):
            return int(cik)
        if not self._live_ciks:
            rows = download_json(build_company_tickers_url()).values()
            self._live_ciks = {row["ticker"].upper(): int(row["cik_str"]) for row in rows}
        if ticker not in self._live_ciks:
            raise EdgarError(
                f"EDGAR knows no ticker {company}; give a listed one, or the company's CIK."
            )
        return self._live_ciks[ticker]

    def _asking(self, ask: Callable[[], T]) -> T:
        try:
            return _translated(ask)
        except _RefusedOnce as refused:
            self._pace.refused(refused.status, refused.retry_after_s)
        try:
            return _translated(ask)
        except _RefusedOnce as refused:
            self._pace.refused(refused.status, refused.retry_after_s)
            raise EdgarRefusal(
                f"EDGAR still refuses after the wait (HTTP {refused.status}); check that "
                "EDGAR_IDENTITY holds your real name and e-mail, and run the command again later: "
                "what was fetched is kept."
            ) from None


class _RefusedOnce(Exception):
    """EDGAR answered 403 or 429."""

    def __init__(self, status: int, retry_after_s: float | None) -> None:
        super().__init__(status)
        self.status = status
        self.retry_after_s = retry_after_s


def _translated(ask: Callable[[], T]) -> T:
    """What edgartools answers, its errors turned into ours."""
    from edgar.exceptions import http_status
    from edgar.httprequests import TRANSPORT_ERRORS

    try:
        return ask()
    except json.JSONDecodeError:
        raise EdgarError("EDGAR's list of filings came damaged; run the command again.") from None
    except Exception as error:
        # Its HTTP client is httpx or httpx2, as its cache brings along; it catches only one.
        kinds = type(error).__mro__
        libraries = {kind.__module__.partition(".")[0] for kind in kinds}
        if not (isinstance(error, TRANSPORT_ERRORS) or libraries & HTTP_LIBRARIES):
            raise
        status = http_status(error)
        if status in REFUSALS:
            raise _RefusedOnce(status, _retry_after_s(error)) from None
        raise EdgarError(_failure({kind.__name__ for kind in kinds}, status)) from None


def _failure(kinds: set[str], status: int | None) -> str:
    if status is not None:
        return f"EDGAR answered with HTTP {status}; try again later, or ingest a downloaded file."
    if "TimeoutException" in kinds:
        return f"EDGAR did not answer within {TIMEOUT_S:.0f} s; run the command again later."
    if "RemoteProtocolError" in kinds:
        return "EDGAR's answer broke off; run the command again, what was fetched is kept."
    return (
        "EDGAR cannot be reached; check the network, or download the filing elsewhere and ingest "
        "the file."
    )


def _retry_after_s(error: Exception) -> float | None:
    """The seconds that a refusal's Retry-After header names, as a number or as a date."""
    named = getattr(error, "retry_after", None)  # edgartools reads the header of a 429 itself
    if named is not None:
        return float(named)
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    header = response.headers.get("Retry-After", "") if response is not None else ""
    try:
        return float(header)
    except ValueError:
        pass
    try:
        return (parsedate_to_datetime(header) - dt.datetime.now(dt.UTC)).total_seconds()
    except (TypeError, ValueError):
        return None
