"""The sweep: search tables, a study that resumes after kill -9, pruning, pictures, the best."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_model import settings

from finetune.config import load_config
from finetune.objective import pairs_objective
from finetune.pairs import Pairs
from finetune.search import Range, Value, load_space
from finetune.sweep import Best, Objective, sweep
from rag_app.errors import TrainingError

SPACE = {"x": Range(0.0, 1.0, log=False), "y": ("a", "b")}
Report = Callable[[int, float], None]


def objective(run: Callable[..., float], about: str = "a test") -> Objective:
    return Objective("dev nDCG@10", "maximize", {"recipe": about}, run)


def peak(values: dict[str, object], report: Report) -> float:
    """Highest at x = 0.7."""
    return 1 - abs(float(str(values["x"])) - 0.7)


def run_sweep(folder: Path, trials: int, run: Callable[..., float] = peak, **about: str) -> Best:
    return sweep(objective(run, **about), SPACE, trials, folder, seed=1, say=lambda sentence: None)


def scores(folder: Path) -> list[float | None]:
    """The score of each trial in the study, in their order; None for those without."""
    return [trial.value for trial in frozen(folder)]


def frozen(folder: Path) -> list[object]:
    import optuna

    storage = f"sqlite:///{folder / 'study.db'}"
    return optuna.load_study(study_name=folder.name, storage=storage).trials


def test_tables_of_the_recipes_are_ranges_and_choices() -> None:
    space = load_space("numeric")
    assert space["learning_rate"] == Range(1e-6, 1e-3, log=True)
    assert space["weight_decay"] == Range(0.0, 0.1, log=False)
    assert space["batch_size"] == (4, 8, 16)


def test_a_recipe_without_a_table_names_those_with_one() -> None:
    with pytest.raises(TrainingError, match=r"notebook has no \[search\] table.*numeric"):
        load_space("notebook")


@pytest.mark.parametrize("row", ["[1.0, 0.5, 'log']", "[0.0, 1.0, 'log']", "3", "[[1], [2]]", "[]"])
def test_a_row_that_is_neither_is_one_sentence(
    row: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "odd.toml").write_text(f"[search]\nscale = {row}\n")
    monkeypatch.setattr("finetune.search.RECIPES", tmp_path)
    monkeypatch.setattr("finetune.config.RECIPES", tmp_path)
    with pytest.raises(TrainingError, match=r"`scale` of \[search\] in recipe odd is neither"):
        load_space("odd")


def test_the_best_trial_is_written_and_drawn(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    best = run_sweep(folder, 3)
    assert len(scores(folder)) == 3
    assert best.score == max(scores(folder)) > min(scores(folder))
    assert tomllib.loads((folder / "best.toml").read_text()) == best.values
    for name in ("history.png", "importance.png"):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")


def test_a_study_goes_on_where_it_stopped_with_new_values(tmp_path: Path) -> None:
    for trials in (1, 3, 2):
        run_sweep(tmp_path / "study", trials)
    assert len(scores(tmp_path / "study")) == 3
    assert len(set(scores(tmp_path / "study"))) == 3


def test_a_study_of_something_else_is_refused(tmp_path: Path) -> None:
    run_sweep(tmp_path / "study", 1)
    with pytest.raises(TrainingError, match="differs in recipe; start another with --out"):
        run_sweep(tmp_path / "study", 2, about="another")


def test_a_trial_behind_the_median_is_given_up(tmp_path: Path) -> None:
    trials = iter(range(100))
    evaluations = []

    def run(values: dict[str, object], report: Report) -> float:
        score = 1.0 if next(trials) < 5 else 0.0
        for evaluation in (1, 2):
            evaluations.append(evaluation)
            report(evaluation, score)
        return score

    run_sweep(tmp_path / "study", 6, run)
    assert evaluations == [1, 2] * 5 + [1]
    assert scores(tmp_path / "study")[:5] == [1.0] * 5


def test_a_trial_that_fails_does_not_end_the_sweep(tmp_path: Path) -> None:
    trials = iter(range(100))

    def run(values: dict[str, object], report: Report) -> float:
        if next(trials) == 0:
            raise TrainingError("The loss is nan.")
        return peak(values, report)

    said: list[str] = []
    best = sweep(objective(run), SPACE, 3, tmp_path / "study", seed=1, say=said.append)
    assert best.number > 0
    assert "failed: The loss is nan." in said[0]
    assert len(scores(tmp_path / "study")) == 3


def test_when_every_trial_fails_the_last_error_is_told(tmp_path: Path) -> None:
    def run(values: dict[str, object], report: Report) -> float:
        raise TrainingError("The loss is nan.")

    with pytest.raises(TrainingError, match=r"No trial .* was finished. The last error: The loss"):
        run_sweep(tmp_path / "study", 2, run)


REAL_SPACE = {"scale": Range(10.0, 100.0, log=True), "learning_rate": Range(5e-6, 1e-4, log=True)}


def real_objective(folder: Path, rows: Path) -> Objective:
    """Two steps of MiniLM on made-up rows, scored on dev before, between and after."""
    about = {"data": str(rows), "split": "company", "batch_size": 8, "max_steps": 2}
    about |= {"accumulation_steps": 1, "dev_share": 0.2, "evaluations": 2, "served_dim": 64}
    config = load_config("notebook", about)
    return pairs_objective(config, Path("nowhere"), folder, say=lambda sentence: None)


def test_a_trial_that_was_killed_in_training_is_run_again_with_its_values(tmp_path: Path) -> None:
    folder, rows = tmp_path / "study", tmp_path / "rows.csv"
    lines = [
        f"How many {thing} did {company} ship?,{company} shipped {number} {thing}.,{company}\n"
        for number, company in enumerate(("Birch", "Cobalt", "Delta", "Elm", "Flint", "Grove"))
        for thing in ("umbrellas", "bicycles", "lamps", "kettles")
    ]
    rows.write_text("question,context,ticker\n" + "".join(lines))
    code = f"""
