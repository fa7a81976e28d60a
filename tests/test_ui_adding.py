"""Filings added and deleted on the page: real processes in the background, the chat goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from edgar_server import serve
from streamlit.testing.v1 import AppTest
from tiny import write_filing

from rag_app.errors import FilingError, JobError
from rag_app.index.embedder import Embedder
from rag_app.ingest import ingest
from rag_app.library import Library
from rag_app.records import CoverFlags
from rag_app.sealed import writer_lock
from rag_app.ui import adding, job_list, pages, state
from rag_app.ui.jobs import Job, cancel, jobs, start
from rag_app.uploads import forget_refused, keep_upload, safe_name, uploads_in

HOSTILE = "<script>alert(1)</script> [x](http://evil.example) Quillfeather Pumps, Inc."
HOSTILE_FILE = "../../**<img src=x onerror=alert(1)>** $5 $6.HTML"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home of the page's."""
    return use(tmp_path / "home", monkeypatch)


@pytest.fixture
def filled(home: Path, tmp_path: Path, minilm: Embedder) -> Path:
    """A library of one small filing."""
    harrow = write_filing(tmp_path / "h.html", company="Harrow Lock, Inc.", product="bolts")
    ingest([harrow], Library(home), minilm, 384, max_file_mb=1, flags=CoverFlags(ticker="HRW"))
    return home


def hostile_filing(path: Path) -> bytes:
    """A filing whose XBRL names its company in tags and Markdown."""
    data = write_filing(path, revenue=77).read_text()
    name = HOSTILE.replace("<", "&lt;").replace(">", "&gt;")
    marks = f'<ix:nonNumeric name="dei:EntityRegistrantName">{name}</ix:nonNumeric>'
    space = 'xmlns:ix="http://www.xbrl.org/2013/inlineXBRL"'
    head = f'<html {space}><body><div style="display:none"><ix:header>{marks}</ix:header></div>'
    return data.replace("<html><body>", head).encode()


