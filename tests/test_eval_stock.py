"""Stock LlamaIndex parts beside ours: same questions, same files, their own chunks."""

from __future__ import annotations

from pathlib import Path

import pytest
from sample_rows import write_rows

from eval.__main__ import main
from eval.protocols.choices import Choices
from eval.protocols.filings import asked_rows
from eval.report import load_report
from eval.stock import library_sources, plain_text, stock_evalset
from rag_app.library import Library


def test_stock_chunks_are_asked_the_same_questions(sample_home: Path, tmp_path: Path) -> None:
    asked = asked_rows(str(write_rows(tmp_path)), Choices(companies=("LKSP",)))
    sources = library_sources(Library(sample_home))
    texts = {name: plain_text(source.path) for name, source in sources.items()}
    small, large = (stock_evalset(asked, sources, texts, tokens) for tokens in (256, 1024))
    assert small.queries.keys() == {question.row.id for question in asked}
    assert len(small.corpus) > 3 * len(large.corpus)
    assert small.goldless <= len(asked) // 4
    assert large.goldless <= small.goldless
    assert all(name.startswith("LKSP") for name in small.admitted["LKSP"])


def test_plain_text_holds_no_markup_and_no_hidden_facts(tmp_path: Path) -> None:
    path = tmp_path / "a.html"
    path.write_text(
        "<html><style>p {}</style><ix:header>hidden</ix:header><body><p>Net <b>sales</b></p>"
        "<script>x()</script><table><tr><td>41</td></tr></table></body></html>"
    )
    assert plain_text(path) == "Net\nsales\n41"
    (tmp_path / "a.txt").write_bytes(b"Plain \xff")
    assert plain_text(tmp_path / "a.txt") == "Plain \ufffd"


def test_run_with_stock_reports_both(
    home_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_HOME", str(home_copy))
    out = tmp_path / "r.json"
    command = ["run", "--protocol", "filings", "--data", str(write_rows(tmp_path))]
    command += ["--model", "minilm", "--companies", "LKSP", "--corpus", "asked", "--stock"]
    assert main([*command, "--dims", "384", "--no-baselines", "--out", str(out)]) == 0
    report = load_report(out)
    assert {"384", "384|filter", "stock-1024@384", "stock-256@64|filter", "stock-256-bm25"} <= set(
        report.metrics
    )
    assert report.per_query["stock-256@384"]["recall@10"].keys() == report.groups.keys()
