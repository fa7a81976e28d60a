"""EDGAR through the shipped edgartools, against a loopback server that speaks EDGAR's paths."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rag_app.errors import EdgarError, FilingError
from rag_app.filings.edgar import SET_IDENTITY, fetch_filings

CIK = 1045810
# Accession, form, filed, period, document, dei:DocumentFiscalYearFocus printed in the document.
FILINGS = [
    ("0001045810-24-000029", "10-K", "2024-02-21", "2024-01-28", "nvda-20240128.htm", "2024"),
    ("0001045810-23-000017", "10-K", "2023-02-24", "2023-01-29", "nvda-20230129.htm", "2023"),
    ("0001045810-22-000147", "10-Q", "2022-11-18", "2022-10-30", "nvda-20221030.htm", "2023"),
    ("0001045810-22-000079", "10-Q", "2022-05-27", "2022-05-01", "nvda-20220501.htm", "2023"),
    ("0001045810-22-000036", "10-K", "2022-03-18", "2022-01-30", "nvda-20220130.htm", "2022"),
    ("0001045810-99-000001", "10-K", "1999-04-01", "1999-01-31", "", "1999"),
]
DRIVER = """
import sys
from pathlib import Path
from rag_app.errors import RagError
from rag_app.filings.edgar import fetch_filings
ticker, form, year, folder = sys.argv[1:]
try:
    paths = fetch_filings(ticker=ticker, form=form, year=int(year) if year else None,
                          identity="Test test@example.com", folder=Path(folder))
    print("\\n".join(str(path) for path in paths))
except RagError as error:
    print(type(error).__name__ + ": " + str(error))
