"""``python -m eval``: exit codes, messages, files."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import eval.protocols
from eval.__main__ import main
from eval.protocols import PROTOCOLS, Protocol
from eval.protocols.choices import Choices
from eval.report import load_report
from rag_app.index.embedder import Embedder

TOPICS = ("revenue", "dividends", "lawsuits", "employees", "leases", "taxes", "debt", "inventory")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 rows, so that 4 questions are asked of 40 contexts."""
    path = tmp_path_factory.mktemp("data") / "qa.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("question", "answer", "context", "ticker", "filing"))
        for number in range(40):
            topic, year = TOPICS[number % 8], 2018 + number // 8
            text = f"In {year} the company reported {topic} of ${number + 3} million."
            writer.writerow((f"What were {topic} in {year}?", "", text, f"T{number % 5}", ""))
    return path


@pytest.fixture(scope="module")
def reports(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The default model at all its dimensions, and at 128 only."""
    folder = tmp_path_factory.mktemp("reports")
    full, narrow = folder / "full.json", folder / "narrow.json"
    assert main(["run", "--data", str(data), "--model", "minilm", "--out", str(full)]) == 0
    command = ["run", "--data", str(data), "--model", "minilm", "--dims", "128", "--json"]
    assert main([*command, "--no-baselines", "--out", str(narrow)]) == 0
    return full, narrow


def test_run_writes_a_report(reports: tuple[Path, Path]) -> None:
    record = json.loads(reports[0].read_text())
    assert list(record["metrics"])[:5] == ["384", "256", "128", "64", "bm25"]
    assert list(json.loads(reports[1].read_text())["metrics"]) == ["128"]
    assert (record["model"], record["protocol"]) == ("minilm", "notebook")
    assert (record["queries"], record["corpus"]) == (4, 40)
    assert record["metrics"]["384"]["recall@10"] == 1.0
    assert load_report(reports[0]).metrics["128"] == load_report(reports[1]).metrics["128"]


def test_run_prints_json_on_stdout_and_progress_on_stderr(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "r.json"
    assert main(["run", "--data", str(data), "--dims", "64", "--out", str(out), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out)["metrics"] == json.loads(out.read_text())["metrics"]
    assert "40/40" in captured.err


def test_run_without_out_only_prints(
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["run", "--data", str(data), "--model", "minilm", "--dims", "64"]) == 0
    table = capsys.readouterr().out
    assert "| 64 | 0" in table
    assert "| bm25 |" in table
    assert "Written" not in table
    # Vectors go to the cache under RAG_HOME and nothing else is left behind.
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [
        path.name for path in (tmp_path / "home/cache").rglob("*") if path.is_file()
    ]


def test_a_base_that_is_gone_is_named(
    data: Path, tmp_path: Path, minilm: Embedder, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(minilm.spec.folder, tmp_path / "home/models/mine")
    record = tmp_path / "home/models/mine/train_config.json"
    record.write_text(json.dumps({"config": {"base": "lost"}}))
    command = ["run", "--data", str(data), "--model", "mine", "--dims", "64"]
    assert main(command) == 2
    assert "mine was tuned from lost" in capsys.readouterr().err
    record.write_text(json.dumps({"config": {"base": "minilm"}}))
    assert main(command) == 0
    assert "| base@64 |" in capsys.readouterr().out


def test_compare_prints_table_or_json(
    reports: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    full, narrow = map(str, reports)
    assert main(["compare", full, narrow, "--metric", "mrr@10"]) == 0
    table = capsys.readouterr().out
    assert table.startswith("| mrr@10, dimension | minilm | minilm |")
    assert "| 128 |" in table
    assert "Left out, scored for minilm only: 384, 256, 64." in table
    assert main(["compare", full, narrow, "--json"]) == 0
    comparison = json.loads(capsys.readouterr().out)
    assert {row["system"] for row in comparison["rows"]} == {"128"}
    assert comparison["rows"][0]["difference"]["mean"] == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "gone.csv"], "There is no file gone.csv"),
        (["--data", "gone.csv", "--model", "nope"], "There is no model nope"),
        (["--data", "gone.csv", "--dims", "384,100"], "choose one of 384, 256, 128, 64"),
        (["--data", "gone.csv", "--protocol", "nope"], "known are notebook, grouped"),
        (["--data", "gone.csv", "--companies", "NVDA"], "use it with filings"),
        (["--data", "gone.csv", "--fold", "1/5"], "use it with grouped"),
        (["--data", "gone.csv", "--protocol", "filings"], "name it with --overlap"),
        (["--data", "gone.jsonl", "--protocol", "questions"], "gone.jsonl"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *arguments, "--out", str(tmp_path / "r.json")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
    assert message in captured.err
    assert list(tmp_path.iterdir()) == []


def test_an_out_that_cannot_be_written_is_refused_before_the_work(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--data", str(data), "--out", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "cannot be written; choose another file" in captured.err
    assert "Encoding" not in captured.err


def test_compare_of_what_is_no_report_exits_2(
    tmp_path: Path, reports: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", str(reports[0]), str(tmp_path / "gone.json")]) == 2
    assert "There is no file" in capsys.readouterr().err


def test_an_internal_failure_exits_1_and_shows_its_trace_only_when_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(data: str, home: Path, choices: Choices) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setitem(eval.protocols.PROTOCOLS, "broken", Protocol("fails", fail))  # type: ignore[arg-type]
    command = ["run", "--data", "x", "--protocol", "broken", "--out", str(tmp_path / "r.json")]
    assert main(command) == 1
    plain = capsys.readouterr().err
    assert plain.startswith("internal error: RuntimeError: a bug")
    assert plain.count("\n") == 1
    assert main([*command, "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["run"], ["run", "--dims", "a"], ["fly"]])
def test_wrong_usage_exits_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2


def test_help_is_fast_and_names_every_protocol() -> None:
    code = (
        "import sys; from eval.__main__ import main\n"
        "try: main(['run', '--help'])\n"
        "except SystemExit as stopped:\n"
        "    heavy = {'torch', 'datasets', 'sentence_transformers'} & set(sys.modules)\n"
        "    sys.exit(f'imported {heavy}' if heavy else stopped.code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in PROTOCOLS)


def test_the_module_runs_as_a_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "eval", "compare", "gone.json", "gone.json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: There is no file gone.json; check the path.\n"
