"""Folds joined into one report, which pairs with a report of the whole."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from eval.__main__ import main
from eval.compare import compare
from eval.join import join_reports
from eval.report import Report, load_report, load_run
from rag_app.errors import DataError


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The whole set, then its two folds, all by the same model."""
    folder = tmp_path_factory.mktemp("folds")
    rows = [
        {
            "question": f"What were sales of plant {number}?",
            "context": f"Plant {number} had sales of ${number * 7} million.",
            "ticker": f"T{number % 6}",
        }
        for number in range(24)
    ]
    (folder / "qa.jsonl").write_text("\n".join(map(json.dumps, rows)))
    paths = []
    command = ["run", "--protocol", "grouped", "--data", str(folder / "qa.jsonl")]
    command += ["--model", "minilm", "--dims", "384,64"]
    for name, more in (("whole", []), ("one", ["--fold", "1/2"]), ("two", ["--fold", "2/2"])):
        paths.append(folder / f"{name}.json")
        assert main([*command, *more, "--out", str(paths[-1])]) == 0
    return paths


def test_joined_folds_are_the_whole(reports: list[Path], tmp_path: Path) -> None:
    whole, *folds = reports
    out = tmp_path / "joined.json"
    assert main(["join", *map(str, folds), "--out", str(out)]) == 0
    joined, expected = load_report(out), load_report(whole)
    assert joined.evalset_sha256 == expected.evalset_sha256
    assert (joined.queries, joined.fold) == (24, "")
    # BM25 and PCA see the same corpus in every fold, so all systems must agree.
    assert joined.metrics.keys() == expected.metrics.keys()
    for system, metrics in expected.metrics.items():
        assert joined.metrics[system] == pytest.approx(metrics, abs=1e-4)
    assert load_run(out, "64") == load_run(whole, "64")
    assert all(row.difference.mean == 0 for row in compare(expected, joined).rows)


def test_what_are_not_all_the_folds_is_refused(reports: list[Path]) -> None:
    whole, one, two = map(load_report, reports)
    for given, message in (
        ([one], "of the folds 1/2; give one of each of 1/2, 2/2"),
        ([one, one], "of the folds 1/2, 1/2; give one"),
        ([one, whole], "minilm is no report of a fold"),
        ([], "Nothing is no report"),
        ([one, dataclasses.replace(two, whole_sha256="x")], "folds of different sets"),
        ([one, dataclasses.replace(two, metrics={})], "share no dimension"),
    ):
        with pytest.raises(DataError, match=message):
            join_reports(given)


def test_models_of_folds_give_the_joined_one_its_name(reports: list[Path]) -> None:
    folds: list[Report] = [load_report(path) for path in reports[1:]]
    named = [
        dataclasses.replace(fold, model=f"ours-{number}", fingerprint=str(number))
        for number, fold in enumerate(folds)
    ]
    joined = join_reports(named)
    assert joined.model == "ours"
    assert joined.fingerprint not in {"0", "1", folds[0].fingerprint}
