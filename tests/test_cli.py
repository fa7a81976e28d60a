"""The command line as a user meets it: output, exit codes, one line an error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny import write_filing

from rag_app.__main__ import main

QUESTION = "What was Larkspur's order backlog at the end of fiscal 2023?"


@pytest.fixture
def in_sample(sample_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    return sample_home


def failure(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Run a command that must fail with exit code 2 and one line on stderr."""
    assert main(argv) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    return lines[0]


def test_ask_json_holds_what_programs_need(
    in_sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["ask", QUESTION, "--ticker", "LKSP", "--year", "2023", "--dim", "128", "--k", "4"]
    assert main([*argv, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) >= {"answer", "citations", "hits", "model", "dim", "timings_ms"}
    assert (answer["model"], answer["dim"], answer["llm"]) == ("minilm", 128, "none")
    assert "$94.6 million" in answer["answer"]
    assert "No LLM is configured" in answer["answer"]
    assert [hit["rank"] for hit in answer["hits"]] == [1, 2, 3, 4]
    assert {hit["filing"] for hit in answer["hits"]} == {"LKSP_10-K_2023-12-31"}
    hits = {hit["chunk_id"] for hit in answer["hits"]}
    for citation in answer["citations"]:
        assert f"[{citation['marker']}]" in answer["answer"]
        assert citation["chunk_id"] in hits
        assert citation["filing"] == "LKSP_10-K_2023-12-31"
        assert set(citation) == {"marker", "chunk_id", "filing", "item", "text"}
    right = [c for c in answer["citations"] if "$94.6 million" in c["text"]]
    assert {citation["item"] for citation in right} <= {"1", "7"}
    assert right
    assert all(figure["found"] for figure in answer["figures"])


def test_ask_prints_the_answer_and_its_sources(
    in_sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["ask", QUESTION, "--ticker", "LKSP"]) == 0
    out = capsys.readouterr().out
    assert "$94.6 million" in out
    assert "Larkspur Instruments, Inc. 10-K fiscal 2023, Item 1" in out


def test_status_shows_library_model_and_passport(
    in_sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert len(status["filings"]) == 6
    assert status["dims"] == [384, 256, 128, 64]
    assert status["chunks_to_encode"] == 0
    index = next(index for index in status["indexes"] if index["dim"] == 384)
    assert index["current"]
    assert index["chunks"] == status["chunks"]
    assert main(["status"]) == 0
    assert "LKSP_10-K_2023-12-31" in capsys.readouterr().out


def test_index_derives_a_dimension_without_encoding(
    home_copy: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(home_copy))
    assert main(["index", "--dim", "64"]) == 0
    assert "at 64 dimensions built" in (out := capsys.readouterr().out)
    assert "0 encoded" in out
    assert main(["index", "--dim", "64"]) == 0
    assert "was current already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["ask", "x", "--dim", "100"], "choose one of 384, 256, 128, 64"),
        (["ask", "x", "--model", "nope"], "There is no model nope"),
        (["ask", "x", "--ticker", "ZZZ"], "No filing in the library matches ZZZ"),
        (["ask", "x", "--year", "1999"], "No filing in the library matches fiscal 1999"),
        (["ask", "x", "--k", "0"], "`k` is wrong"),
        (["ingest"], "Name files or folders to ingest, or --ticker"),
        (["ingest", "/nowhere/at/all"], "does not exist"),
        (["ingest", "--ticker", "NVDA"], "EDGAR_IDENTITY"),
    ],
)
def test_bad_input_is_one_line_that_says_what_to_do(
    argv: list[str], sentence: str, in_sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sentence in failure(capsys, *argv)


def test_a_missing_library_says_how_to_fill_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert "python -m rag_app ingest" in failure(capsys, "ask", "anything")
    assert "python -m rag_app ingest" in failure(capsys, "index")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.html", b"", "empty"),
        ("binary.html", bytes(range(256)) * 64, "refused"),
        ("blank.html", b"<html><body><p> </p></body></html>", "refused"),
        ("scan.pdf", b"%PDF-1.4\n%%EOF", "refused"),
    ],
)
def test_a_file_that_is_no_filing_is_refused_by_name(
    name: str,
    content: bytes,
    sentence: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert main(["ingest", str(path)]) == 2
    captured = capsys.readouterr()
    assert name in (everything := captured.out + captured.err)
    assert sentence in everything
    assert "Traceback" not in everything


def test_a_filing_without_items_is_stored_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_filing(tmp_path / "plain.html")
    path.write_text(path.read_text().replace("Item ", "Chapter "))
    assert main(["ingest", str(path), "--ticker", "QPI"]) == 0
    captured = capsys.readouterr()
    assert "0 Items" in captured.out + captured.err


@pytest.mark.parametrize("command", ["ingest", "ask", "chat", "index", "status"])
def test_help_reads_well(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert "--debug" in capsys.readouterr().out


def test_a_fault_of_ours_exits_with_1_and_no_traceback(
    in_sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("rag_app.status.library_status", lambda *_: 1 / 0)
    assert main(["status"]) == 1
    assert capsys.readouterr().err.startswith("internal error: ZeroDivisionError")


def test_a_closed_pipe_is_no_error(in_sample: Path) -> None:
    ran = subprocess.run(
        f"{sys.executable} -m rag_app status | head -1", shell=True, capture_output=True, text=True
    )
    assert ran.stdout.startswith("library")
    assert "rror" not in ran.stderr