"""


@dataclass
class Edgar:
    """The stand-in: its address, what it was asked, and the status it refuses with."""

    url: str
    asked: list[str] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)
    status: int = 200


def _submissions() -> dict[str, object]:
    columns = {
        "accessionNumber": [row[0] for row in FILINGS],
        "filingDate": [row[2] for row in FILINGS],
        "reportDate": [row[3] for row in FILINGS],
        "acceptanceDateTime": [f"{row[2]}T16:00:00.000Z" for row in FILINGS],
        "act": ["34"] * len(FILINGS),
        "form": [row[1] for row in FILINGS],
        "fileNumber": ["000-23985"] * len(FILINGS),
        "filmNumber": ["1"] * len(FILINGS),
        "items": [""] * len(FILINGS),
        "core_type": [row[1] for row in FILINGS],
        "size": [1000] * len(FILINGS),
        "isXBRL": [1] * len(FILINGS),
        "isInlineXBRL": [1] * len(FILINGS),
        "primaryDocument": [row[4] for row in FILINGS],
        "primaryDocDescription": [row[1] for row in FILINGS],
    }
    address = dict.fromkeys(
        ("street1", "street2", "city", "stateOrCountry", "zipCode", "stateOrCountryDescription"), ""
    )
    return {
        "cik": str(CIK),
        "entityType": "operating",
        "sic": "3674",
        "sicDescription": "Semiconductors",
        "ownerOrg": "",
        "insiderTransactionForOwnerExists": 0,
        "insiderTransactionForIssuerExists": 1,
        "name": "NVIDIA CORP",
        "tickers": ["NVDA"],
        "exchanges": ["Nasdaq"],
        "ein": "943177549",
        "lei": None,
        "description": "",
        "website": "",
        "investorWebsite": "",
        "category": "Large accelerated filer",
        "fiscalYearEnd": "0128",
        "stateOfIncorporation": "DE",
        "stateOfIncorporationDescription": "DE",
        "addresses": {"mailing": address, "business": address},
        "phone": "",
        "flags": "",
        "formerNames": [],
        "filings": {"recent": columns, "files": []},
    }


def _document(name: str) -> str:
    year = next((row[5] for row in FILINGS if row[4] == name), "1999")
    return (
        '<html xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"><body><div style="display:none">'
        f'<ix:header><ix:nonNumeric name="dei:DocumentFiscalYearFocus">{year}</ix:nonNumeric>'
        f"</ix:header></div><p>FORM 10-K {name}</p></body></html>"
    )


@pytest.fixture
def edgar() -> Iterator[Edgar]:
    state = Edgar("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            state.agents.add(self.headers["User-Agent"])
            status, body = state.status, b""
            if status == 200:
                if self.path == f"/submissions/CIK{CIK:010d}.json":
                    body = json.dumps(_submissions()).encode()
                elif self.path == "/files/company_tickers.json":
                    body = json.dumps(
                        {"0": {"cik_str": CIK, "ticker": "NVDA", "title": "NVIDIA CORP"}}
                    ).encode()
                elif self.path == "/files/company_tickers_mf.json":
                    fund = [36405, "S000002839", "C000007773", "VFINX"]
                    names = ["cik", "seriesId", "classId", "symbol"]
                    body = json.dumps({"fields": names, "data": [fund]}).encode()
                elif self.path.startswith(f"/Archives/edgar/data/{CIK}/"):
                    body = _document(self.path.rpartition("/")[2]).encode()
                else:
                    status = 404
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


def ask(url: str, folder: Path, ticker: str, form: str, year: str = "") -> list[str]:
    """Fetch in a fresh process: edgartools reads its addresses when it is imported."""
    env = {**os.environ, "EDGAR_BASE_URL": url, "EDGAR_DATA_URL": url, "HOME": str(folder.parent)}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, ticker, form, year, str(folder)],
        capture_output=True,
        text=True,
        env=env,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_year_is_the_fiscal_year_and_nothing_is_fetched_twice(edgar: Edgar, tmp_path: Path) -> None:
    folder = tmp_path / "work" / "downloads"
    (path,) = ask(edgar.url, folder, "nvda", "10-K", "2023")
    assert Path(path).name == "NVDA_10-K_2023-01-29_0001045810-23-000017.htm"
    assert "nvda-20230129.htm" in Path(path).read_text()
    assert edgar.agents == {"Test test@example.com"}
    archive = [asked for asked in edgar.asked if "/Archives/" in asked]
    assert len(archive) == len(set(archive))
    assert ask(edgar.url, folder, "NVDA", "10-K", "2023") == [path]
    assert [asked for asked in edgar.asked if "/Archives/" in asked] == archive
    assert not (tmp_path / ".edgar").exists(), "edgartools wrote into the user's home"
    assert not (folder.parent / ".edgar").exists()


def test_quarters_newest_and_old_filings(edgar: Edgar, tmp_path: Path) -> None:
    quarters = ask(edgar.url, tmp_path / "a" / "d", "NVDA", "10-Q", "2023")
    assert [Path(path).name[10:20] for path in quarters] == ["2022-10-30", "2022-05-01"]
    (newest,) = ask(edgar.url, tmp_path / "a" / "d", "NVDA", "10-K")
    assert "2024-01-28" in newest
    (old,) = ask(edgar.url, tmp_path / "a" / "d", "NVDA", "10-K", "1999")
    assert old.endswith("0001045810-99-000001.txt"), "an old filing is its whole submission"


def test_what_is_not_there_is_listed(edgar: Edgar, tmp_path: Path) -> None:
    (line,) = ask(edgar.url, tmp_path / "d", "NVDA", "10-K", "2010")
    assert line.startswith("EdgarError: EDGAR has no 10-K of NVDA for fiscal 2010")
    assert "2023-01-29" in line
    (line,) = ask(edgar.url, tmp_path / "d", "ZZZZZ", "10-K", "2023")
    assert line.startswith("EdgarError: EDGAR knows no ticker ZZZZZ")


@pytest.mark.parametrize("status", [403, 429])
def test_a_refusal_is_not_asked_again(edgar: Edgar, tmp_path: Path, status: int) -> None:
    edgar.status = status
    (line,) = ask(edgar.url, tmp_path / "d", "NVDA", "10-K", "2023")
    assert f"HTTP {status}" in line
    assert "wait ten minutes" in line
    assert len(edgar.asked) == 1, "asking again prolongs the block"


def test_no_network(tmp_path: Path) -> None:
    (line,) = ask("http://127.0.0.1:9", tmp_path / "d", "NVDA", "10-K", "2023")
    assert line.startswith("EdgarError: EDGAR cannot be reached")


def test_identity_and_form_are_asked_for_first(tmp_path: Path) -> None:
    with pytest.raises(EdgarError) as refused:
        fetch_filings(ticker="NVDA", form="10-K", year=2023, identity="", folder=tmp_path)
    assert str(refused.value) == SET_IDENTITY
    with pytest.raises(FilingError, match="10-K, 10-K405"):
        fetch_filings(ticker="NVDA", form="S-1", year=2023, identity="a@b.c", folder=tmp_path)