def use(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAG_HOME", str(home))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    state.settings.clear()
    state.llm.clear()
    return home


def page(name: str = "filings.py") -> AppTest:
    return shown(AppTest.from_file(str(Path(pages.__file__)), default_timeout=600), name)


def shown(at: AppTest, name: str = "filings.py") -> AppTest:
    at.switch_page(name).run()
    assert not at.exception
    return at


def ask(at: AppTest, question: str) -> str:
    """The question asked in the chat of this session; the text of the last answer."""
    shown(at, "app.py").chat_input[0].set_value(question).run()
    assert not at.exception and not at.error
    return "\n".join(each.value for each in at.chat_message[-1].markdown)


def until(held: Callable[[], object], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not held():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


def newest_ended(home: Path) -> Job:
    until(lambda: not jobs(home)[0].running)
    return jobs(home)[0]


def button(at: AppTest, label: str) -> AppTest:
    next(each for each in at.button if each.label == label).click().run()
    assert not at.exception
    return at


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **more}


def test_an_upload_is_read_while_the_chat_goes_on_and_can_be_deleted(
    filled: Path, tmp_path: Path
) -> None:
    data = hostile_filing(tmp_path / "q.html")
    at = page()
    at.file_uploader[0].set_value([(HOSTILE_FILE, data, "text/html")])
    button(at, "Add")
    assert jobs(filled)[0].running
    reading = int((jobs(filled)[0].folder / "lock").read_text())
    os.kill(reading, signal.SIGSTOP)  # so that it is not done before the chat has answered
    assert at.get("progress")
    assert next(each for each in at.button if each.label == "Add").disabled
    with pytest.raises(JobError, match="still running"):
        start(filled, "Another", ["ingest", "x"], environment())
    answer = ask(at, "What was revenue in 2023?")
    assert jobs(filled)[0].running, "the question was asked while the filing was read"
    os.kill(reading, signal.SIGCONT)
    assert "41 million" in answer and "77 million" not in answer

    done = newest_ended(filled)
    assert done.code == 0, done.log()
    assert "77 million" in ask(at, "What was revenue in 2023?")
    shown(at)
    assert at.success[0].value.startswith("1 filing read, 0 refused")
    assert at.dataframe[0].value["Company"].tolist() == [HOSTILE, "Harrow Lock, Inc. (HRW)"]
    written = [each.value for kind in ("markdown", "caption") for each in getattr(at, kind)]
    assert not [text for text in written if "<img" in text.replace("\\<", "")]
    kept = [path for path in (filled / "uploads").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in kept] == [data]
    assert kept[0].name == "img_src_x_onerror_alert_1_5_6.html"
    assert kept[0].parent.parent == filled / "uploads"

    key = next(
        key for key, each in Library(filled).filings().items() if each.filing.company == HOSTILE
    )
    at.selectbox(key="filing").set_value(key).run()
    button(at, "Yes, delete it")
    assert newest_ended(filled).code == 0, jobs(filled)[0].log()
    assert key not in Library(filled).filings()
    assert not kept[0].exists()
    assert "77 million" not in ask(at, "What was revenue in 2023?")
    shown(at)
    assert len(at.dataframe[0].value) == 1
    button(at, "Clear the list")
    assert not jobs(filled)
    assert not at.success


def test_a_fetch_shows_its_progress_is_cancelled_and_goes_on(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serve() as stand:
        monkeypatch.setenv("EDGAR_BASE_URL", stand.url)
        monkeypatch.setenv("EDGAR_DATA_URL", stand.url)
        monkeypatch.setenv("EDGAR_IDENTITY", "Test test@example.com")
        monkeypatch.setenv("HOME", str(tmp_path))
        stand.before_gate = 1
        stand.gate.clear()
        at = page()
        at.text_input[0].set_value("NVDA")
        at.text_input[1].set_value("2023-2024")
        button(at, "Fetch")
        until(lambda: (step := jobs(home)[0].step) is not None and step.done == 1)
        at.run()
        assert "Fetch NVDA 10\\-K for fiscal 2023\\-2024: filings fetched, 1" in progress_of(at)
        button(at, "Cancel")
        assert newest_ended(home).code == 130
        assert len(stand.sent) == 1
        assert not Library(home).filings()
        at.run()
        assert [each.value for each in at.error][:1] == [job_list.STOPPED]
        stand.gate.set()
        button(at, "Start again")
        assert newest_ended(home).code == 0, jobs(home)[0].log()
    assert len(set(stand.documents)) == 2
    assert stand.documents.count(stand.documents[0]) == 1, "what was fetched is kept"
    assert list(Library(home).filings()) == ["NVDA_10-K_2023-01-29", "NVDA_10-K_2024-01-28"]
    at.run()
    assert "2 filings read" in at.success[0].value


def progress_of(at: AppTest) -> str:
    return str(at.get("progress")[0].proto.text)


def test_a_killed_job_is_shown_as_such_by_any_page(home: Path, tmp_path: Path) -> None:
    filing = write_filing(tmp_path / "q.html")
    start(home, "Add <b>q</b>", ["ingest", str(filing)], environment())
    pid = int((jobs(home)[0].folder / "lock").read_text())
    assert jobs(home)[0].running
    os.kill(pid, signal.SIGKILL)
    assert newest_ended(home).code is None
    at = page()
    assert job_list.KILLED in [each.value for each in at.error]
    assert any(each.value.startswith("Add \\<b\\>q\\</b\\>") for each in at.caption)


def test_a_refused_file_is_one_sentence_that_names_the_field(home: Path, tmp_path: Path) -> None:
    at = page()
    at.file_uploader[0].set_value([("notes.txt", b"Nothing that says what it is.\n" * 9, "")])
    button(at, "Add")
    assert newest_ended(home).code == 2, jobs(home)[0].log()
    at.run()
    assert "notes.txt" in at.error[0].value
    assert "Traceback" not in "\n".join(jobs(home)[0].log())
    assert any("\\-\\-form is the field “Form”" in each.value for each in at.caption)
    at.expander(key=f"log-{jobs(home)[0].folder.name}")
    assert not [path for path in (home / "uploads").rglob("*") if path.is_file()]
    assert job_list.NOT_KEPT in [each.value for each in at.caption]
    assert "Start again" not in [each.label for each in at.button]


def test_an_upload_that_was_not_looked_at_is_kept(home: Path) -> None:
    """Another process writes: nothing is said of the file, and the job can be started again."""
    at = page()
    at.file_uploader[0].set_value([("notes.txt", b"Nothing that says what it is.\n" * 9, "")])
    with writer_lock(home):
        button(at, "Add")
        assert newest_ended(home).code == 2, jobs(home)[0].log()
    at.run()
    assert "is writing to" in at.error[0].value
    assert len([path for path in (home / "uploads").rglob("*") if path.is_file()]) == 1
    assert "Start again" in [each.label for each in at.button]


def test_only_refused_uploads_are_forgotten(filled: Path, tmp_path: Path) -> None:
    read = keep_upload(filled, "h.html", (tmp_path / "h.html").read_bytes())
    refused = keep_upload(filled, "h.html", b"Nothing.")
    outside = tmp_path / "h.html"
    words = ["ingest", "--form=10-K", *map(str, (read.resolve(), refused.resolve(), outside))]
    assert uploads_in(filled, words) == [read.resolve(), refused.resolve()]
    forget_refused(filled, uploads_in(filled, words))
    assert (read.exists(), refused.exists(), outside.exists()) == (True, False, True)


def test_without_an_identity_edgar_is_not_asked(home: Path) -> None:
    at = page()
    assert any("set EDGAR" in each.value for each in at.info)
    assert next(each for each in at.button if each.label == "Fetch").disabled
    assert not next(each for each in at.button if each.label == "Add").disabled


@pytest.mark.parametrize(
    ("ticker", "years", "sentence"),
    [("", "", "Name a company"), ("NVDA", "23", "is no year"), ("NVDA", "2024-2021", "backwards")],
)
def test_a_fetch_that_makes_no_sense_starts_nothing(
    home: Path, monkeypatch: pytest.MonkeyPatch, ticker: str, years: str, sentence: str
) -> None:
    monkeypatch.setenv("EDGAR_IDENTITY", "Test test@example.com")
    at = page()
    at.text_input[0].set_value(ticker)
    at.text_input[1].set_value(years)
    button(at, "Fetch")
    assert sentence in at.error[0].value
    assert not jobs(home)


@dataclass(frozen=True)
class Sent:
    name: str
    size: int = 10

    def getvalue(self) -> bytes:
        return bytes(self.size)


@pytest.mark.parametrize(
    ("files", "flags", "sentence"),
    [
        ([], {}, "Choose one or more"),
        ([Sent("a.exe")], {}, "a.exe is no filing by its ending"),
        ([Sent("a.pdf", 50_600_000)], {}, "a.pdf has 51 MB and the page takes at most 50 MB"),
        ([Sent("a.pdf"), Sent("b.pdf")], {"year": "2023"}, "one by one"),
        ([Sent("a.pdf"), Sent("b.pdf")], {"period-end": "2023-01-29"}, "one by one"),
        ([Sent("a.pdf")], {"year": "FY23"}, "FY23 is no fiscal year"),
    ],
)
def test_uploads_that_cannot_be_used_are_refused_in_words(
    files: list[Sent], flags: dict[str, str], sentence: str
) -> None:
    with pytest.raises(FilingError) as refused:
        adding.check_uploads(files, {"year": "", "period-end": "", **flags}, 50)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("10-K 2023.HTM", "10-K_2023.htm"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\a.pdf", "a.pdf"),
        ("..pdf/..html", "filing.html"),
        (".html", None),
        ("---.html", "filing.html"),
        ("-rf.html", "rf.html"),
        ("a\x00b\n.txt", "a_b.txt"),
        ("é" * 300 + ".pdf", "é" * 48 + ".pdf"),
    ],
)
def test_a_name_never_leaves_its_folder(name: str, safe: str | None) -> None:
    if safe is None:
        with pytest.raises(FilingError):
            safe_name(name)
    else:
        assert safe_name(name) == safe


def test_a_server_that_ignores_ctrl_c_can_still_cancel(home: Path, tmp_path: Path) -> None:
    """As one that a shell script started with ``&`` does."""
    filing = write_filing(tmp_path / "q.html")
    script = (
        "import os, signal, sys; from pathlib import Path; from rag_app.ui.jobs import start\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "start(Path(sys.argv[1]), 'Add', ['ingest', sys.argv[2]], os.environ)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(home), str(filing)], check=True)
    job = jobs(home)[0]
    assert job.running, "the job outlives the server that started it"
    pid = int((job.folder / "lock").read_text())
    until(lambda: b"rag_app.ui.job_process" in Path(f"/proc/{pid}/cmdline").read_bytes())
    until(lambda: job.step is not None)
    cancel(job)
    assert newest_ended(home).code == 130
    shutil.rmtree(home / "jobs")
