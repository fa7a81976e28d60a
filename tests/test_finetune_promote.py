"""Promotion: what counts as worse, and what is served afterwards."""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
from pathlib import Path

import pytest

from eval.report import Report
from finetune.__main__ import main
from finetune.promote import promote
from finetune.verdict import judge
from rag_app.errors import DataError, TrainingError
from rag_app.index.served import TUNED_MINILM, served_model

QUERIES = [str(number) for number in range(120)]
GROUPS = {query: f"C{int(query) % 20}" for query in QUERIES}


def report(name: str, scores: dict[int, dict[str, float]], evalset: str = "same") -> Report:
    """A report with these nDCG@10 values by dimension and query."""
    return Report(
        model=name,
        fingerprint=name,
        protocol="company",
        evalset_sha256=evalset,
        queries=len(QUERIES),
        corpus=500,
        metrics={str(d): {"ndcg@10": sum(v.values()) / len(v)} for d, v in scores.items()},
        per_query={str(dim): {"ndcg@10": values} for dim, values in scores.items()},
        groups=GROUPS,
        timings_s={},
    )


def scores(mean: float, swing: float = 0.0) -> dict[str, float]:
    """Values around ``mean``; ``swing`` moves whole companies up and down by turns."""
    return {query: mean + swing * (-1) ** (int(query) % 20 // 2) for query in QUERIES}


SERVING = report("old", {384: scores(0.7), 64: scores(0.6)})


def test_better_at_every_dimension_is_promoted() -> None:
    verdict = judge(SERVING, report("new", {384: scores(0.75), 64: scores(0.65)}))
    assert verdict.promoted
    assert [(p.dim, p.against, p.worse) for p in verdict.pairings] == [
        (384, 384, False),
        (64, 64, False),
    ]


def test_worse_at_one_dimension_is_not_and_names_it() -> None:
    verdict = judge(SERVING, report("new", {384: scores(0.8), 64: scores(0.58)}))
    assert not verdict.promoted
    assert [p.dim for p in verdict.pairings if p.worse] == [64]
    assert str(verdict.pairings[1]) == (
        "64 dimensions: ndcg@10 0.6000 → 0.5800, -0.0200 [-0.0200, -0.0200], worse"
    )


def test_a_small_loss_that_is_certain_is_worse() -> None:
    """The interval lies below zero, though the mean is within what noise is allowed."""
    verdict = judge(SERVING, report("new", {384: scores(0.698), 64: scores(0.7)}))
    assert not verdict.promoted


def test_a_loss_within_noise_is_promoted_only_while_it_is_small() -> None:
    small = judge(SERVING, report("new", {384: scores(0.698, swing=0.1)}))
    large = judge(SERVING, report("new", {384: scores(0.69, swing=0.1)}))
    assert small.promoted
    assert not large.promoted
    assert large.pairings[0].difference.low < 0 < large.pairings[0].difference.high


def test_a_dimension_that_the_serving_model_lacks_meets_its_next_wider_one() -> None:
    verdict = judge(SERVING, report("new", {768: scores(0.7), 128: scores(0.7), 32: scores(0.6)}))
    assert [(p.dim, p.against) for p in verdict.pairings] == [(768, 384), (128, 384), (32, 64)]
    assert verdict.promoted


def test_baselines_in_a_report_are_no_dimensions() -> None:
    tuned = report("new", {384: scores(0.75)})
    tuned.metrics["bm25"] = {"ndcg@10": 0.1}
    tuned.metrics["384|filter"] = {"ndcg@10": 0.1}
    assert [p.dim for p in judge(SERVING, tuned).pairings] == [384]


def test_other_questions_are_refused() -> None:
    with pytest.raises(DataError, match="old and new were scored on different questions"):
        judge(SERVING, report("new", {384: scores(0.7)}, evalset="another"))


COMPANIES = ("Birch", "Cobalt", "Delta", "Elm", "Flint", "Grove", "Hazel", "Iris", "Juno", "Kelp")
THINGS = ("umbrellas", "bicycles", "lamps", "kettles")
SHORT = ["--recipe", "notebook", "--split", "company", "--batch-size", "8", "--seed", "1"]
SHORT += ["--set", "accumulation_steps=1", "--set", "warmup_share=0"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with rows.csv and a home, into which a fair model and a ruined one were trained."""
    folder = tmp_path_factory.mktemp("trained")
    with (folder / "rows.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "context", "ticker"])
        for number, (company, thing) in enumerate(itertools.product(COMPANIES, THINGS)):
            context = f"{company} shipped {number + 11} thousand {thing} in the year."
            writer.writerow([f"How many {thing} did {company} ship?", context, company])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_HOME", str(folder / "home"))
        flags = [*SHORT, "--data", str(folder / "rows.csv"), "--debug"]
        assert main([*flags, "--out", "fair", "--max-steps", "1"]) == 0
        ruin = ["--out", "ruined", "--max-steps", "4", "--set", "learning_rate=3e-2"]
        assert main([*flags, *ruin]) == 0
    return folder


@pytest.fixture
def home(trained: Path, tmp_path: Path) -> Path:
    """A copy of that home, which is RAG_HOME; weights are links, so replace them, never write."""

    def copy(source: str, target: str) -> None:
        (os.link if source.endswith(".safetensors") else shutil.copyfile)(source, target)

    shutil.copytree(trained / "home", tmp_path / "home", copy_function=copy)
    return tmp_path / "home"


def test_training_serves_a_model_that_is_not_worse_and_no_other(home: Path) -> None:
    models = home / "models"
    fair, ruined = (
        json.loads((models / name / "promotion.json").read_text()) for name in ("fair", "ruined")
    )
    assert served_model(home) == "fair"
    assert (fair["promoted"], fair["serving"]) == (True, TUNED_MINILM)
    assert (ruined["promoted"], ruined["serving"]) == (False, "fair")
    assert any(pairing["difference"]["high"] < 0 for pairing in ruined["pairings"])


def test_promoting_by_hand_needs_no_scoring_where_the_reports_are_there(
    home: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = (trained / "rows.csv").rename(tmp_path / "moved.csv")
    try:
        assert main(["promote", "ruined"]) == 2
        assert "fair goes on being served" in capsys.readouterr().out
        assert main(["promote", "--rollback"]) == 0
        assert served_model(home) == TUNED_MINILM
        assert main(["promote", "fair"]) == 0
        assert "fair is served from now on" in capsys.readouterr().out
        assert served_model(home) == "fair"
    finally:
        moved.rename(trained / "rows.csv")


def test_what_is_served_already_and_what_was_never_trained_are_refused(home: Path) -> None:
    with pytest.raises(TrainingError, match="fair is served already"):
        promote(home, "fair")
    with pytest.raises(TrainingError, match=r"no trained model \.\./x to promote; these are: fair"):
        promote(home, "../x")


def test_a_model_that_was_changed_after_its_scoring_is_refused(home: Path) -> None:
    weights = home / "models/ruined/model.safetensors"
    weights.unlink()
    os.link(home / "models/fair/model.safetensors", weights)
    with pytest.raises(TrainingError, match=r"not the model that report_tuned\.json in it is of"):
        promote(home, "ruined")


def test_questions_that_changed_since_are_refused(home: Path, trained: Path) -> None:
    (home / "models/ruined/report_serving.json").unlink()
    data = trained / "rows.csv"
    before = data.read_text()
    data.write_text(before.replace("thousand", "hundred"))
    try:
        with pytest.raises(DataError, match=r"rows.csv has changed since ruined was scored on it"):
            promote(home, "ruined")
    finally:
        data.write_text(before)


def test_a_name_that_was_promoted_and_is_trained_anew_is_not_served_before_it_is_judged(
    home: Path, trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(home / "models/fair")
    assert main(["--data", str(trained / "rows.csv"), "--out", "fair", "--base", "none"]) == 2
    assert "There is no model none" in capsys.readouterr().err
    assert served_model(home) == TUNED_MINILM