import dataclasses, sys, time
from pathlib import Path
sys.path.insert(0, {str(Path(__file__).parent)!r})
import test_finetune_sweep as tests
folder = Path({str(folder)!r})
real = tests.real_objective(folder, Path({str(rows)!r}))
trials = iter(range(100))
def run(values, report):
    number = next(trials)
    def stop_in_training(evaluation, score):
        report(evaluation, score)
        if number == 1 and evaluation == 1:
            print("now", flush=True)
            time.sleep(60)
    return real.run(values, stop_in_training)
objective = dataclasses.replace(real, run=run)
tests.sweep(objective, tests.REAL_SPACE, 2, folder, seed=1, say=lambda sentence: None)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "now\n"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert (folder / "scratch").exists()

    best = sweep(
        real_objective(folder, rows), REAL_SPACE, 2, folder, seed=1, say=lambda sentence: None
    )
    trials = frozen(folder)
    assert [trial.state.name for trial in trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert trials[2].params == trials[1].params != trials[0].params
    assert sorted(trials[0].intermediate_values) == [0, 1, 2]
    assert best.number in (0, 2)
    assert not (folder / "scratch").exists()


def test_a_recipe_without_dev_scores_is_refused() -> None:
    with pytest.raises(TrainingError, match="scores no dev rows, so trials cannot be judged"):
        pairs_objective(
            load_config("notebook", {}), Path("nowhere"), Path("nowhere"), say=lambda text: None
        )


def test_a_value_that_decides_what_the_pairs_are_trains_others(
    material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[int] = []

    def count_pairs(spec: object, pairs: Pairs, *args: object, **options: object) -> None:
        trained.append(len(pairs.dataset))
        raise TrainingError("These are enough.")

    monkeypatch.setattr("finetune.train.train", count_pairs)
    config = settings(material, pack_tokens=40)
    judged = pairs_objective(config, tmp_path, tmp_path, say=lambda sentence: None)
    trials: list[dict[str, Value]] = [
        *({"packs": packs} for packs in (0, 1, 2)),
        {"packs": 2, "pack_tokens": 60},
        {"learning_rate": 1e-4},
    ]
    for values in trials:
        with pytest.raises(TrainingError, match="These are enough"):
            judged.run(values, lambda evaluation, score: None)
    # 40 rows; a round packs those of each of 4 companies into 4 packs of 40 tokens, or 2 of 60.
    assert trained == [40, 40 + 16, 40 + 32, 40 + 16, 40]


@pytest.mark.parametrize("values", [{"holdout": "Birch"}, {"fold": "1/3"}])
def test_what_makes_dev_scores_others_must_not_vary(
    values: dict[str, Value], material: Path, tmp_path: Path
) -> None:
    judged = pairs_objective(settings(material), tmp_path, tmp_path, say=lambda sentence: None)
    with pytest.raises(TrainingError, match="must be the same in every trial; take it out of the"):
        judged.run(values, lambda evaluation, score: None)


def test_two_sweeps_into_one_folder_are_refused(tmp_path: Path) -> None:
    def run(values: dict[str, object], report: Report) -> float:
        with pytest.raises(Exception, match="is writing to"):
            run_sweep(tmp_path / "study", 1)
        return 1.0

    assert run_sweep(tmp_path / "study", 1, run).score == 1.0
