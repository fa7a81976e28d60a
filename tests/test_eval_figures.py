"""The bench of the figure check: over the sample library, and what its command says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.figure_bench import Score, check_library
from rag_app.library import Library


def test_true_and_false_statements_are_told_apart(sample_home: Path) -> None:
    checked = check_library(Library(sample_home), 20, seed=1)
    assert len(checked) >= 100
    assert len({c.statement.pattern for c in checked}) >= 20
    score = Score.of(checked)
    assert score.precision(True) >= 0.95 and score.recall(True) >= 0.95
    right: dict[str, list[bool]] = {}
    for each in checked:
        right.setdefault(each.statement.pattern, []).append(each.right)
    never = {pattern for pattern, told in right.items() if len(told) > 2 and not any(told)}
    assert not never, "a whole pattern is misjudged"


def test_precision_and_recall_of_both_answers() -> None:
    score = Score(20, true_supported=8, true_not=2, false_supported=1, false_not=9)
    assert (score.recall(True), score.recall(False)) == (0.8, 0.9)
    assert score.precision(True) == pytest.approx(8 / 9)
    assert score.precision(False) == pytest.approx(9 / 11)


def test_the_command_writes_its_report(
    sample_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_HOME", str(sample_home))
    out = tmp_path / "figures.md"
    assert main(["figures", "--count", "4", "--json", "--out", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["all"]["statements"] == 24
    assert "| kept back (6) | 24 |" in out.read_text()
    assert main(["figures", "--count", "1"]) == 2
    assert "give 2 or more" in capsys.readouterr().err
