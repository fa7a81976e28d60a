"""One sentence where a command was asked for what is not there: ports, Items, types, marks."""

from __future__ import annotations

import dataclasses
import datetime as dt
import socket
from decimal import Decimal
from pathlib import Path

import pytest
from test_eval_compare import RUNS, moved
from test_finetune_promote import SERVING, report, scores

from eval.movers import movers, movers_text
from finetune.__main__ import main as finetune
from finetune.verdict import judge
from rag_app.__main__ import main
from rag_app.facts import find_facts
from rag_app.library import Library
from rag_app.records import Fact, Filters


def failure(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Run a command that must fail with exit code 2, one line on stderr and nothing on stdout."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert not out
    (line,) = err.strip().splitlines()
    return line


@pytest.mark.parametrize("command", ["chat", "mcp"])
def test_a_port_that_cannot_be_listened_on_is_said_before_anything_else(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for port in ("99999", "-1", "0"):
        assert f"error: --port {port} is no port" in failure(capsys, command, "--port", port)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert f"127.0.0.1:{port} cannot be listened on" in failure(capsys, command, "--port", port)


@pytest.mark.parametrize("asked", ["   ", "???"])
def test_a_question_without_a_word_is_refused(
    asked: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failure(capsys, "ask", asked) == "error: Ask a question in words."


def test_an_item_that_is_not_there_names_those_that_are(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    said = failure(capsys, "ask", "What was revenue?", "--ticker", "LKSP", "--item", "99")
    assert "No passage of LKSP Item 99 is in the index; the Items there are 1, 1A, 1B" in said
    items = said.partition("there are ")[2].rstrip(".").split(", ")
    assert items.index("7A") + 1 == items.index("8") < items.index("10")


def test_a_file_of_another_type_is_refused_by_its_name(
    home_copy: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    picture = tmp_path / "pic.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + b"words of a text " * 20)
    monkeypatch.setenv("RAG_HOME", str(home_copy))
    assert main(["ingest", str(picture)]) == 2
    out = capsys.readouterr().out
    assert "is no filing by its name; give one of .htm, .html, .pdf, .txt, .xhtml." in out


def test_facts_of_a_range_of_years(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    argv = ["facts", "--ticker", "TSLT", "--concept", "Revenues", "--year"]
    assert main([*argv, "2023"]) == 0
    assert "TSLT_10-K_2023-06-30" in capsys.readouterr().out
    assert main([*argv, "2022-2023"]) == 0
    assert "TSLT_10-K_2023-06-30" in capsys.readouterr().out
    assert "--year 23 is no fiscal year" in failure(capsys, *argv, "23")


def test_facts_begin_with_the_total_of_the_filing_s_own_period(
    sample_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = Library(sample_home)
    end = dt.date(2023, 12, 31)
    later, before = dt.date(2024, 2, 1), dt.date(2022, 12, 31)

    def fact(value: int, at: dt.date, axis: str = "") -> Fact:
        start = at - dt.timedelta(days=364)
        dimensions = ((axis, f"m{value}"),) if axis else ()
        return Fact("us-gaap:Revenues", str(value), True, at, start, dimensions=dimensions)

    given = [
        *(fact(1, before), fact(2, end, "b"), fact(3, end, "a"), fact(4, later)),
        *(fact(5, end, "b"), fact(6, end)),
    ]
    monkeypatch.setattr(Library, "facts", lambda self, key, version: tuple(given))
    (found,) = find_facts(library, Filters("LKSP", fiscal_year=2023), "Revenues").values()
    assert [Decimal(each.value) for each in found] == [6, 4, 1, 3, 5, 2]


def test_a_rank_that_was_not_kept_is_left_out() -> None:
    gained, _ = movers(*moved(), "64", "ndcg@10", (None, None))
    text = movers_text(gained, None)
    assert "kept" not in text
    assert " → " in text
    assert "rank " in movers_text(movers(*moved(), "64", "ndcg@10", RUNS)[0], None)


def test_few_questions_are_said_to_decide_little() -> None:
    new = report("new", {384: scores(0.75), 64: scores(0.65)})
    assert "decide" not in str(judge(SERVING, new))
    few = judge(SERVING, new, ["1", "2", "3", "4", "5"])
    assert "So few questions (5) cannot decide much: hold out 100 or more" in str(few)
    barred = dataclasses.replace(few, barred=True, note="it knows the questions")
    assert "cannot decide much" in str(barred)


def test_without_marks_no_data_is_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
    assert finetune(["--from-feedback", "--out", "fb", "--data", "owner/nowhere"]) == 2
    assert "is an accepted pair; mark right passages in the chat" in capsys.readouterr().err
