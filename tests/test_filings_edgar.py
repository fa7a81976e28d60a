"""EDGAR through the shipped edgartools, against a loopback server that speaks EDGAR's paths."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from edgar_server import Stand, serve

from rag_app.__main__ import main
from rag_app.errors import EdgarError, FilingError
from rag_app.filings import edgar_pace
from rag_app.filings.edgar import SET_IDENTITY
from rag_app.filings.edgar_downloads import find_download, origin_of
from rag_app.filings.edgar_fetch import fetch_filings
from rag_app.filings.edgar_pace import Pace
from rag_app.filings.edgar_read import read_fetched
from rag_app.filings.edgar_wanted import Wanted, parse_years, read_companies, wanted_filings
from rag_app.ingest import find_files
from rag_app.records import CoverFlags

# edgartools reads its addresses when it is imported, so what is fetched here is fetched by other
# processes; only times are shortened. What is told are also the turns that its requests were given.
DRIVER = """
import json, sys
from pathlib import Path
from rag_app.errors import RagError
from rag_app.filings import edgar, edgar_pace
from rag_app.filings.edgar_fetch import FetchWatcher, fetch_filings
from rag_app.filings.edgar_wanted import wanted_filings

edgar_pace.LEAST_WAIT_S, edgar_pace.TOLD_WAIT_S = 1.5, 0.5
move = edgar_pace.Pace._move

def noted(pace, turn_at, step_s):
    turn = move(pace, turn_at, step_s)
    if step_s:
        told["turns"].append(turn)
    return turn

edgar_pace.Pace._move = noted
for line in sys.stdin:
    home, companies, form, years, latest, edgar.TIMEOUT_S = json.loads(line)
    told = {"paths": [], "failures": {}, "new": [], "notes": [], "error": "", "turns": []}
    watcher = FetchWatcher(lambda origin, new: told["new"].append(new), told["notes"].append)
    try:
        report = fetch_filings(companies.split(), wanted_filings(form, years, latest),
                               identity="Test test@example.com", home=Path(home), watcher=watcher)
        told["paths"] = [path.name for path in report.paths]
        told["failures"] = {name: str(error) for name, error in report.failures.items()}
    except RagError as error:
        told["error"] = type(error).__name__ + ": " + str(error)
    print(json.dumps(told), flush=True)
