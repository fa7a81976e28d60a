"""A loopback stand-in for EDGAR: its paths, its status codes, its delays."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Row:
    """A filing as EDGAR lists it, and ``dei:DocumentFiscalYearFocus`` as its document prints it."""

    accession: str
    form: str
    filed: str
    period: str
    document: str
    fiscal_year: str

    @property
    def inline(self) -> bool:
        return self.filed >= "2019"


@dataclass(frozen=True)
class Company:
    cik: int
    ticker: str
    name: str
    recent: tuple[Row, ...]
    older: tuple[Row, ...] = ()


def _row(accession: str, form: str, filed: str, period: str, document: str) -> Row:
    return Row(accession, form, filed, period, document, period[:4])


NVIDIA = Company(
    1045810,
    "NVDA",
    "NVIDIA CORP",
    (
        _row("0001045810-24-000029", "10-K", "2024-02-21", "2024-01-28", "nvda-20240128.htm"),
        _row("0001045810-23-000200", "8-K", "2023-11-21", "2023-11-21", "nvda-20231121.htm"),
        _row("0001045810-23-000180", "8-K", "2023-08-23", "2023-08-23", "nvda-20230823.htm"),
        _row("0001045810-23-000090", "10-K/A", "2023-05-02", "2023-01-29", "nvda-10ka.htm"),
        _row("0001045810-23-000017", "10-K", "2023-02-24", "2023-01-29", "nvda-20230129.htm"),
        Row(
            *("0001045810-22-000147", "10-Q", "2022-11-18", "2022-10-30", "nvda-q3.htm"),
            fiscal_year="2023",
        ),
        Row(
            *("0001045810-22-000079", "10-Q", "2022-05-27", "2022-05-01", "nvda-q1.htm"),
            fiscal_year="2023",
        ),
        _row("0001045810-22-000036", "10-K", "2022-03-18", "2022-01-30", "nvda-20220130.htm"),
    ),
    (
        _row("0001045810-03-000044", "10-K", "2003-05-16", "2003-01-26", "d10k.htm"),
        _row("0001045810-99-000001", "10-K405", "1999-04-01", "1999-01-31", ""),
    ),
)
NEW = Company(  # listed since edgartools' own table of tickers was made
    9999001,
    "QQZZX",
    "QUIZZIX INC",
    (
        _row("0009999001-24-000001", "20-F", "2024-03-01", "2023-12-31", "q.htm"),
        _row("0009999001-22-000001", "10-K", "2022-03-01", "2021-12-31", "refers.htm"),
        _row("0009999001-21-000001", "10-K", "2021-03-01", "2020-12-31", "refers-in-vain.htm"),
        _row("0009999001-08-000001", "10KSB40", "2008-03-01", "2007-12-31", "small.htm"),
        _row("0009999001-07-000001", "10-KSB", "2007-03-01", "2006-12-31", "smaller.htm"),
    ),
)


def quarterly(ticker: str, cik: int, count: int) -> Company:
    """A company with ``count`` inline 10-Ks, so that there is much to fetch."""
    rows = [
        _row(
            f"{cik:010d}-20-{n:06d}", "10-K", f"2021-02-{n + 1:02d}", f"20{n:02d}-12-31", f"{n}.htm"
        )
        for n in range(count)
    ]
    return Company(cik, ticker, f"{ticker} INC", tuple(rows))


HELD_AT_MOST_S = 300
APPLE, MICROSOFT = quarterly("AAPL", 320193, 14), quarterly("MSFT", 789019, 14)
COMPANIES = (NVIDIA, NEW, APPLE, MICROSOFT)


def _open() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


@dataclass
class Stand:
    """What the stand-in was asked, and how it is to misbehave."""

    url: str = ""
    asked: list[tuple[float, str]] = field(default_factory=list)
    """When, on the monotonic clock, and which path."""
    sent: list[str] = field(default_factory=list)
    """Documents answered with a whole body."""
    agents: set[str] = field(default_factory=set)
    refusals: list[tuple[int, dict[str, str | float]]] = field(default_factory=list)
    """Statuses and headers with which the next requests are refused; a number in a header is so
    many seconds from the refusal, sent as a date."""
    gate: threading.Event = field(default_factory=_open)
    """While it is not set, documents wait for it."""
    before_gate: int = 0
    """So many documents are sent without waiting."""
    cut: bool = False
    """Documents break off half-way."""
    empty: bool = False
    """Documents are empty."""
    damaged: bool = False
    """Lists of filings break off, though their length says that they are whole."""

    def reset(self) -> None:
        """Forget what was asked, and behave."""
        new = Stand(self.url)
        for field_ in fields(self):
            setattr(self, field_.name, getattr(new, field_.name))

    @property
    def documents(self) -> list[str]:
        """The names of the documents asked for, in order."""
        return [path.rpartition("/")[2] for _, path in self.asked if "/Archives/" in path]

    def most_in_a_second(self) -> int:
        """The most requests that came within any second."""
        times = sorted(at for at, _ in self.asked)
        return max(sum(start <= at < start + 1 for at in times) for start in times)


def _dated(value: str | float) -> str:
    return value if isinstance(value, str) else formatdate(time.time() + value, usegmt=True)


def _columns(rows: tuple[Row, ...]) -> dict[str, object]:
    return {
        "accessionNumber": [row.accession for row in rows],
        "filingDate": [row.filed for row in rows],
        "reportDate": [row.period for row in rows],
        "acceptanceDateTime": [f"{row.filed}T16:00:00.000Z" for row in rows],
        "act": ["34"] * len(rows),
        "form": [row.form for row in rows],
        "fileNumber": ["000-23985"] * len(rows),
        "filmNumber": ["1"] * len(rows),
        "items": [""] * len(rows),
        "core_type": [row.form for row in rows],
        "size": [1000] * len(rows),
        "isXBRL": [int(row.inline) for row in rows],
        "isInlineXBRL": [int(row.inline) for row in rows],
        "primaryDocument": [row.document for row in rows],
        "primaryDocDescription": [row.form for row in rows],
    }


def _submissions(company: Company) -> dict[str, object]:
    address = dict.fromkeys(
        ("street1", "street2", "city", "stateOrCountry", "zipCode", "stateOrCountryDescription"), ""
    )
    text = dict.fromkeys(
        ("sic", "sicDescription", "ownerOrg", "ein", "description", "website", "investorWebsite"),
        "",
    )
    more = dict.fromkeys(("category", "stateOfIncorporation", "phone", "flags"), "")
    older = [{"name": f"CIK{company.cik:010d}-submissions-001.json"}] if company.older else []
    return {
        **text,
        **more,
        "cik": str(company.cik),
        "entityType": "operating",
        "insiderTransactionForOwnerExists": 0,
        "insiderTransactionForIssuerExists": 1,
        "name": company.name,
        "tickers": [company.ticker],
        "exchanges": ["Nasdaq"],
        "lei": None,
        "fiscalYearEnd": "0128",
        "stateOfIncorporationDescription": "DE",
        "addresses": {"mailing": address, "business": address},
        "formerNames": [],
        "filings": {"recent": _columns(company.recent), "files": older},
    }


def _document(company: Company, row: Row) -> str:
    facts = {
        "DocumentType": row.form,
        "DocumentPeriodEndDate": row.period,
        "DocumentFiscalYearFocus": row.fiscal_year,
        "EntityRegistrantName": company.name,
    }
    marks = "".join(
        f'<ix:nonNumeric name="dei:{name}">{value}</ix:nonNumeric>' for name, value in facts.items()
    )
    refers = "<p>Item 8 is in <b>Exhibit&#160;13</b>.</p>" if "refers" in row.document else ""
    return (
        '<html xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"><body><div style="display:none">'
        f"<ix:header>{marks}{CONTEXT}</ix:header></div><p>FORM {row.form}</p>"
        f"<p>{row.document}</p>{refers}"
        "<p><b>Item 1. Business</b></p><p>We make instruments for weather stations.</p>"
        "<p><b>Item 2. Properties</b></p><p>We own a plant in Ohio.</p></body></html>"
    )


CONTEXT = (
    '<ix:resources><xbrli:context id="y"><xbrli:entity><xbrli:identifier>1</xbrli:identifier>'
    "</xbrli:entity><xbrli:period><xbrli:startDate>2021-01-01</xbrli:startDate><xbrli:endDate>"
    "2021-12-31</xbrli:endDate></xbrli:period></xbrli:context></ix:resources>"
)
"""What the facts of an Exhibit 13 name, which the main document defines."""
EXHIBIT_13 = (
    "<html><body><p>Letter to shareholders</p><p>Revenue was "
    '<ix:nonFraction name="us-gaap:Revenues" contextRef="y">4,711</ix:nonFraction>.</p>'
    "</body></html>"
)


def _inline_submission(company: Company, row: Row) -> str:
    """A submission of today: inline XBRL, with the annual report as an exhibit if there is one."""
    documents = {row.form: _document(company, row)}
    if row.document == "refers.htm":
        documents["EX-13"] = EXHIBIT_13
    return f"<SEC-HEADER>\nACCESSION NUMBER:\t{row.accession}\n</SEC-HEADER>\n" + "".join(
        f"<DOCUMENT>\n<TYPE>{kind}\n<TEXT>\n<XBRL>\n{body}\n</XBRL>\n</TEXT>\n</DOCUMENT>\n"
        for kind, body in documents.items()
    )


def _submission(company: Company, row: Row) -> str:
    """The whole submission; of these the documents carry no inline XBRL."""
    compact = {name: getattr(row, name).replace("-", "") for name in ("period", "filed")}
    return (
        f"<SEC-HEADER>\nACCESSION NUMBER:\t{row.accession}\n"
        f"CONFORMED SUBMISSION TYPE:\t{row.form}\n"
        f"CONFORMED PERIOD OF REPORT:\t{compact['period']}\nFILED AS OF DATE:\t{compact['filed']}\n"
        f"COMPANY CONFORMED NAME:\t{company.name}\nCENTRAL INDEX KEY:\t{company.cik:010d}\n"
        f"</SEC-HEADER>\n<DOCUMENT>\n<TYPE>{row.form}\n<TEXT>\n<p>FORM {row.form}</p>"
        "<p><b>Item 1. Business</b></p><p>We make instruments.</p>\n</TEXT>\n</DOCUMENT>\n"
        "<DOCUMENT>\n<TYPE>EX-99.1\n<TEXT>\n<p>Record revenue this quarter.</p>\n</TEXT>\n"
        "</DOCUMENT>\n"
    )


def _pages() -> dict[str, str]:
    pages = {
        "/files/company_tickers.json": json.dumps(
            {
                str(n): {"cik_str": company.cik, "ticker": company.ticker, "title": company.name}
                for n, company in enumerate(COMPANIES)
            }
        )
    }
    for company in COMPANIES:
        start = f"/submissions/CIK{company.cik:010d}"
        pages[f"{start}.json"] = json.dumps(_submissions(company))
        pages[f"{start}-submissions-001.json"] = json.dumps(_columns(company.older))
        for row in (*company.recent, *company.older):
            folder = f"/Archives/edgar/data/{company.cik}/{row.accession.replace('-', '')}"
            pages[f"{folder}/{row.document}"] = _document(company, row)
            whole = _inline_submission if "refers" in row.document else _submission
            pages[f"{folder}/{row.accession}.txt"] = whole(company, row)
    return pages


@contextmanager
def serve() -> Iterator[Stand]:
    """The stand-in on a free port of 127.0.0.1, until the block ends."""
    stand, pages = Stand(), _pages()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            stand.asked.append((time.monotonic(), self.path))
            stand.agents.add(self.headers["User-Agent"])
            if stand.refusals:
                status, headers = stand.refusals.pop(0)
                self._answer(status, b"", {name: _dated(told) for name, told in headers.items()})
                return
            page = pages.get(self.path)
            body = (page or "").encode()
            document = "/Archives/" in self.path
            if document:
                if len(stand.documents) > stand.before_gate:
                    stand.gate.wait(HELD_AT_MOST_S)
                body = b"" if stand.empty else body
            if stand.damaged and "/submissions/" in self.path:
                body = body[: len(body) // 2]
            whole = not (document and stand.cut)
            self._answer(200 if page else 404, body, {}, whole=whole)
            if document and whole:
                stand.sent.append(self.path)

        def _answer(
            self, status: int, body: bytes, headers: dict[str, str], *, whole: bool = True
        ) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if whole else body[: len(body) // 2])

        def log_message(self, *args: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(ConnectionError):  # the client was killed, or tired of waiting
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    stand.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield stand
    finally:
        server.shutdown()
        server.server_close()