"""


@dataclass
class Client:
    """A process that fetches what it is told to, one request after the other."""

    process: subprocess.Popen[str]

    def send(
        self,
        home: Path,
        companies: str,
        form: str,
        years: str | None = None,
        latest: int | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        assert self.process.stdin
        request = [str(home), companies, form, years, latest, timeout_s]
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def told(self) -> dict[str, Any]:
        assert self.process.stdout
        assert self.process.stderr
        return json.loads(self.process.stdout.readline() or self.process.stderr.read())

    def fetch(
        self,
        home: Path,
        companies: str,
        form: str,
        years: str | None = None,
        latest: int | None = None,
        timeout_s: float = 30.0,
    ) -> dict[str, Any]:
        """What came of a request."""
        self.send(home, companies, form, years, latest, timeout_s)
        return self.told()


def start(url: str, home: Path, *argv: str) -> subprocess.Popen[str]:
    user = home.parent / "user"
    user.mkdir(exist_ok=True)
    env = {
        **os.environ,
        "EDGAR_BASE_URL": url,
        "EDGAR_DATA_URL": url,
        "EDGAR_IDENTITY": "Test test@example.com",
        "RAG_HOME": str(home),
        "HOME": str(user),
    }
    pipe = subprocess.PIPE
    command = [sys.executable, *argv]
    return subprocess.Popen(command, env=env, text=True, stdin=pipe, stdout=pipe, stderr=pipe)


@contextmanager
def client_of(url: str, folder: Path) -> Iterator[Client]:
    with start(url, folder / "home", "-c", DRIVER) as process:
        yield Client(process)
        process.kill()


@pytest.fixture(scope="module")
def stand() -> Iterator[Stand]:
    with serve() as stand:
        yield stand


@pytest.fixture(scope="module")
def client(stand: Stand, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with client_of(stand.url, tmp_path_factory.mktemp("client")) as client:
        yield client


@pytest.fixture
def edgar(stand: Stand) -> Stand:
    """The stand-in as new."""
    stand.reset()
    return stand


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def periods(told: dict[str, Any]) -> list[str]:
    return [name.split("_")[2] for name in told["paths"]]


def test_years_ranges_latest_and_forms(edgar: Stand, client: Client, home: Path) -> None:
    one = client.fetch(home, "nvda", "10-K", "2023")
    assert one["paths"] == ["NVDA_10-K_2023-01-29_0001045810-23-000017.htm"]
    cik = client.fetch(home, "0001045810", "10-k", "2022")
    assert cik["paths"] == ["NVDA_10-K_2022-01-30_0001045810-22-000036.htm"]
    span = client.fetch(home, "NVDA", "10-K", "2022-2024")
    assert periods(span) == ["2024-01-28", "2023-01-29", "2022-01-30"]
    quarters = client.fetch(home, "NVDA", "10-Q", "2023")
    assert periods(quarters) == ["2022-10-30", "2022-05-01"], "the fiscal year, not the calendar's"
    newest = client.fetch(home, "NVDA", "10-K", None, 2)
    assert periods(newest) == ["2024-01-28", "2023-01-29"]
    amended = client.fetch(home, "NVDA", "10-K/A", "2023")
    assert amended["paths"] == ["NVDA_10-KA_2023-01-29_0001045810-23-000090.htm"]
    events = client.fetch(home, "NVDA", "8-K", "2023")
    assert periods(events) == ["2023-11-21", "2023-08-23"]
    assert all(name.endswith(".txt") for name in events["paths"]), "an 8-K comes with its exhibits"
    gap = client.fetch(home, "NVDA", "10-K", "2020-2022")
    assert periods(gap) == ["2022-01-30"]
    assert gap["notes"] == ["EDGAR has no 10-K of NVDA for 2020, 2021."]
    again = client.fetch(home, "NVDA", "10-K", "2023")
    assert again["paths"] == one["paths"]
    assert not any(again["new"])
    assert len(edgar.documents) == len(set(edgar.documents)), "fetched twice"
    assert edgar.agents == {"Test test@example.com"}


def test_old_filings_are_whole_submissions(edgar: Stand, client: Client, home: Path) -> None:
    newest = client.fetch(home, "NVDA", "10-K")
    assert periods(newest) == ["2024-01-28"]
    assert not [path for _, path in edgar.asked if "submissions-001" in path], "asked for nothing"
    old = client.fetch(home, "NVDA", "10-K", "2003")
    assert old["paths"] == ["NVDA_10-K_2003-01-26_0001045810-03-000044.txt"]
    older = client.fetch(home, "NVDA", "10-K405")
    assert older["paths"] == ["NVDA_10-K405_1999-01-31_0001045810-99-000001.txt"]


def test_an_annual_report_that_refers_to_exhibit_13_is_fetched_with_it(
    edgar: Stand, client: Client, home: Path
) -> None:
    told = client.fetch(home, "QQZZX", "10-K", "2020-2021")
    with_exhibit, in_vain = told["paths"]
    assert with_exhibit == "QQZZX_10-K_2021-12-31_0009999001-22-000001.txt"
    assert in_vain == "QQZZX_10-K_2020-12-31_0009999001-21-000001.htm", "it has no such exhibit"
    parsed = read_fetched(home / "downloads" / with_exhibit, max_bytes=10**6)
    assert parsed.filing.source.endswith("/0009999001-22-000001.txt")
    assert (parsed.filing.fiscal_year, parsed.filing.form) == (2021, "10-K")
    assert parsed.health.items_found == ("1", "2")
    number, exhibit = len(parsed.sections) - 1, parsed.sections[-1]
    assert exhibit.title == "Exhibit 13"
    (revenue,) = [fact for fact in parsed.facts if fact.concept == "us-gaap:Revenues"]
    assert str(revenue.period_end) == "2021-12-31", "the main document defines its context"
    assert revenue.span
    assert revenue.span.section == number
    assert exhibit.text[revenue.span.start : revenue.span.end] == "4,711"
    asked = len(edgar.asked)
    again = client.fetch(home, "QQZZX", "10-K", "2020-2021")
    assert again["paths"] == told["paths"]
    assert not [path for _, path in edgar.asked[asked:] if "/Archives/" in path], "fetched twice"


def test_a_form_is_found_however_edgar_spells_it(edgar: Stand, client: Client, home: Path) -> None:
    small = client.fetch(home, "QQZZX", "10KSB", "2006-2007")
    assert periods(small) == ["2007-12-31", "2006-12-31"]
    forms = {
        read_fetched(home / "downloads" / name, max_bytes=10**6).filing.form
        for name in small["paths"]
    }
    assert forms == {"10-KSB"}


def test_what_edgar_says_is_kept_beside_the_download(
    edgar: Stand, client: Client, home: Path
) -> None:
    (name,) = client.fetch(home, "1045810", "10-K", "2023")["paths"]
    path = home / "downloads" / name
    origin = origin_of(path)
    assert origin
    assert (origin.ticker, origin.cik, origin.form) == ("NVDA", "0001045810", "10-K")
    assert (str(origin.filed), str(origin.period_end)) == ("2023-02-24", "2023-01-29")
    assert (origin.accession, origin.fiscal_year) == ("0001045810-23-000017", 2023)
    assert origin.url == (
        f"{edgar.url}/Archives/edgar/data/1045810/000104581023000017/nvda-20230129.htm"
    )
    assert origin_of(home / "other.htm") is None
    assert find_download(path.parent, "0001045810-23-000017") == path
    path.with_name(f"{name}.origin.json").write_text("{")
    with pytest.raises(FilingError, match="remove it and fetch"):
        origin_of(path)


def test_what_edgar_says_reaches_the_filing(edgar: Stand, client: Client, home: Path) -> None:
    names = [
        *client.fetch(home, "NVDA", "10-K", "2023")["paths"],
        *client.fetch(home, "NVDA", "8-K", "2023", None)["paths"],
        *client.fetch(home, "NVDA", "10-K405")["paths"],
    ]
    in_folder = find_files([home / "downloads"])
    assert {path.name for path in in_folder} > set(names)
    assert all(origin_of(path) for path in in_folder), "what is beside them is taken for a filing"
    annual, event, _, old = (
        read_fetched(home / "downloads" / name, max_bytes=10**6).filing for name in names
    )
    assert (annual.accession, annual.cik) == ("0001045810-23-000017", "0001045810")
    assert (annual.ticker, str(annual.filed)) == ("NVDA", "2023-02-24"), "its document has none"
    assert annual.source.endswith("/000104581023000017/nvda-20230129.htm")
    assert annual.source.startswith(edgar.url)
    assert (event.form, event.ticker, event.fiscal_year) == ("8-K", "NVDA", 2023)
    assert (old.form, old.ticker, str(old.period_end)) == ("10-K405", "NVDA", "1999-01-31")
    flagged = read_fetched(home / "downloads" / names[0], max_bytes=10**6, flags=CoverFlags("NVD"))
    assert flagged.filing.ticker == "NVD", "a flag goes before EDGAR"


def test_what_is_not_there_is_said(edgar: Stand, client: Client, home: Path) -> None:
    year = client.fetch(home, "NVDA", "10-K", "2010")["error"]
    assert year.startswith("EdgarError: EDGAR has no 10-K for fiscal 2010 of NVDA")
    assert "2023-01-29" in year
    form = client.fetch(home, "NVDA", "20-F", "2023")["error"]
    assert form.startswith("EdgarError: EDGAR has no 20-F of NVDA")
    ticker = client.fetch(home, "ZZZZZ", "10-K", "2023")["error"]
    assert ticker.startswith("EdgarError: EDGAR knows no ticker ZZZZZ")
    cik = client.fetch(home, "424242", "10-K", "2023")["error"]
    assert cik.startswith("EdgarError: EDGAR knows no company 424242")
    new = client.fetch(home, "qqzzx", "20-F", "2023")
    assert periods(new) == ["2023-12-31"], "a ticker younger than edgartools' own table"


def test_one_company_that_fails_does_not_stop_the_others(
    edgar: Stand, client: Client, home: Path
) -> None:
    some = client.fetch(home, "NVDA ZZZZZ 1045810 AAPL", "10-K")
    assert len(some["paths"]) == 2, "one file of a company named twice"
    assert list(some["failures"]) == ["ZZZZZ"]
    none = client.fetch(home, "ZZZZZ YYYYYY", "10-K")
    assert "ZZZZZ: EDGAR knows no ticker" in none["error"]
    assert "YYYYYY: EDGAR knows no ticker" in none["error"]


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("as_date", [True, False])
def test_a_refusal_is_waited_out(
    edgar: Stand, client: Client, home: Path, status: int, as_date: bool
) -> None:
    edgar.refusals = [(status, {"Retry-After": 4.0 if as_date else "3"})]
    told = client.fetch(home, "QQZZX", "20-F")
    assert periods(told) == ["2023-12-31"]
    (note,) = told["notes"]
    assert note.startswith(f"EDGAR refuses for now (HTTP {status}); waiting until ")
    assert edgar.asked[1][0] - edgar.asked[0][0] > 2.6, "EDGAR asked for more than the least wait"


def test_a_second_refusal_ends_it(edgar: Stand, client: Client, home: Path) -> None:
    edgar.refusals = [(429, {}), (403, {})]
    told = client.fetch(home, "QQZZX NVDA", "20-F")
    assert told["error"].startswith("EdgarRefusal: EDGAR still refuses after the wait (HTTP 403)")
    assert len(edgar.asked) == 2, "asking on would prolong the block"
    assert edgar.asked[1][0] - edgar.asked[0][0] >= 1.5


def test_answers_that_do_not_come_or_break_off(edgar: Stand, client: Client, home: Path) -> None:
    def error(timeout_s: float = 30.0) -> str:
        told = client.fetch(home, "NVDA", "10-K", "2022", timeout_s=timeout_s)
        return str(told["error"])

    edgar.gate.clear()
    assert error(timeout_s=1.0).startswith("EdgarError: EDGAR did not answer within 1 s")
    edgar.gate.set()
    edgar.cut = True
    assert error().startswith("EdgarError: EDGAR's answer broke off")
    edgar.cut, edgar.empty = False, True
    assert error().startswith("EdgarError: EDGAR sent an empty document")
    assert not list(home.glob("downloads/*")), "nothing is half-stored"
    edgar.empty, edgar.damaged = False, True
    assert error().startswith("EdgarError: EDGAR's list of filings came damaged")
    edgar.damaged = False
    assert error() == ""


def test_no_network(tmp_path: Path, home: Path) -> None:
    with client_of("http://127.0.0.1:9", tmp_path) as client:
        told = client.fetch(home, "NVDA", "10-K", "2023")
    assert told["error"].startswith("EdgarError: EDGAR cannot be reached")
    assert not list((tmp_path / "user").iterdir()), "edgartools wrote into the user's home"


def test_two_processes_together_keep_the_limit(
    edgar: Stand, client: Client, home: Path, tmp_path: Path
) -> None:
    with client_of(edgar.url, tmp_path) as other:
        for each in (client, other):
            assert each.fetch(tmp_path / "elsewhere", "QQZZX", "20-F")["paths"], "it has started"
        edgar.reset()
        edgar.gate.clear()
        client.send(home, "AAPL", "10-K", latest=14)
        other.send(home, "MSFT", "10-K", latest=14)
        deadline = time.monotonic() + 25
        while len(edgar.documents) < 2 and time.monotonic() < deadline:
            time.sleep(0.01)  # each waits for its first document: neither is done before the other
        edgar.gate.set()
        one, two = client.told(), other.told()
    assert len(one["paths"]) == len(two["paths"]) == 14
    assert min(one["turns"]) < max(two["turns"]) and min(two["turns"]) < max(one["turns"])
    turns = sorted([*one["turns"], *two["turns"]])
    assert len(turns) == len(edgar.asked)
    # What is judged are the turns: when a request arrives, a busy machine decides too.
    assert min(b - a for a, b in itertools.pairwise(turns)) > edgar_pace.MIN_INTERVAL_S - 1e-4


def test_a_killed_batch_resumes_and_fetches_nothing_twice(
    edgar: Stand, home: Path, tmp_path: Path
) -> None:
    names = tmp_path / "companies.txt"
    names.write_text("# two that are there, one that is not\n\nAAPL\nZZZZZ  # gone\n0000789019\n")
    edgar.before_gate = 3
    edgar.gate.clear()
    with client_of(edgar.url, tmp_path) as killed:
        killed.send(home, "AAPL ZZZZZ 0000789019", "10-K", latest=3)
        while len(edgar.documents) < 4 and killed.process.poll() is None:
            time.sleep(0.02)
    kept = [origin_of(path) for path in (home / "downloads").glob("*.htm")]
    assert len(kept) == 3
    edgar.gate.set()
    argv = ["-m", "rag_app", "ingest", "--tickers-file", str(names), "--latest", "3"]
    resumed = start(edgar.url, home, *argv)
    out, err = resumed.communicate(timeout=240)
    assert resumed.returncode == 2, "one company failed"
    assert out.count("kept ") == len(kept)
    assert out.count("fetched ") == 6 - len(kept)
    assert "6 filings read, 0 refused" in out, "nothing half-written is taken for a filing"
    (line,) = [line for line in err.splitlines() if line.startswith("error")]
    assert line.startswith("error: ZZZZZ: EDGAR knows no ticker")
    asked = [edgar.url + path for _, path in edgar.asked]
    assert [asked.count(origin.url) for origin in kept if origin] == [1] * len(kept)


def test_ten_minutes_at_least_and_as_long_as_edgar_says(tmp_path: Path) -> None:
    """The wait as it ships, read off the file rather than slept through."""

    def after(retry_after_s: float | None) -> float:
        began = time.time()
        path = tmp_path / "edgar.pace"
        path.unlink(missing_ok=True)
        pace = Pace(path, lambda note: None)
        pace.refused(403, retry_after_s)
        pace.close()
        return float(path.read_text()) - began

    assert 599.9 < after(None) < 660
    assert 599.9 < after(5) < 660
    assert 3599.9 < after(3600) < 3660


def test_a_block_holds_for_the_next_process_and_a_shorter_one_does_not_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    monkeypatch.setattr(edgar_pace, "LEAST_WAIT_S", 0.0)
    monkeypatch.setattr(edgar_pace, "TOLD_WAIT_S", 0.0)
    began = time.monotonic()
    first = Pace(tmp_path / "edgar.pace", notes.append)
    first.refused(403, 2.5)
    first.refused(403, 0.1)
    first.close()  # as the kernel does when a process dies in its wait
    second = Pace(tmp_path / "edgar.pace", notes.append)
    second.try_acquire()
    assert time.monotonic() - began > 2
    (note,) = notes
    assert note.startswith("EDGAR refused a request from this machine; waiting until ")
    (tmp_path / "edgar.pace").write_text(f"{time.time() + 1e9:020.6f}\n")
    began = time.monotonic()
    second.try_acquire()
    assert time.monotonic() - began < 30, "a clock that was set back ended in a wait for years"


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--ticker", "NVDA", "--year", "23"], "23 is no year; give --year 2023"),
        (["--ticker", "NVDA", "--year", "2023-2021"], "runs backwards; give --year 2021-2023"),
        (["--ticker", "NVDA", "--year", "2023", "--latest", "2"], "--year or --latest, not both"),
        (["--ticker", "NVDA", "--latest", "0"], "--latest 0 asks for nothing"),
        (["--ticker", "NVDA", "--tickers-file", "x"], "--ticker or --tickers-file, not both"),
        (["--tickers-file", "nowhere.txt"], "nowhere.txt cannot be read (No such file"),
        (["--ticker", "NVDA", "--period-end", "2023-01-29"], "--period-end is for files"),
        (["a.htm", "--latest", "2"], "--latest and --tickers-file fetch from EDGAR"),
        (["a.htm", "--year", "2021-2023"], "2021-2023 is no fiscal year of a file"),
        (["--ticker", "NVDA", "--form", "S-1"], "10-K, 10-K405"),
        (["--ticker", "NVDA"], SET_IDENTITY),
    ],
)
def test_flags_that_do_not_fit_are_one_sentence(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ingest", *argv]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line.startswith("error: ")
    assert sentence in line


def test_a_file_of_companies(tmp_path: Path) -> None:
    path = tmp_path / "companies.txt"
    path.write_text("nvda\n\n# chips\n  BRK.B # two classes\nNVDA\n1045810\n")
    assert read_companies(path) == ("NVDA", "BRK.B", "1045810")
    path.write_text("nvda\nnvda, aapl\n")
    with pytest.raises(EdgarError, match=r"Line 2 of .* is not a ticker or CIK"):
        read_companies(path)
    path.write_text("# none\n")
    with pytest.raises(EdgarError, match="names no company"):
        read_companies(path)
    path.write_bytes(b"\xff\xfe\x00nvda")
    with pytest.raises(EdgarError, match="not a text file"):
        read_companies(path)


def test_years_and_wanted() -> None:
    assert parse_years("2023") == range(2023, 2024)
    assert parse_years("2021-2023") == range(2021, 2024)
    assert str(wanted_filings("8-k", "2023", None)) == "8-K for 2023"
    assert str(wanted_filings("10-K", "2021-2023", None)) == "10-K for fiscal 2021-2023"
    assert wanted_filings("10-K", None, None) == Wanted("10-K", None, 1)


def test_identity_is_asked_for_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(EdgarError) as refused:
        fetch_filings(["NVDA"], Wanted("10-K"), identity="Jane", home=tmp_path / "home")
    assert str(refused.value) == SET_IDENTITY
    assert not (tmp_path / "home").exists()
